"""Rows against rows of another kind, with the rest of the batch as negatives."""

from keras import KerasTensor, ops

from tf_iclrec.objectives.objective import EXCLUDED


def others_of_group(group_ids: KerasTensor) -> KerasTensor:
    """Which rows are of the same group, each row itself left out.

    Args:
        group_ids: ``(N,)``, or ``(N, kinds)`` where the same group of one kind is enough.

    Returns:
        ``(N, N)`` bool.

    Example: rows 0 and 2 have the first kind in common, 1 and 2 the second.
    >>> others_of_group(ops.array([[7, 1], [8, 2], [7, 2]])).numpy().astype(int).tolist()
    [[0, 0, 1], [0, 0, 1], [1, 1, 0]]
    """
    rows = ops.shape(group_ids)[0]
    kinds = ops.reshape(group_ids, (rows, -1))
    same = ops.any(kinds[:, None] == kinds[None, :], axis=-1)
    return ops.logical_and(same, ops.logical_not(ops.eye(rows, dtype="bool")))


def in_batch_info_nce(
    anchors: KerasTensor,
    positives: KerasTensor,
    temperature: float = 1.0,
    group_ids: KerasTensor | None = None,
) -> KerasTensor:
    """InfoNCE from each anchor to its positive, with dot products.

    ``-log exp(a_u·p_u / τ) / Σ_v exp(a_u·p_v / τ)``: the negatives are the positives of the
    other rows; with ``group_ids``, rows of the same group are no negatives. Averaged over rows.

    Args:
        anchors: ``(N, dim)``.
        positives: ``(N, dim)``, row ``u`` belonging to anchor ``u``.
        temperature: ``τ``. Defaults to 1.
        group_ids: Optional ``(N,)`` or ``(N, kinds)`` int: see `others_of_group`.

    Returns:
        Scalar.

    Example: three rows, two of the same group; without similarity each picks among all three,
    or among those of different groups.
    >>> zeros = ops.zeros((3, 4))
    >>> round(float(in_batch_info_nce(zeros, zeros)), 4)
    1.0986
    >>> expected = (2 * 0.6931 + 1.0986) / 3
    >>> loss = float(in_batch_info_nce(zeros, zeros, group_ids=ops.array([7, 7, 2])))
    >>> abs(loss - expected) < 1e-3
    True
    """
    logits = ops.matmul(anchors, ops.transpose(positives)) / temperature
    if group_ids is not None:
        logits = ops.where(others_of_group(group_ids), EXCLUDED, logits)
    positive_logits = ops.sum(anchors * positives, axis=-1) / temperature
    return ops.mean(ops.logsumexp(logits, axis=1)) - ops.mean(positive_logits)
