"""Which items follow each other in histories, and how closely."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from tf_iclrec.data.histories import Histories
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS

if TYPE_CHECKING:
    from scipy import sparse


def followers(
    histories: Histories,
    size: int,
    window: int,
    weight_of: Callable[[int], float],
    dtype: type[np.floating] = np.float64,
) -> sparse.csr_array:
    """How often which item followed which, or which value of an attribute.

    Args:
        histories: One after the other in an array of their own.
        size: Ids, without the special ones, which follow nothing.
        window: Largest distance that counts.
        weight_of: What a pair counts at a distance, from 1 on.
        dtype: In which the weights are added up.

    Returns:
        ``(size, size)``: row ``i``, column ``j`` for ``j`` after ``i``.

    Example: one history of two items.
    >>> ab = Histories(np.array([3, 4]), np.array([0]), np.array([2]))
    >>> followers(ab, size=2, window=1, weight_of=lambda distance: 1 / distance).toarray().tolist()
    [[0.0, 1.0], [0.0, 0.0]]
    """
    from scipy import sparse  # Here, because not every training needs it.

    ids = histories.item_ids - NUM_SPECIAL_IDS
    owners = histories.owners
    found = sparse.csr_array((size, size), dtype=dtype)
    for distance in range(1, min(window, histories.lengths.max(initial=1) - 1) + 1):
        first, second = ids[:-distance], ids[distance:]
        counts = owners[distance:] == owners[:-distance]
        counts &= np.minimum(first, second) >= 0
        pairs = first[counts], second[counts]
        weights = np.full(len(pairs[0]), weight_of(distance), dtype)
        found = found + sparse.coo_array((weights, pairs), found.shape).tocsr()
    return found
