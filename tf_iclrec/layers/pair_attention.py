"""Additive attention over given pairs of queries and states, in little memory."""

import dataclasses

import tensorflow as tf

# Pairs that are held at once. On a CPU they then stay in the cache; a GPU wants large blocks.
_PAIRS_ON_CPU = 8192
_PAIRS_ON_GPU = 1 << 20


@dataclasses.dataclass(frozen=True)
class Pairs:
    """Which query sees which state.

    Queries, states and pairs are in the order of the batch rows. Each query and each state has a
    pair.

    Attributes:
        query: ``(pairs,)`` int32, rising.
        state: ``(pairs,)`` int32.
        weight: ``(pairs,)`` float32.
        by_state: ``(pairs,)`` int32, the pairs in an order in which ``state`` rises.
        queries_of_rows: ``(batch,)`` int32, how many queries each batch row has.
        states_of_rows: ``(batch,)`` int32, likewise.
        pairs_of_rows: ``(batch,)`` int32, likewise.
    """

    query: tf.Tensor
    state: tf.Tensor
    weight: tf.Tensor
    by_state: tf.Tensor
    queries_of_rows: tf.Tensor
    states_of_rows: tf.Tensor
    pairs_of_rows: tf.Tensor


def attend_pairs(
    queries: tf.Tensor, keys: tf.Tensor, values: tf.Tensor, score: tf.Tensor, pairs: Pairs
) -> tf.Tensor:
    """``Σ weight · (qᵀ σ(query + key)) · value`` over the pairs of each query.

    Some batch rows at a time, forwards as well as backwards, so that the vectors of all pairs
    never exist together.

    Args:
        queries: ``(queries, dim)`` float32.
        keys: ``(states, dim)`` float32.
        values: ``(states, dim)`` float32.
        score: ``(dim,)`` float32, the ``q``.
        pairs: Who sees whom.

    Returns:
        ``(queries, dim)``. It can be differentiated once, by all tensors but the weights.

    Example: σ(0) is one half.
    >>> first, one = tf.constant([0]), tf.constant([1])
    >>> pairs = Pairs(first, first, tf.constant([3.0]), first, one, one, one)
    >>> zeros = tf.zeros([1, 2])
    >>> attend_pairs(zeros, zeros, tf.ones([1, 2]), tf.constant([1.0, 1.0]), pairs).numpy().tolist()
    [[3.0, 3.0]]
    """
    blocks = _Blocks(pairs)

    @tf.custom_gradient
    def attended(queries, keys, values, score):
        def gradient(upstream):
            return _gradients(queries, keys, values, score, upstream, blocks)

        return _attended(queries, keys, values, score, blocks), gradient

    # σ(x) = (1 + tanh(x / 2)) / 2, and tanh takes half the time of TensorFlow's σ.
    return attended(queries / 2.0, keys / 2.0, values, score / 2.0)


@dataclasses.dataclass(frozen=True)
class _Block:
    """The pairs of some batch rows, with the queries and states numbered from 0."""

    query: tf.Tensor
    state: tf.Tensor
    weight: tf.Tensor
    by_state: tf.Tensor
    queries: slice
    states: slice

    def of_queries(self, vectors: tf.Tensor) -> tf.Tensor:
        """``(queries of all rows, dim)`` to ``(pairs, dim)``."""
        return tf.gather(vectors[self.queries], self.query)

    def of_states(self, vectors: tf.Tensor) -> tf.Tensor:
        """``(states of all rows, dim)`` to ``(pairs, dim)``."""
        return tf.gather(vectors[self.states], self.state)

    def sum_by_query(self, vectors: tf.Tensor) -> tf.Tensor:
        """``(pairs, dim)`` to ``(queries, dim)``."""
        return tf.math.segment_sum(vectors, self.query)

    def sum_by_state(self, vectors: tf.Tensor) -> tf.Tensor:
        """``(pairs, dim)`` to ``(states, dim)``."""
        # Bringing them into order first is faster than an unordered sum.
        ordered, states = (tf.gather(x, self.by_state) for x in (vectors, self.state))
        return tf.math.segment_sum(ordered, states)


class _Blocks:
    """Batch rows taken together until they have as many pairs as are wanted at once."""

    def __init__(self, pairs: Pairs):
        self.pairs = pairs
        on_gpu = bool(tf.config.list_logical_devices("GPU"))
        wanted = _PAIRS_ON_GPU if on_gpu else _PAIRS_ON_CPU
        up_to = tf.cumsum(pairs.pairs_of_rows)
        self.count = tf.maximum(-(-tf.shape(pairs.query)[0] // wanted), 1)
        ends = 1 + tf.searchsorted(up_to, tf.range(1, self.count) * wanted)
        at = tf.concat([[0], ends, [tf.shape(up_to)[0]]], axis=0)
        self._pairs_at, self._queries_at, self._states_at = (
            tf.gather(tf.concat([[0], tf.cumsum(of_rows)], axis=0), at)
            for of_rows in (pairs.pairs_of_rows, pairs.queries_of_rows, pairs.states_of_rows)
        )

    def block(self, number: tf.Tensor) -> _Block:
        own, queries, states = (
            slice(at[number], at[number + 1])
            for at in (self._pairs_at, self._queries_at, self._states_at)
        )
        return _Block(
            query=self.pairs.query[own] - queries.start,
            state=self.pairs.state[own] - states.start,
            weight=self.pairs.weight[own][:, tf.newaxis],
            by_state=self.pairs.by_state[own] - own.start,
            queries=queries,
            states=states,
        )

    def loop(self, step, *start: tf.Tensor, dim: int, num_lists: int) -> list[tf.Tensor]:
        """Run ``step(block, *values)`` over the blocks.

        Args:
            step: Gives the next of each value, then for each list the block's part ``(_, dim)``.
            start: The values at first.
            dim: Width of the lists.
            num_lists: Number of lists.

        Returns:
            The last values, then the lists ``(_, dim)``.
        """
        num_values = len(start)

        def body(number, *loop):
            results = step(self.block(number), *loop[:num_values])
            parts = zip(loop[num_values:], results[num_values:], strict=True)
            written = [into.write(number, part) for into, part in parts]
            return number + 1, *results[:num_values], *written

        lists = [
            tf.TensorArray(tf.float32, self.count, infer_shape=False, element_shape=[None, dim])
            for _ in range(num_lists)
        ]
        _, *loop = tf.while_loop(
            lambda number, *_: number < self.count,
            body,
            (0, *start, *lists),
            parallel_iterations=1,
        )
        return loop[:num_values] + [parts.concat() for parts in loop[num_values:]]


def _attended(queries, keys, values, score, blocks: _Blocks) -> tf.Tensor:
    """As `attend_pairs`, of halved queries, keys and score."""

    def step(block):
        raised = tf.tanh(block.of_queries(queries) + block.of_states(keys))
        return [block.sum_by_query(_shares(raised, score, block) * block.of_states(values))]

    (attended,) = blocks.loop(step, dim=queries.shape[1], num_lists=1)
    return attended


def _gradients(queries, keys, values, score, upstream, blocks: _Blocks) -> list[tf.Tensor]:
    """Of `_attended`; what was computed for the pairs is computed again."""

    def step(block, by_score):
        raised = tf.tanh(block.of_queries(queries) + block.of_states(keys))
        wanted = block.of_queries(upstream)
        by_value = _shares(raised, score, block) * wanted
        by_share = tf.reduce_sum(wanted * block.of_states(values), axis=1, keepdims=True)
        by_share *= block.weight
        by_score += tf.matmul(raised, by_share, transpose_a=True)[:, 0] + tf.reduce_sum(by_share)
        # Without the factor `score`, which all pairs share.
        by_sum = (1.0 - tf.square(raised)) * by_share
        return [
            by_score,
            block.sum_by_query(by_sum),
            block.sum_by_state(by_sum),
            block.sum_by_state(by_value),
        ]

    by_score, by_query, by_key, by_value = blocks.loop(
        step, tf.zeros_like(score), dim=queries.shape[1], num_lists=3
    )
    return [by_query * score, by_key * score, by_value, by_score]


def _shares(raised: tf.Tensor, score: tf.Tensor, block: _Block) -> tf.Tensor:
    """How much of its state each pair's query gets, ``(pairs, 1)``."""
    return block.weight * (tf.matmul(raised, score[:, tf.newaxis]) + tf.reduce_sum(score))
