"""What a training step hands to its objectives, and what an objective is."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import ClassVar

import keras
import tensorflow as tf
from keras import KerasTensor, ops

from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.data.item_sampler import Sampling
from tf_iclrec.data.tasks import Task
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS

# The logit of what does not count in a softmax.
EXCLUDED = -1e9


@dataclasses.dataclass(frozen=True)
class EncodedBatch:
    """A batch after the encoder.

    Attributes:
        item_ids: ``(batch, time)`` int32 the sequences themselves.
        hidden: ``(batch, time, dim)`` hidden states of the sequences, zero where padded.
        target_ids: ``(batch, time)`` int32 next items, 0 where there is none.
        target_weights: ``(batch, time)`` float32 weights of the positions in a next-item loss,
            0 where there is no target; without them the real positions of a batch count
            alike, over all replicas.
        item_vectors: Output vectors: of given ids ``(...,)`` as ``(..., dim)``, or without
            argument of the whole catalogue ``(items, dim)``.
        negative_ids: ``(batch, time)`` int32, if an objective asked for it.
        sampled_ids: ``(samples,)`` int32 items sampled for the batch, if an objective asked
            for it; with ``sampled_log_probabilities`` ``(samples,)`` float32.
        own_vectors: ``(batch, dim)``, the hidden states of each sequence mean-pooled; where padded
            places take part, the states of all places.
        view_hidden: Hidden states of two views, each ``(batch, time, dim)`` and zero where
            padded; empty unless an objective asked for them. Where padded places take part, the
            states of all places, in proportion to the root of how many each stands for.
        view_vectors: The two views mean-pooled, each ``(batch, dim)``; likewise.
        queries: ``(batch, time, queries, dim)`` all vectors of a position that score items, the
            item's score being that of the best; ``hidden`` has the one that scores the target
            best. With an encoder of one vector per position, that.
        futures: The last state of the first part of each sequence, cut at random, and that of the
            rest in reverse, each ``(batch, queries, dim)``, if an objective asked for them.
        sides: The last state of each sequence's items and that of its providers, each
            ``(batch, dim)``, if an objective asked for them.
        intents: One pair (ids ``(batch,)``, unit prototypes ``(batch, dim)``) per number of
            intents, if an objective asked for it.
        intents_fitted: Scalar, 1.0 once an E-step has found intents, before 0.0.
        users: ``(batch,)`` int32 whose each sequence is, if the batch says so: several are of one
            user where histories are read in windows.
    """

    hidden: KerasTensor
    target_ids: KerasTensor
    item_vectors: Callable[..., KerasTensor]
    item_ids: KerasTensor | None = None
    target_weights: KerasTensor | None = None
    negative_ids: KerasTensor | None = None
    sampled_ids: KerasTensor | None = None
    sampled_log_probabilities: KerasTensor | None = None
    own_vectors: KerasTensor | None = None
    view_hidden: tuple[KerasTensor, ...] = ()
    view_vectors: tuple[KerasTensor, ...] = ()
    queries: KerasTensor | None = None
    futures: tuple[KerasTensor, KerasTensor] | None = None
    sides: tuple[KerasTensor, KerasTensor] | None = None
    intents: list[tuple[KerasTensor, KerasTensor]] | None = None
    intents_fitted: KerasTensor | None = None
    users: KerasTensor | None = None

    @property
    def real(self) -> KerasTensor:
        """``(batch, time)`` bool, true where there is a next item."""
        return self.target_ids >= NUM_SPECIAL_IDS

    def position_weights(self) -> KerasTensor:
        """Weights of the real positions ``(positions,)`` in a next-item loss, those given or
        all alike."""
        if self.target_weights is not None:
            return tf.boolean_mask(self.target_weights, self.real)
        count = tf.math.count_nonzero(self.real, dtype=tf.int32)
        total = count
        if num_replicas() > 1:
            total = tf.distribute.get_replica_context().all_reduce("SUM", count)
        return tf.fill([count], 1.0 / tf.cast(total, tf.float32))

    def chosen_and_not(self) -> tuple[KerasTensor, KerasTensor, KerasTensor]:
        """Of the real positions the hidden states, the vectors of the next items and those of the
        items that were not chosen, each ``(positions, dim)`` float32; for objectives that need
        negatives."""
        ids = tf.stack([self.target_ids, self.negative_ids], axis=-1)
        vectors = ops.cast(self.item_vectors(tf.boolean_mask(ids, self.real)), "float32")
        hidden = ops.cast(tf.boolean_mask(self.hidden, self.real), "float32")
        return hidden, vectors[:, 0], vectors[:, 1]

    def intent_groups(self) -> KerasTensor:
        """``(batch,)`` int32: users of the same intent (of the first number of intents) share
        a group; before the first E-step everyone has their own."""
        ids = self.intents[0][0]
        alone = ops.arange(ops.shape(ids)[0], dtype="int32")
        return ops.where(self.intents_fitted > 0, ops.cast(ids, "int32"), alone)


def num_replicas() -> int:
    """How many replicas share each batch: 1, but in a training over several.

    Example:
    >>> num_replicas()
    1
    """
    return tf.distribute.get_strategy().num_replicas_in_sync


class Objective:
    """A loss term with a weight.

    A subclass names the term (shown in progress bars and logs), says what it needs, and
    computes a scalar. Its arguments are attributes of the same name.

    Where replicas share a batch, each calls it on its own rows, and their losses are added up. One
    that is no sum over positions, because rows are compared with each other, says
    ``compares_rows``: it is given all rows then.

    Args:
        weight: Factor of the term in the total loss. Defaults to 1.

    Example: a term that keeps states short; a training adds it with its weight.
    >>> class ShortStates(Objective):
    ...     name = "short_states"
    ...     def __call__(self, encoded):
    ...         return ops.mean(ops.sum(ops.square(encoded.hidden), axis=-1))
    >>> states = ops.array([[[3.0, 4.0]]])
    >>> float(ShortStates(weight=0.1)(EncodedBatch(states, ops.array([[3]]), item_vectors=None)))
    25.0
    """

    name: ClassVar[str]
    needs_negatives: ClassVar[bool] = False
    sampling: Sampling | None = None
    needs_futures: ClassVar[bool] = False
    needs_views: bool = False
    needs_intents: bool = False
    needs_sides: ClassVar[bool] = False
    compares_rows: ClassVar[bool] = False
    # What an objective reads of items besides their ids.
    reads: ClassVar[tuple[str, ...]] = ()
    # Where an objective has weights of its own.
    layer: keras.layers.Layer | None = None

    def __init__(self, weight: float = 1.0):
        self.weight = weight

    def for_task(self, task: Task) -> "Objective":
        """This objective, or the one in its place for an encoder that is trained for a task.

        Args:
            task: The encoder's.
        """
        return self

    def build(self, catalogue: Catalogue, dim: int) -> None:
        """Make the weights of the objective, if it has any.

        Args:
            catalogue: Items, and what is known of them.
            dim: Width of the sequences' vectors.

        Raises:
            UserError: If it needs something that is not known of the items.
        """

    def __call__(self, encoded: EncodedBatch) -> KerasTensor:
        """The unweighted loss, a float32 scalar."""
        raise NotImplementedError

    def get_config(self) -> dict:
        return {"weight": self.weight}

    @classmethod
    def from_config(cls, config: dict) -> "Objective":
        return cls(**config)


def loss_of(objective: Objective, encoded: EncodedBatch) -> tf.Tensor:
    """What an objective says of a batch, float32 scalar.

    Raises:
        ValueError: If one of one's own gives something else.
    """
    loss = tf.convert_to_tensor(objective(encoded))
    if loss.shape.rank != 0 or loss.dtype != tf.float32:
        raise ValueError(
            f"{type(objective).__name__} gives a {loss.dtype.name} loss of the shape "
            f"{tuple(loss.shape)}, and one float32 number is expected, such as the mean over "
            "positions."
        )
    return loss


def check_together(objectives: Sequence[Objective]) -> None:
    """Make sure that one model can have all of these.

    Raises:
        ValueError: If two have one name, which would hide one in the logs, or want other samples of
            items, of which a batch has one kind.
    """
    names = [term.name for term in objectives]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"Two objectives are called {name!r}: give one another `name`.")
    samplings = [term.sampling for term in objectives if term.sampling]
    if len({*map(repr, samplings)}) > 1:
        raise ValueError(f"Batches have one kind of sampled items, objectives want {samplings}.")
