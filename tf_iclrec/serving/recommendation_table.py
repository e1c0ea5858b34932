"""Recommendations as rows of an Arrow table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tf_iclrec.serving.reason_column import FoundReasons

if TYPE_CHECKING:
    import pyarrow as pa


def recommendation_table(
    user_ids: pa.Array,
    item_ids: pa.Array,
    scores: np.ndarray,
    from_popularity: np.ndarray,
    reasons: FoundReasons | None = None,
) -> pa.Table:
    """A row per user and recommended item, in the columns of `tf_iclrec.recommend`.

    Args:
        user_ids: ``(users,)`` how to name them.
        item_ids: Raw ids of the items found, user after user, the best first.
        scores: ``(users, k)`` float32, minus infinity where no item was found.
        from_popularity: ``(users,)`` bool.
        reasons: For the column ``because``; none by default.

    Example:
    >>> import pyarrow as pa
    >>> scores = np.array([[3.0, -np.inf], [2.0, 1.0]], dtype="float32")
    >>> popular = np.array([False, True])
    >>> table = recommendation_table(
    ...     pa.array(["ann", "bob"]), pa.array(["tea", "jam", "tea"]), scores, popular)
    >>> table["user_id"].to_pylist(), table["rank"].to_pylist()
    (['ann', 'bob', 'bob'], [1, 1, 2])
    """
    import pyarrow as pa

    found = np.isfinite(scores)
    user_rows, ranks = np.nonzero(found)
    columns = {
        "user_id": user_ids.take(pa.array(user_rows)),
        "item_id": item_ids,
        "score": scores[found],
        "rank": (ranks + 1).astype(np.int32),
        "from_popularity": from_popularity[user_rows],
    }
    if reasons is not None:
        columns["because"] = reasons.column(found)
    return pa.table(columns)
