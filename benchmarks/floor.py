"""The matrix products of an epoch, and nothing else: what no program with them can fall below."""

from collections.abc import Callable, Sequence

import tensorflow as tf

from tf_iclrec.config import Config


def products(
    shapes: Sequence[tuple[int, int, int]], parts: int, num_items: int, config: Config
) -> Callable[[], None]:
    """A function that computes the products of a Transformer and a softmax over the catalogue,
    forward and backward, for all batches.

    The operands are results of other products wherever their shapes fit, so that nothing is
    copied or computed beside the products.

    Args:
        shapes: Users, steps and real positions of each batch.
        parts: How many sequences are encoded for each user: 3 with two views.
        num_items: Size of the catalogue.
        config: Of a model with a Transformer.
    """
    dim, heads = config.encoder.hidden_dim, config.encoder.num_heads
    items, wide, square, up = (
        tf.random.normal([rows, dim]) for rows in (num_items, 3 * dim, dim, 4 * dim)
    )

    def with_gradients(x, weights):
        """``x Wᵀ`` and both gradients of it."""
        y = tf.matmul(x, weights, transpose_b=True)
        return y, tf.matmul(y, weights), tf.matmul(y, x, transpose_a=True)

    @tf.function(reduce_retracing=True)
    def step(hidden, positions):
        rows = tf.shape(hidden)[0] * tf.shape(hidden)[1]
        by_head = [-1, tf.shape(hidden)[1], dim // heads]
        x = tf.reshape(hidden, [rows, dim])
        results = []
        for _ in range(config.encoder.num_blocks):
            mixed, x, by_wide = with_gradients(x, wide)
            query, key, value = tf.split(tf.reshape(mixed, by_head), 3)
            scores = tf.matmul(query, key, transpose_b=True)
            attended = tf.matmul(scores, value)
            # The gradients of both.
            by_scores = tf.matmul(attended, value, transpose_b=True)
            results += [tf.matmul(scores, attended, transpose_a=True)]
            results += [tf.matmul(by_scores, key), tf.matmul(by_scores, query, transpose_a=True)]
            x, _, by_square = with_gradients(tf.reshape(attended, [rows, dim]), square)
            inner, x, by_up = with_gradients(x, up)
            # From the inner width back, of the same shapes.
            down, _, by_down = with_gradients(inner, tf.transpose(up))
            results += [by_wide, by_square, by_up, by_down, down]
        results += with_gradients(positions, items)
        return [tf.reduce_sum(result[:1]) for result in results]

    batches = [
        (tf.random.normal([parts * users, time, dim]), tf.random.normal([positions, dim]))
        for users, time, positions in shapes
    ]

    def run() -> None:
        for batch in batches:
            results = step(*batch)
        results[0].numpy()

    return run
