"""What losses over sampled items share: which items are drawn, and the vectors of a batch."""

from typing import Annotated, NamedTuple

import tensorflow as tf
from keras import KerasTensor, ops

from tf_iclrec.data.item_sampler import HowSampled, Sampling
from tf_iclrec.objectives.objective import EncodedBatch, Objective
from tf_iclrec.settings import Setting, checked

SamplingKind = Annotated[HowSampled, Setting("which items a batch samples", option="sampling")]
NumSamples = Annotated[int, Setting("items drawn for a batch", at_least=1, option="num_samples")]


class Sampled(NamedTuple):
    """Real positions of a batch beside the items that it samples.

    Attributes:
        hidden: ``(positions, dim)`` float32 hidden states.
        target_vectors: ``(positions, dim)`` float32 vectors of the next items.
        target_ids: ``(positions,)`` int32.
        vectors: ``(samples, dim)`` float32 vectors of the sampled items.
        ids: ``(samples,)`` int32.
    """

    hidden: KerasTensor
    target_vectors: KerasTensor
    target_ids: KerasTensor
    vectors: KerasTensor
    ids: KerasTensor


class SampledObjective(Objective):
    """A loss of the next item over samples, the same for all positions of a batch.

    Args:
        weight: Factor of the term in the total loss. Defaults to 1.
        kind: Which items are sampled: ``"uniform"`` or ``"popularity"`` (by their number of
            interactions in the training data), drawn anew for each batch, or ``"in_batch"``,
            the next items of all positions. Defaults to ``"popularity"``.
        num_samples: Items drawn for a batch. Defaults to 1024.

    Raises:
        ValueError: If ``kind`` is something else.
    """

    name = "next_item"

    @checked
    def __init__(
        self,
        weight: float = 1.0,
        kind: SamplingKind = "popularity",
        num_samples: NumSamples = 1024,
    ):
        super().__init__(weight)
        self.kind = kind
        self.num_samples = num_samples
        self.sampling = Sampling(kind, num_samples)

    def sampled(self, encoded: EncodedBatch) -> Sampled:
        """What the loss is of."""
        target_ids = tf.boolean_mask(encoded.target_ids, encoded.real)
        return Sampled(
            ops.cast(tf.boolean_mask(encoded.hidden, encoded.real), "float32"),
            ops.cast(encoded.item_vectors(target_ids), "float32"),
            target_ids,
            ops.cast(encoded.item_vectors(encoded.sampled_ids), "float32"),
            encoded.sampled_ids,
        )

    def get_config(self):
        return super().get_config() | {"kind": self.kind, "num_samples": self.num_samples}
