"""Greedy re-ranking: what all ways of it share."""

from typing import Any

import tensorflow as tf

from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.serving.ranker import Ranker

_IDS = tf.TensorSpec([None, None], tf.int32)

# So many of the best items are looked at: a multiple of the length of the list, and no fewer.
_MULTIPLE, _LEAST = 5, 100


class Reranker(tf.Module):
    """A list of ``k`` of a user's best items, chosen one after the other.

    At each place stands the item that maximises ``(1 - strength) * relevance + strength * gain``.
    The relevance of an item is its score, scaled so that the best candidate of the user has 1 and
    the last 0: scores of models and users differ in size, and a strength means the same for all.
    The gain, by the items that are in the list already, is what a subclass knows. Of equal items
    the more relevant comes first; so strength 0 is the plain list.

    Args:
        ranker: The model.
        catalogue: What is known of the items. It must have what `lacking` looks for.

    Call arguments:
        item_ids: ``(batch, time)`` int32 the histories as the model reads them, 0 = padding.
        scores: ``(batch, n)`` float32 scores of the candidates, best first; minus infinity where
            there are fewer.
        rows: ``(batch, n)`` int32 their rows of the catalogue.
        k: Scalar int32, items of the list.
        strength: Scalar float32 from 0 to 1.

    Returns:
        Scores and rows ``(batch, k)`` in the new order, the scores as they were; minus infinity
        and -1 where there are fewer candidates.
    """

    def __init__(self, ranker: Ranker, catalogue: Catalogue):
        super().__init__()

    @classmethod
    def lacking(cls, ranker: Ranker, catalogue: Catalogue) -> str:
        """What the model or the data would need and do not have, in words; "": nothing."""
        raise NotImplementedError

    def start(self, item_ids: tf.Tensor, rows: tf.Tensor) -> Any:
        """What is remembered of candidates before the first of them is chosen: tensors
        ``(batch, ...)``."""
        raise NotImplementedError

    def gain(self, state: Any, place: tf.Tensor) -> tf.Tensor:
        """``(batch, n)`` float32, finite: what each candidate is good for at a place, from 0."""
        raise NotImplementedError

    def with_chosen(self, state: Any, best: tf.Tensor) -> Any:
        """What is remembered after the candidates ``best`` ``(batch,)`` have been chosen."""
        raise NotImplementedError

    @tf.function(
        autograph=False,
        input_signature=[
            _IDS,
            tf.TensorSpec([None, None], tf.float32),
            _IDS,
            tf.TensorSpec([], tf.int32),
            tf.TensorSpec([], tf.float32),
        ],
    )
    def __call__(self, item_ids, scores, rows, k, strength) -> tuple[tf.Tensor, tf.Tensor]:
        relevance = _relevance(scores)
        n = tf.shape(scores)[1]

        def choose(place, is_left, chosen, state):
            values = (1.0 - strength) * relevance + strength * self.gain(state, place)
            best = tf.argmax(tf.where(is_left, values, -float("inf")), axis=1, output_type=tf.int32)
            any_left = tf.reduce_any(is_left, axis=1)
            chosen = chosen.write(place, tf.where(any_left, best, -1))
            is_left &= tf.range(n) != best[:, tf.newaxis]
            return place + 1, is_left, chosen, self.with_chosen(state, best)

        chosen = tf.TensorArray(tf.int32, k, element_shape=[None])
        state = self.start(item_ids, tf.maximum(rows, 0))
        _, _, chosen, _ = tf.while_loop(
            lambda place, *_: place < k, choose, [0, tf.math.is_finite(scores), chosen, state]
        )
        order = tf.transpose(chosen.stack())
        places = tf.maximum(order, 0)
        found = [tf.gather(values, places, batch_dims=1) for values in (scores, rows)]
        return tf.where(order < 0, -float("inf"), found[0]), tf.where(order < 0, -1, found[1])


def num_candidates(k: int | tf.Tensor, num_items: int) -> int | tf.Tensor:
    """How many of the best items a list of ``k`` is chosen from."""
    if isinstance(k, int):
        return min(max(_MULTIPLE * k, _LEAST), num_items)
    return tf.minimum(tf.maximum(_MULTIPLE * k, _LEAST), num_items)


def _relevance(scores: tf.Tensor) -> tf.Tensor:
    """Scores from 0 to 1, row by row; 0 where there is no candidate."""
    is_real = tf.math.is_finite(scores)
    most = tf.reduce_max(scores, axis=1, keepdims=True)
    least = tf.reduce_min(tf.where(is_real, scores, most), axis=1, keepdims=True)
    return tf.where(is_real, tf.math.divide_no_nan(scores - least, most - least), 0.0)
