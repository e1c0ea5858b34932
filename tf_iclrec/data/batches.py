"""From histories to tf.data batches, a whole batch per operation.

Sequences are short and of very different lengths (a median of 4 items in the Amazon data, at
a maximum of 50), so batches are made of users with histories of similar length and padded, on
the left, only to their longest.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from tf_iclrec.data.augmentation import (
    ViewRatios,
    apply_view,
    draw_past_and_future,
    draw_view,
)
from tf_iclrec.data.epochs import epochs_of_batches, prefetched
from tf_iclrec.data.histories import Histories
from tf_iclrec.data.item_sampler import ItemSampler, Sampling
from tf_iclrec.data.negatives import draw_negatives
from tf_iclrec.data.row_readers import padded_rows, streams
from tf_iclrec.data.share import WHOLE, Share
from tf_iclrec.data.splits.split import HeldOutPart, Split
from tf_iclrec.data.tasks import NextItem, Task
from tf_iclrec.data.training_rows import trainable_users, training_rows
from tf_iclrec.data.vocabulary import MASK_ID, PADDING_ID
from tf_iclrec.errors import UserError

# Scores that are in memory at a time, as float32.
_MAX_SCORES = 1 << 26
_MAX_LENGTH = 50


class ReadsBatches(Protocol):
    """A model that says what it reads of batches."""

    max_length: int
    batch_settings: Mapping[str, Any]


def training_batches(
    split: Split,
    batch_size: int = 256,
    max_length: int | None = None,
    task: Task | None = None,
    negatives: bool | None = None,
    views: ViewRatios | None = None,
    futures: bool | None = None,
    sampling: Sampling | None = None,
    windows: bool = False,
    seed: int = 0,
    first_epoch: int = 0,
    pad_to_max_length: bool = False,
    share: Share = WHOLE,
    model: ReadsBatches | None = None,
) -> tf.data.Dataset:
    """Batches for ``model.fit``; one pass is one epoch, drawn afresh each time.

    Args:
        split: The log, of which the training part is used.
        batch_size: Users in a batch, or windows of theirs.
        max_length: Only the last so many items of a history are used, unless ``windows`` is set.
            Defaults to 50.
        task: What is asked of the sequences; that of the encoder. Defaults to the next item at
            each position.
        negatives: Add ``negative_ids``: per position one item the user never had in training,
            drawn uniformly. Of a user who had all of them nothing is asked.
        views: Add two augmented views of each sequence.
        futures: Add ``future_item_ids`` ``(batch, 2, time)``: each sequence cut in two at a random
            place, the first part as it is and the rest in reverse, latest first.
        sampling: Add items sampled for the whole batch.
        windows: Of a longer history use all items, in windows of ``max_length`` with a row each.
        seed: Everything random follows from it and from the number of the epoch.
        first_epoch: Number of the first pass; to continue an interrupted training.
        pad_to_max_length: Pad every batch to ``max_length`` and mix users of all lengths, as
            the public programs do. Slower; for comparisons.
        share: Which rows of each batch this process wants, where several replicas train together;
            those of each replica are a batch then.
        model: What is trained on them: what it reads (``max_length``, ``task``, ``negatives``,
            ``futures``, ``sampling``) is the default then.

    Returns:
        A dataset of dicts of int32 tensors: ``item_ids`` and ``target_ids`` ``(batch, time)``,
        ``users`` ``(batch,)``, the rows of the users in the log, and as asked for
        ``negative_ids`` ``(batch, time)`` and ``view_item_ids`` ``(batch, 2, time)``;
        0 = padding. Where the log has providers, ``provider_ids`` and
        ``view_provider_ids`` stand beside the items. Besides, ``target_weights`` ``(batch, time)``
        float32: the same at every target of an epoch, and 1 in total for a batch with
        the average number of them. A mean over each batch would give a position among short
        histories several times the weight of one among long ones. With ``sampling``,
        ``sampled_ids`` ``(samples,)`` and the logarithms of their probabilities,
        ``sampled_log_probabilities`` ``(samples,)`` float32.

    Raises:
        UserError: If no user has items enough to train on.
        ValueError: If ``batch_size`` is not positive.

    Example:
    >>> from tf_iclrec import Interactions, leave_one_out
    >>> log = Interactions.from_sequences({"ann": ["tea", "jam", "oil", "rye", "egg"]})
    >>> [batch] = training_batches(leave_one_out(log), negatives=True)
    >>> [log.items.decode(batch[name][0]).tolist() for name in ("item_ids", "target_ids")]
    [['tea', 'jam'], ['jam', 'oil']]
    >>> set(log.items.decode(batch["negative_ids"][0])) <= {"rye", "egg"}
    True
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, not {batch_size}.")
    wanted = {} if model is None else model.batch_settings
    max_length = _length(max_length, model, split)
    task = task or wanted.get("task") or NextItem()
    negatives = wanted.get("negatives", False) if negatives is None else negatives
    futures = wanted.get("futures", False) if futures is None else futures
    sampling = sampling or wanted.get("sampling")
    users, histories = training_rows(split, task, max_length if windows else None)
    rows = len(users)
    inputs, targets = task.inputs(histories), task.targets(histories)
    least = max_length if pad_to_max_length else 1
    take_inputs = streams(split.interactions, inputs, max_length, least, share)
    # As samples, the targets of the whole batch are needed by every replica.
    asked_share = WHOLE if sampling and sampling.kind == "in_batch" else share
    take_targets = padded_rows(targets, max_length, least, share=asked_share)
    take_seen = padded_rows(split.train.rows(users), distinct=True, share=asked_share)
    users = tf.constant(users, tf.int32)
    # Padded to one length in any case, a batch takes whatever rows come.
    lengths = np.ones(rows) if pad_to_max_length else inputs.lengths
    sampler = sampling and ItemSampler.for_training(split, sampling.kind, targets.last(max_length))
    num_steps = -(-rows // batch_size)
    num_targets = task.num_targets(np.minimum(inputs.lengths, max_length)).sum()
    target_weight = tf.constant(num_steps / num_targets, tf.float32)

    def assemble(batch_rows: tf.Tensor, batch_seed: tf.Tensor) -> dict[str, tf.Tensor]:
        *view_seeds, negative_seed, sample_seed = tf.unstack(tf.random.split(batch_seed, 4))
        whole = take_inputs(batch_rows)
        shown, target_ids = task.asked(whole, take_targets(batch_rows), batch_seed)
        batch = dict(shown)
        if negatives:
            batch["negative_ids"] = draw_negatives(
                target_ids, take_seen(batch_rows), split.interactions.num_items, negative_seed
            )
            # Who had every item has no negatives.
            target_ids = tf.where(batch["negative_ids"] == PADDING_ID, PADDING_ID, target_ids)
        batch |= {
            "users": tf.gather(users, batch_rows),
            "target_ids": target_ids,
            "target_weights": tf.where(target_ids != PADDING_ID, target_weight, 0.0),
        }
        if sampler:
            batch |= _samples(sampler, sampling, target_ids, sample_seed)
        if views:
            mask_id = PADDING_ID if views.masked_as_padding else MASK_ID
            pair = [draw_view(*_shape(whole), views, view_seed) for view_seed in view_seeds]
            batch |= _versions("view", whole, pair, mask_id)
        if futures:
            pair = draw_past_and_future(*_shape(whole), batch_seed)
            batch |= _versions("future", whole, pair, MASK_ID)
        return batch

    return epochs_of_batches(lengths, batch_size, assemble, seed, first_epoch, share)


def _samples(
    sampler: ItemSampler, sampling: Sampling, target_ids: tf.Tensor, seed: tf.Tensor
) -> dict[str, tf.Tensor]:
    """Items sampled for a whole batch, and how probable they were."""
    if sampling.kind == "in_batch":
        sampled_ids = tf.boolean_mask(target_ids, target_ids != PADDING_ID)
    else:
        sampled_ids = sampler.draw(sampling.num_samples, seed)
    log_probabilities = sampler.log_probabilities(sampled_ids)
    return {"sampled_ids": sampled_ids, "sampled_log_probabilities": log_probabilities}


def _shape(streams_of_batch: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
    """Lengths ``(batch,)`` of the sequences, and the width that they are padded to."""
    item_ids = streams_of_batch["item_ids"]
    return tf.math.count_nonzero(item_ids, axis=1, dtype=tf.int32), tf.shape(item_ids)[1]


def _versions(
    kind: str, whole: dict[str, tf.Tensor], drawn: Sequence[tuple[tf.Tensor, ...]], mask_id: int
) -> dict[str, tf.Tensor]:
    """Two versions of each stream ``(batch, 2, time)``: all alike, so that an item keeps its
    provider."""
    return {
        f"{kind}_{name}": tf.stack([apply_view(ids, *one, mask_id) for one in drawn], axis=1)
        for name, ids in whole.items()
    }


def evaluation_batches(
    split: Split,
    part: HeldOutPart,
    batch_size: int | None = None,
    max_length: int | None = None,
    filter_seen: bool = True,
    max_users: int | None = None,
    share: Share = WHOLE,
    model: ReadsBatches | None = None,
) -> tf.data.Dataset:
    """Batches for ``model.evaluate``: each held-out item once, in order of history length.

    Args:
        split: The log and what is held out.
        part: ``"valid"`` or ``"test"``.
        batch_size: Users in a batch. By default 512, or so many that their scores of all items
            take 256 MB.
        max_length: Only the last so many items of a history are used as input. Defaults to 50.
        filter_seen: Whether items of the whole visible history are taken out of the ranking.
        max_users: Of more held-out items, so many are drawn, always the same ones.
        share: Which rows of each batch this process wants, where several replicas train together;
            those of each replica are a batch then.
        model: What is evaluated: its ``max_length`` is the default then; without that, all items.

    Returns:
        A dataset of dicts of int32 tensors: ``item_ids`` and, where the log has providers,
        ``provider_ids`` ``(batch, time)``, ``target_ids`` ``(batch,)``, ``seen_ids``
        ``(batch, seen)``, distinct items, 0 = padding, ``users`` ``(batch,)``, the rows of
        the users in the log, -1 for those not trained on, and ``rows`` ``(batch,)``, those in the
        held-out part.

    Raises:
        ValueError: If there is no such part.

    Example:
    >>> from tf_iclrec import Interactions, leave_one_out
    >>> log = Interactions.from_sequences({"ann": ["tea", "jam", "tea", "egg"]})
    >>> [batch] = evaluation_batches(leave_one_out(log), "test")
    >>> log.items.decode(batch["item_ids"][0]).tolist(), log.items.decode(batch["target_ids"])[0]
    (['tea', 'jam', 'tea'], 'egg')
    >>> log.items.decode(batch["seen_ids"][0]).tolist()
    ['jam', 'tea']
    """
    if batch_size is None:
        batch_size = ranking_batch_size(split.interactions.num_items)
    max_length = _length(max_length, model, split)
    held_out = split.held_out(part)
    histories = held_out.histories
    take = streams(split.interactions, histories, max_length, share=share)
    take_seen = padded_rows(histories, distinct=True, share=share) if filter_seen else None
    targets = tf.constant(held_out.target_ids, tf.int32)
    users = tf.constant(split.trained_rows(held_out.users))
    order = _by_length(histories, sampled_rows(len(held_out.users), max_users))

    def assemble(rows: tf.Tensor) -> dict[str, tf.Tensor]:
        none = tf.zeros([tf.shape(rows)[0], 0], tf.int32)
        return take(rows) | {
            "target_ids": tf.gather(targets, rows),
            "seen_ids": take_seen(rows) if take_seen else none,
            "users": tf.gather(users, rows),
            "rows": rows,
        }

    return _batches_of(order, batch_size, assemble, share)


def sequence_batches(
    split: Split,
    batch_size: int = 1024,
    max_length: int | None = None,
    max_users: int | None = None,
    share: Share = WHOLE,
    model: ReadsBatches | None = None,
) -> tf.data.Dataset:
    """The training inputs of all users, without targets, for the E-step.

    Args:
        split: The log, of which the training part is used.
        batch_size: Users in a batch.
        max_length: Only the last so many items of a history are used. Defaults to 50.
        max_users: Of a log with more users, so many are drawn, always the same ones.
        share: Which rows of each batch this process wants, where several replicas train together;
            those of each replica are a batch then.
        model: What finds intents in them: its ``max_length`` is the default then.

    Returns:
        A dataset of dicts with ``item_ids`` and, where the log has providers,
        ``provider_ids`` ``(batch, time)`` int32, 0 = padding, ``users`` ``(batch,)`` and ``rows``
        ``(batch,)``, the numbers of the users among those of this dataset.

    Raises:
        UserError: If no user has two items in the training part.

    Example:
    >>> from tf_iclrec import Interactions, leave_one_out
    >>> log = Interactions.from_sequences({"ann": "abcd", "bob": "abcde", "cat": "abc"})
    >>> [batch] = sequence_batches(leave_one_out(log))
    >>> batch["users"].numpy().tolist(), batch["item_ids"].numpy().tolist()
    ([0, 1], [[0, 3], [3, 4]])
    """
    users = trainable_users(split)
    users = users[sampled_rows(len(users), max_users)]
    histories = split.train.rows(users).without_last()
    max_length = _length(max_length, model, split)
    return history_batches(split, users, histories, max_length, batch_size, share)


def history_batches(
    split: Split,
    users: np.ndarray,
    histories: Histories,
    max_length: int | None,
    batch_size: int = 1024,
    share: Share = WHOLE,
) -> tf.data.Dataset:
    """Any parts of the users' sequences, without targets, shortest first.

    Args:
        split: The log.
        users: ``(n,)`` rows of the users in the log.
        histories: ``n`` parts of their sequences.
        max_length: Only the last so many items of a history are used; None: all.
        batch_size: Users in a batch.
        share: As in `sequence_batches`.

    Returns:
        A dataset of dicts as that of `sequence_batches`, with ``rows`` ``(batch,)`` int32, the
        numbers of the histories.
    """
    take = streams(split.interactions, histories, max_length, share=share)
    order = _by_length(histories, np.arange(len(users), dtype=np.int32))
    users = tf.constant(users, tf.int32)
    return _batches_of(
        order,
        batch_size,
        lambda rows: take(rows) | {"users": tf.gather(users, rows), "rows": rows},
        share,
    )


def _length(max_length: int | None, model: ReadsBatches | None, split: Split) -> int | None:
    """What is given, or what the model reads: all, of one that does not say.

    Raises:
        UserError: If it is none, or the model has vectors of fewer items than there are.
    """
    known = getattr(getattr(model, "encoder", None), "vocabulary_size", None)
    needed = split.catalogue.vocabulary_size
    if known is not None and known < needed:
        raise UserError(
            f"The model's encoder is made for {known} internal ids, and this log has {needed}, "
            "special ones among them: make it with split.catalogue.vocabulary_size."
        )
    if max_length is None:
        return _MAX_LENGTH if model is None else getattr(model, "max_length", None)
    if max_length < 1:
        raise UserError(f"max_length must be at least 1, not {max_length}.")
    return max_length


def sampled_rows(rows: int, most: int | None) -> np.ndarray:
    """The numbers of all rows, or of as many as may be, always the same ones; ascending int32.

    Example:
    >>> sampled_rows(3, 5).tolist(), len(sampled_rows(100, 5))
    ([0, 1, 2], 5)
    """
    if most is None or rows <= most:
        return np.arange(rows, dtype=np.int32)
    drawn = np.random.default_rng(0).choice(rows, most, replace=False)
    return np.sort(drawn).astype(np.int32)


def ranking_batch_size(num_items: int) -> int:
    """Users whose scores of all items are held at a time: 512, or as many as take 256 MB.

    Example:
    >>> ranking_batch_size(12_000), ranking_batch_size(1_000_000)
    (512, 67)
    """
    return max(1, min(512, _MAX_SCORES // num_items))


def _by_length(histories: Histories, rows: np.ndarray) -> np.ndarray:
    """Row numbers, shortest histories first."""
    return rows[np.argsort(histories.lengths[rows], kind="stable")]


def _batches_of(rows: np.ndarray, batch_size: int, assemble, share: Share) -> tf.data.Dataset:
    batches = tf.data.Dataset.from_tensor_slices(rows).batch(batch_size)
    return prefetched(share.of(batches.map(assemble)))
