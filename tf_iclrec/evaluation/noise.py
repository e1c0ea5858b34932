"""How well a recommender does where histories hold items that their users never had.

ICLRec's robustness to noise (Sec. 5.3, Fig. 4): a share of items that the user never had is put
into the sequences of the test. Noise is a recommender that shows another one noisy histories; who
is asked, for what, and what is left out of the ranking stays as it is.
"""

from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from tf_iclrec.data.histories import Histories
from tf_iclrec.data.negatives import draw_negatives
from tf_iclrec.data.splits.split import HeldOutPart, Split
from tf_iclrec.data.vocabulary import PADDING_ID

Batch = dict[str, tf.Tensor]


class NoisyHistories:
    """A recommender as another one is under noise: between the items of each history, before all
    of them or after, stand items that the user never had, neither before nor later.

    The items of noise are ``share`` of those that the model would see without noise; see
    `noise_counts`. Each is drawn uniformly and stands at a place drawn uniformly. The authors'
    program rounds down for each sequence, so that 10% of noise leaves all sequences with fewer
    than ten items as they are.

    Args:
        model: A `Recommender`.
        split: The log and what is held out.
        part: What is evaluated: ``"valid"`` or ``"test"``.
        share: Items of noise in relation to the others, such as 0.1.
        seed: Of the noise. The same seed adds the same noise for all models that see as many items
            of a history.

    Call arguments:
        batch: Of `tf_iclrec.evaluation_batches`.

    Returns:
        Scores ``(batch, items)``.
    """

    def __init__(
        self,
        model: Callable[[Batch], tf.Tensor],
        split: Split,
        part: HeldOutPart,
        share: float,
        seed: int = 0,
    ):
        self.model, self.max_length, self.seed = model, model.max_length, seed
        held_out, log = split.held_out(part), split.interactions
        lengths = held_out.histories.lengths
        if self.max_length is not None:
            lengths = np.minimum(lengths, self.max_length)
        self._counts = noise_counts(lengths, share, seed)
        self._users, self._num_items = held_out.users, log.num_items
        self._had = Histories(log.item_ids, log.offsets[:-1], log.offsets[1:])
        self._providers = log.providers

    def __call__(self, batch: Batch) -> tf.Tensor:
        return self.model(self.noisy(batch))

    def noisy(self, batch: Batch) -> Batch:
        """The batch as the recommender sees it: items, and their providers, with noise."""
        counts, had = tf.numpy_function(self._read, [batch["rows"]], (tf.int32, tf.int32), False)
        counts, had = tf.ensure_shape(counts, [None]), tf.ensure_shape(had, [None, None])
        seed = tf.random.fold_in(tf.constant([self.seed, 0], tf.int64), batch["rows"][0])
        item_seed, place_seed = tf.unstack(tf.random.split(seed, 2))
        is_noise = tf.sequence_mask(counts, dtype=tf.int32)
        noise = draw_negatives(is_noise, had, self._num_items, item_seed)
        lengths = tf.math.count_nonzero(batch["item_ids"], axis=1, dtype=tf.int32)
        share = tf.random.stateless_uniform(tf.shape(noise), place_seed)
        # Before one of the items, or after the last.
        before = tf.cast(share * tf.cast(lengths + 1, tf.float32)[:, tf.newaxis], tf.int32)
        streams = {"item_ids": noise}
        if "provider_ids" in batch:
            streams["provider_ids"] = tf.gather(self._providers.of_items, noise)
        order = _order(batch["item_ids"], noise, before)
        if self.max_length is not None:
            order = order[:, -self.max_length :]
        return batch | {
            name: tf.gather(tf.concat([added, batch[name]], axis=1), order, batch_dims=1)
            for name, added in streams.items()
        }

    def _read(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Items of noise of each held-out row, and all items that its user has ever."""
        return self._counts[rows], self._had.padded(self._users[rows], distinct=True)


def noise_counts(lengths: np.ndarray, share: float, seed: int = 0) -> np.ndarray:
    """How many items of noise each history gets: ``share`` of its length, rounded up for some and
    down for others, so that all together are exact to an item.

    Args:
        lengths: ``(n,)`` items of each history.
        share: Items of noise in relation to them.
        seed: Says for whom it is rounded up.

    Returns:
        ``(n,)`` int32.

    Example:
    >>> counts = noise_counts(np.array([20, 5, 5, 5, 5]), 0.1)
    >>> int(counts[0]), int(counts.sum())
    (2, 4)
    """
    order = np.random.default_rng(seed).permutation(len(lengths))
    upto = np.floor(np.cumsum(lengths[order]) * share + 0.5).astype(np.int32)
    counts = np.empty(len(lengths), dtype=np.int32)
    counts[order] = np.diff(upto, prepend=np.int32(0))
    return counts


def drops(clean: Mapping[str, float], noisy: Mapping[str, float]) -> dict[str, float]:
    """By how many percent each metric is lower than it was; what was 0 is left out.

    Example:
    >>> drops({"HR@5": 0.5, "MRR@5": 0.0}, {"HR@5": 0.4, "MRR@5": 0.0})
    {'HR@5': 20.0}
    """
    return {
        name: round(100 * (1 - noisy[name] / value), 10)
        for name, value in clean.items()
        if value and name in noisy
    }


def _order(item_ids: tf.Tensor, noise: tf.Tensor, before: tf.Tensor) -> tf.Tensor:
    """Columns of noise and items side by side as they stand in the noisy history, ``(batch, noise +
    time)``, padding first.

    Args:
        item_ids: ``(batch, time)`` int32, padded with 0 on the left.
        noise: ``(batch, noise)`` int32, 0 = none.
        before: ``(batch, noise)`` int32 number of the item, from 0 = oldest, that each stands
            before.
    """
    is_item = item_ids != PADDING_ID
    number = tf.cumsum(tf.cast(is_item, tf.int32), axis=1) - 1
    keys = tf.concat(
        [
            tf.where(noise != PADDING_ID, 2 * before, -1),
            tf.where(is_item, 2 * number + 1, -1),
        ],
        axis=1,
    )
    return tf.argsort(keys, axis=1, stable=True)
