"""What a training shows of a sequence, and what it asks."""

import dataclasses
from typing import ClassVar

import numpy as np
import tensorflow as tf

from tf_iclrec.data.histories import Histories
from tf_iclrec.data.vocabulary import MASK_ID, PADDING_ID

Inputs = dict[str, tf.Tensor]


@dataclasses.dataclass(frozen=True)
class Task:
    """Turns the training part of sequences into inputs and, at some positions, targets.

    Attributes:
        min_length: Items that a sequence needs.
        lead: Items at the beginning of a sequence that are seen and never asked for.
    """

    min_length: ClassVar[int] = 2
    lead: ClassVar[int] = 0

    def inputs(self, histories: Histories) -> Histories:
        """What an encoder may see."""
        return histories

    def targets(self, histories: Histories) -> Histories:
        """The items asked for, position by position of `inputs`."""
        return histories

    def num_targets(self, lengths: np.ndarray) -> np.ndarray:
        """How many targets sequences with so many input positions have, on average."""
        return lengths

    def asked(
        self, inputs: Inputs, target_ids: tf.Tensor, seed: tf.Tensor
    ) -> tuple[Inputs, tf.Tensor]:
        """A batch as it is asked.

        Args:
            inputs: Ids ``(batch, time)`` int32 of each stream, by name, padded with 0 on the left.
            target_ids: ``(batch, time)`` int32.
            seed: ``(2,)`` integer seed.

        Returns:
            The inputs, and the targets, 0 where nothing is asked.
        """
        return inputs, target_ids


@dataclasses.dataclass(frozen=True)
class NextItem(Task):
    """At each position the next item, from what came before: one prediction per prefix."""

    lead = 1

    def inputs(self, histories: Histories) -> Histories:
        return histories.without_last()

    def targets(self, histories: Histories) -> Histories:
        return histories.without_first()


@dataclasses.dataclass(frozen=True)
class OwnItems(Task):
    """At each position the item that stands there: for models that see the user, not the
    sequence."""

    min_length = 1


@dataclasses.dataclass(frozen=True)
class Cloze(Task):
    """Some items are masked, and asked for from both sides (BERT4Rec Sec. 3.6).

    Each item is masked with probability ``ratio``, one at least. That the last item is asked for
    when a model is used is trained as well: of some sequences only that is masked.

    Attributes:
        ratio: Share of masked items.
        last_only: Share of the sequences whose last item alone is masked.

    Example:
    >>> ids = tf.constant([[0, 7, 8, 9]])
    >>> inputs, targets = Cloze(0.5, last_only=1.0).asked({"item_ids": ids}, ids, [0, 1])
    >>> inputs["item_ids"].numpy().tolist(), targets.numpy().tolist()
    ([[0, 7, 8, 2]], [[0, 0, 0, 9]])
    """

    ratio: float = 0.2
    last_only: float = 0.1

    def num_targets(self, lengths: np.ndarray) -> np.ndarray:
        masked = self.ratio * lengths + (1 - self.ratio) ** lengths
        return (1 - self.last_only) * masked + self.last_only

    def asked(
        self, inputs: Inputs, target_ids: tf.Tensor, seed: tf.Tensor
    ) -> tuple[Inputs, tf.Tensor]:
        noise_seed, last_seed = tf.unstack(tf.random.split(seed, 2))
        shape = tf.shape(target_ids)
        is_real = target_ids != PADDING_ID
        noise = tf.where(is_real, tf.random.stateless_uniform(shape, noise_seed), 2.0)
        # The item with the least noise is masked in any case.
        masked = (noise < self.ratio) | (noise == tf.reduce_min(noise, axis=1, keepdims=True))
        is_last = tf.range(shape[1])[tf.newaxis] == shape[1] - 1
        last_only = tf.random.stateless_uniform([shape[0], 1], last_seed) < self.last_only
        masked = tf.where(last_only, is_last, masked) & is_real
        shown = {name: tf.where(masked, MASK_ID, ids) for name, ids in inputs.items()}
        return shown, tf.where(masked, target_ids, PADDING_ID)
