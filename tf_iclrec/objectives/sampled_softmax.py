"""Next item against some items, for catalogues too large for the full softmax."""

import keras
import tensorflow as tf
from keras import KerasTensor, ops

from tf_iclrec.objectives.objective import EXCLUDED, EncodedBatch
from tf_iclrec.objectives.sampled_items import SampledObjective


def sampled_softmax_cross_entropy(
    hidden: KerasTensor,
    target_vectors: KerasTensor,
    target_ids: KerasTensor,
    sampled_vectors: KerasTensor,
    sampled_ids: KerasTensor,
    sampled_log_counts: KerasTensor,
) -> KerasTensor:
    """Softmax over the target and sampled items.

    The score of a sample is lowered by the logarithm of how often it is expected among the
    samples, and a sample that is the target itself does not count: the sum over samples then
    estimates the sum over all items but the target without bias. The target, which is there
    for certain, is not corrected (Khrylchenko et al., RecSys 2025).

    Args:
        hidden: ``(positions, dim)`` hidden states.
        target_vectors: ``(positions, dim)`` vectors of the next items.
        target_ids: ``(positions,)`` int32.
        sampled_vectors: ``(samples, dim)`` vectors of the sampled items, for all positions.
        sampled_ids: ``(samples,)`` int32.
        sampled_log_counts: ``(samples,)`` float32 logarithms of the expected numbers.

    Returns:
        ``(positions,)``.

    Example: no preference, two samples of which one is the target.
    >>> loss = sampled_softmax_cross_entropy(
    ...     ops.zeros((1, 2)), ops.ones((1, 2)), ops.array([7]),
    ...     ops.ones((2, 2)), ops.array([7, 8]), ops.zeros(2))
    >>> round(float(loss[0]), 4)
    0.6931
    """
    own = ops.sum(hidden * target_vectors, axis=-1)
    others = ops.matmul(hidden, ops.transpose(sampled_vectors)) - sampled_log_counts
    is_target = ops.equal(target_ids[:, None], sampled_ids[None])
    others = ops.where(is_target, EXCLUDED, others)
    logits = ops.concatenate([own[:, None], others], axis=1)
    return ops.logsumexp(logits, axis=1) - own


@keras.saving.register_keras_serializable("tf_iclrec")
class SampledSoftmaxCrossEntropy(SampledObjective):
    """Softmax over samples; see `sampled_softmax_cross_entropy`.

    Args:
        weight: Factor of the term in the total loss. Defaults to 1.
        kind: Which items are sampled; see `SampledObjective`. Defaults to ``"popularity"``.
        num_samples: Items drawn for a batch. Defaults to 1024.

    Example: no preference; each of two samples stands for 50 of 100 items that are as likely.
    >>> batch = EncodedBatch(
    ...     hidden=ops.zeros((1, 1, 2)), target_ids=ops.array([[3]]),
    ...     item_vectors=lambda ids: ops.ones((*ids.shape, 2)), sampled_ids=ops.array([4, 5]),
    ...     sampled_log_probabilities=ops.log([0.01, 0.01]))
    >>> loss = SampledSoftmaxCrossEntropy(kind="uniform", num_samples=2)(batch)
    >>> round(float(ops.exp(loss)), 2)  # One of 1 + 2 · 50.
    101.0
    """

    def __call__(self, encoded: EncodedBatch) -> KerasTensor:
        num_samples = tf.cast(tf.size(encoded.sampled_ids), "float32")
        log_counts = encoded.sampled_log_probabilities + tf.math.log(num_samples)
        losses = sampled_softmax_cross_entropy(*self.sampled(encoded), log_counts)
        return ops.sum(losses * encoded.position_weights())
