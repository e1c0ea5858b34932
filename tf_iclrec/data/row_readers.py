"""Functions from row numbers to what is read of these rows, from memory or from a file."""

import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tf_iclrec.data.histories import Histories
from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.share import WHOLE, Share
from tf_iclrec.data.vocabulary import UNKNOWN_ID


def padded_rows(
    histories: Histories,
    max_length: int | None = None,
    least: int = 1,
    distinct: bool = False,
    share: Share = WHOLE,
) -> Callable[[tf.Tensor], tf.Tensor]:
    """A function from row numbers ``(batch,)`` to what `Histories.padded` makes of them.

    Only these rows are read, and of them only those of the share.
    """

    def read(rows: np.ndarray) -> np.ndarray:
        needed = None if share.all == 1 else share.needs(len(rows))
        return histories.padded(rows, max_length, least, distinct, needed)

    def take(rows: tf.Tensor) -> tf.Tensor:
        ids = tf.numpy_function(read, [rows], tf.int32, stateful=False)
        return tf.ensure_shape(ids, [None, None])

    return take


def streams(
    interactions: Interactions,
    histories: Histories,
    max_length: int | None,
    least: int = 1,
    share: Share = WHOLE,
) -> Callable[[tf.Tensor], dict[str, tf.Tensor]]:
    """A function as that of `padded_rows` for every stream that a model reads, by name."""
    take_items = padded_rows(histories, max_length, least, share=share)
    own = interactions.own_provider_ids
    if interactions.providers is None:
        return lambda rows: {"item_ids": take_items(rows)}
    of_items = tf.constant(interactions.providers.of_items)
    take_own = None
    if own is not None:
        own_histories = dataclasses.replace(histories, item_ids=own)
        take_own = padded_rows(own_histories, max_length, least, share=share)

    def take(rows: tf.Tensor) -> dict[str, tf.Tensor]:
        item_ids = take_items(rows)
        provider_ids = tf.gather(of_items, item_ids)
        if take_own:
            own_ids = take_own(rows)
            provider_ids = tf.where(own_ids == UNKNOWN_ID, provider_ids, own_ids)
        return {"item_ids": item_ids, "provider_ids": provider_ids}

    return take
