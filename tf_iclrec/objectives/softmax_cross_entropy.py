"""Next item against the whole catalogue (IPSRec Eq. 5-6)."""

import keras
import tensorflow as tf
from keras import KerasTensor, ops

from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS
from tf_iclrec.objectives.objective import EncodedBatch, Objective


def softmax_cross_entropy(
    hidden: KerasTensor, item_vectors: KerasTensor, targets: KerasTensor
) -> KerasTensor:
    """``-log softmax(h Eᵀ)[target]`` for each position.

    Args:
        hidden: ``(positions, dim)`` hidden states.
        item_vectors: ``(items, dim)`` vectors of the catalogue.
        targets: ``(positions,)`` int32 rows of ``item_vectors``.

    Returns:
        ``(positions,)``.

    Example: without any preference among four items the loss is ln 4.
    >>> losses = softmax_cross_entropy(ops.zeros((2, 2)), ops.ones((4, 2)), ops.array([0, 3]))
    >>> round(float(losses[0]), 4)
    1.3863
    """
    logits = ops.matmul(hidden, ops.transpose(item_vectors))
    return tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)


@keras.saving.register_keras_serializable("tf_iclrec")
class SoftmaxCrossEntropy(Objective):
    """Full softmax at every real position; padded positions cost nothing."""

    name = "next_item"

    def __call__(self, encoded: EncodedBatch) -> KerasTensor:
        hidden = ops.cast(tf.boolean_mask(encoded.hidden, encoded.real), "float32")
        targets = tf.boolean_mask(encoded.target_ids, encoded.real) - NUM_SPECIAL_IDS
        losses = softmax_cross_entropy(hidden, encoded.item_vectors(), targets)
        return encoded.reduce(losses)
