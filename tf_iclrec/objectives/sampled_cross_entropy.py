"""Next item against one sampled item (ICLRec Eq. 2-3)."""

import keras
from keras import KerasTensor, ops

from tf_iclrec.objectives.objective import EncodedBatch, Objective


def sampled_binary_cross_entropy(
    hidden: KerasTensor, positive: KerasTensor, negative: KerasTensor
) -> KerasTensor:
    """``-log σ(h·s⁺) - log(1 - σ(h·s⁻))`` for each position.

    Args:
        hidden: ``(positions, dim)`` hidden states.
        positive: ``(positions, dim)`` vectors of the next items.
        negative: ``(positions, dim)`` vectors of items that were not chosen.

    Returns:
        ``(positions,)``.

    Example: without any preference the loss is 2 ln 2.
    >>> zeros = ops.zeros((1, 4))
    >>> round(float(sampled_binary_cross_entropy(zeros, zeros, zeros)[0]), 4)
    1.3863
    """
    positive_logits = ops.sum(hidden * positive, axis=-1)
    negative_logits = ops.sum(hidden * negative, axis=-1)
    return ops.softplus(-positive_logits) + ops.softplus(negative_logits)


@keras.saving.register_keras_serializable("tf_iclrec")
class SampledCrossEntropy(Objective):
    """Binary cross-entropy with one uniformly drawn negative per real position.

    Example: the model gives the next item 3/4, the one that was drawn 1/2.
    >>> vectors = ops.array([[0.0], [0.0], [0.0], [1.0], [0.0]])
    >>> batch = EncodedBatch(
    ...     hidden=ops.log([[[3.0]]]), target_ids=ops.array([[3]]), negative_ids=ops.array([[4]]),
    ...     item_vectors=lambda ids: ops.take(vectors, ids, axis=0))
    >>> round(float(ops.exp(-SampledCrossEntropy()(batch))), 4)  # 3/4 · (1 - 1/2)
    0.375
    """

    name = "next_item"
    needs_negatives = True

    def __call__(self, encoded: EncodedBatch) -> KerasTensor:
        losses = sampled_binary_cross_entropy(*encoded.chosen_and_not())
        return ops.sum(losses * encoded.position_weights())
