"""Two views of a sequence against the views of others: SeqCL (ICLRec Eq. 5-6)."""

import keras
from keras import KerasTensor, ops

from tf_iclrec.objectives.contrast import Contrast
from tf_iclrec.objectives.in_batch_info_nce import others_of_group
from tf_iclrec.objectives.objective import EXCLUDED, EncodedBatch


def two_view_info_nce(
    view_1: KerasTensor,
    view_2: KerasTensor,
    temperature: float = 1.0,
    group_ids: KerasTensor | None = None,
) -> KerasTensor:
    """InfoNCE over two views of the same rows, with dot products.

    For each of the ``2N`` views the positive is the other view of its row; the views of all
    other rows are negatives, except those of the same group. Averaged over the ``2N`` anchors.

    Args:
        view_1: ``(N, dim)``.
        view_2: ``(N, dim)``.
        temperature: Divides the dot products. Defaults to 1.
        group_ids: Optional ``(N,)`` or ``(N, kinds)``; rows of the same group are no negatives to
            each other: see `others_of_group`.

    Returns:
        Scalar.

    Example: two rows without any similarity: each anchor picks one of three.
    >>> round(float(two_view_info_nce(ops.zeros((2, 4)), ops.zeros((2, 4)))), 4)
    1.0986
    """
    rows = ops.shape(view_1)[0]
    views = ops.concatenate([view_1, view_2], axis=0)
    logits = ops.matmul(views, ops.transpose(views)) / temperature
    excluded = ops.eye(2 * rows, dtype="bool")
    if group_ids is not None:
        excluded = ops.logical_or(excluded, ops.tile(others_of_group(group_ids), (2, 2)))
    logits = ops.where(excluded, EXCLUDED, logits)
    positive_logits = ops.sum(view_1 * view_2, axis=-1) / temperature
    return ops.mean(ops.logsumexp(logits, axis=1)) - ops.mean(positive_logits)


@keras.saving.register_keras_serializable("tf_iclrec")
class SequenceContrast(Contrast):
    """SeqCL: the hidden states of a whole view, one after the other, are its vector.

    Args:
        weight: ``beta`` of ICLRec Eq. 18. Defaults to 0.1.
        temperature: Divides the similarities. Defaults to 1.
        normalize: Whether to compare directions (cosine) in place of dot products. The dot
            products of long sequences are large; beside a softmax over the catalogue they
            take over the training. Defaults to False, as published.
        mitigate_false_negatives: Whether users of the same intent are left out of the
            negatives (with several numbers of intents: of the same first one).

    Example: two users, whose views are alike, or like those of the other.
    >>> views = ops.array([[[1.0, 0.0]], [[0.0, 1.0]]])
    >>> contrast = SequenceContrast(temperature=0.1)
    >>> for others in (views, views[::-1]):
    ...     batch = EncodedBatch(None, None, None, view_hidden=(views, others))
    ...     print(round(float(contrast(batch)), 3))
    0.0
    10.0
    """

    name = "sequence_contrast"
    prefix = "sequence_"
    title = "Sequence contrast (SeqCL)"
    needs_views = True

    def __call__(self, encoded: EncodedBatch) -> KerasTensor:
        views = [self._flatten(view) for view in encoded.view_hidden]
        return two_view_info_nce(*views, self.temperature, self.groups(encoded))

    def _flatten(self, view: KerasTensor) -> KerasTensor:
        time, dim = ops.shape(view)[1], view.shape[2]
        return self.compared(ops.reshape(view, (-1, time * dim)))
