"""The next item before the best of some sampled items (BPR-max)."""

from typing import Annotated

import keras
from keras import KerasTensor, ops

from tf_iclrec.objectives.objective import EXCLUDED, EncodedBatch
from tf_iclrec.objectives.sampled_items import NumSamples, SampledObjective, SamplingKind
from tf_iclrec.settings import Setting, checked


def bpr_max_loss(
    hidden: KerasTensor,
    target_vectors: KerasTensor,
    target_ids: KerasTensor,
    sampled_vectors: KerasTensor,
    sampled_ids: KerasTensor,
    regularization: float = 1.0,
) -> KerasTensor:
    """``-log Σ_j s_j σ(r - r_j) + λ Σ_j s_j r_j²`` with ``s = softmax(r_j)`` over the samples.

    The scores are ``r`` of the target and ``r_j`` of the samples. ``s_j`` is near 1 for the sample
    with the highest score alone, so that the gradient doesn't vanish when the others are far below
    the target (Hidasi and Karatzoglou, CIKM 2018, Sec. 3.3).

    A sample that is the target itself does not count; without any other the loss is 0.

    Args:
        hidden: ``(positions, dim)`` hidden states.
        target_vectors: ``(positions, dim)`` vectors of the next items.
        target_ids: ``(positions,)`` int32.
        sampled_vectors: ``(samples, dim)`` vectors of the sampled items, for all positions.
        sampled_ids: ``(samples,)`` int32.
        regularization: ``λ``, which keeps the scores of the samples near 0. Defaults to 1.

    Returns:
        ``(positions,)``.

    Example: no preference, two samples of which one is the target.
    >>> loss = bpr_max_loss(
    ...     ops.zeros((1, 2)), ops.ones((1, 2)), ops.array([7]),
    ...     ops.ones((2, 2)), ops.array([7, 8]))
    >>> round(float(loss[0]), 4)
    0.6931
    """
    own = ops.sum(hidden * target_vectors, axis=-1, keepdims=True)
    others = ops.matmul(hidden, ops.transpose(sampled_vectors))
    counts = ops.not_equal(target_ids[:, None], sampled_ids[None])
    logits = ops.where(counts, others, EXCLUDED)
    total = ops.logsumexp(logits, axis=1)
    # Logarithms, so that a target far below all samples has a gradient as well.
    ranked = ops.logsumexp(logits - ops.softplus(others - own), axis=1)
    penalty = ops.sum(ops.softmax(logits, axis=1) * ops.square(others), axis=1)
    losses = total - ranked + regularization * penalty
    return ops.where(ops.any(counts, axis=1), losses, 0.0)


@keras.saving.register_keras_serializable("tf_iclrec")
class BprMax(SampledObjective):
    """BPR-max over samples; see `bpr_max_loss`.

    Args:
        weight: Factor of the term in the total loss. Defaults to 1.
        kind: Which items are sampled; see `SampledObjective`. Defaults to ``"popularity"``.
        num_samples: Items drawn for a batch. Defaults to 1024.
        regularization: Factor ``λ`` of the squared scores of the samples. Defaults to 1.
    """

    @checked
    def __init__(
        self,
        weight: float = 1.0,
        kind: SamplingKind = "popularity",
        num_samples: NumSamples = 1024,
        regularization: Annotated[
            float,
            Setting(
                "factor of the squared scores of sampled items",
                at_least=0,
                option="bpr_max_regularization",
            ),
        ] = 1.0,
    ):
        super().__init__(weight, kind, num_samples)
        self.regularization = regularization

    def __call__(self, encoded: EncodedBatch) -> KerasTensor:
        losses = bpr_max_loss(*self.sampled(encoded), self.regularization)
        return ops.sum(losses * encoded.position_weights())

    def get_config(self):
        return super().get_config() | {"regularization": self.regularization}
