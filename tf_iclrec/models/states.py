"""What a model takes from an encoder: hidden states, what contrasts compare, what is clustered."""

from collections.abc import Sequence
from typing import NamedTuple

import keras
import tensorflow as tf
from keras import KerasTensor, ops

from tf_iclrec.layers.masks import at_right_end, masked_mean, valid_mask, weighted_mean

Inputs = dict[str, KerasTensor]


class Parts(NamedTuple):
    """What a training step encodes in one call: sequences, and what objectives want of them beside.

    Attributes:
        own: ``(batch, ...)`` of the sequences themselves.
        futures: The same of the first part of each, cut at random, and of the rest in reverse; or
            nothing.
        views: The same of two views; or nothing.
    """

    own: tf.Tensor
    futures: tuple[tf.Tensor, ...] = ()
    views: tuple[tf.Tensor, ...] = ()

    @classmethod
    def of(cls, batch: Inputs, name: str, futures: bool, views: bool) -> "Parts":
        """A stream of a batch with its futures and views, if they are wanted."""

        def pair(kind: str, wanted: bool) -> tuple[tf.Tensor, ...]:
            return tuple(tf.unstack(batch[f"{kind}_{name}"], 2, axis=1)) if wanted else ()

        return cls(batch[name], pair("future", futures), pair("view", views))

    def each(self) -> list[tf.Tensor]:
        """All of them, in order."""
        return [self.own, *self.futures, *self.views]

    def apart(self, values: tf.Tensor) -> "Parts":
        """Values ``(len(each) * batch, ...)``, those of all parts along the batch."""
        return tf.nest.pack_sequence_as(self, tf.split(values, len(self.each())))


def side_by_side(streams: Sequence[KerasTensor]) -> KerasTensor:
    """What there is of each stream, ``(..., dim)``, as one tensor ``(..., streams * dim)``."""
    return streams[0] if len(streams) == 1 else ops.concatenate(streams, axis=-1)


def hidden_states(encoder: keras.layers.Layer, inputs: Inputs, training: bool) -> KerasTensor:
    """Hidden states of all streams of an encoder side by side, ``(batch, time, dim)``.

    Raises:
        ValueError: If an encoder of one's own gives something else.
    """
    streams = encoder(inputs, training=training)
    states = streams if encoder.num_streams == 1 else side_by_side(streams)
    if len(states.shape) != 3 or states.shape[-1] != encoder.state_dim:
        raise ValueError(
            f"{type(encoder).__name__} gives states of the shape {tuple(states.shape)}, and "
            f"(batch, time, {encoder.state_dim}) is expected: a vector of the width of its item "
            "vectors at each position."
        )
    return states


def without_question(inputs: Inputs, asked: Inputs) -> Inputs:
    """Sequences as ``asked`` by `Encoder.ask_next`, the position that asks, the last, as padding:
    in training there is none."""
    if asked is inputs:
        return inputs
    ids = asked["item_ids"]
    return asked | {"item_ids": tf.pad(ids[:, :-1], [[0, 0], [0, 1]])}


def mean_states(
    encoder: keras.layers.Layer, inputs: Inputs, hidden: KerasTensor, training: bool
) -> KerasTensor:
    """The mean state of each sequence, ``(batch, dim)``: of its hidden states, or of all places
    where padded ones take part."""
    valid = valid_mask(inputs["item_ids"])
    if not encoder.padding_places:
        return masked_mean(hidden, valid)
    moved = at_right_end(inputs["item_ids"], valid, tf.shape(valid)[1])
    return weighted_mean(*encoder.encode_whole(inputs | {"item_ids": moved}, training))


def training_states(
    encoder: keras.layers.Layer, inputs: Inputs
) -> tuple[KerasTensor, KerasTensor, KerasTensor]:
    """All that a training step needs of sequences that are padded on the left, in one call.

    Returns:
        The hidden states ``(batch, time, dim)``; the states that contrasts compare, ``(batch,
        places, dim)``, whose product with another sequence's counts each as often as the places it
        stands for; and the mean of these places ``(batch, dim)``.
    """
    valid = valid_mask(inputs["item_ids"])
    if not encoder.padding_places:
        hidden = hidden_states(encoder, inputs, training=True)
        return hidden, hidden, masked_mean(hidden, valid)
    whole, weights = encoder.encode_whole(inputs, training=True)
    time = tf.shape(valid)[1]
    hidden = tf.split(whole, [tf.shape(whole)[1] - time, time], axis=1)[1]
    hidden *= ops.cast(valid, hidden.dtype)[..., None]
    compared = whole * ops.cast(ops.sqrt(weights), whole.dtype)[..., None]
    return hidden, compared, weighted_mean(whole, weights)
