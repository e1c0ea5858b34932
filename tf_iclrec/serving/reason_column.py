"""Reasons as a column of an Arrow table."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tf_iclrec.errors import UserError
from tf_iclrec.settings import is_whole

if TYPE_CHECKING:
    import pyarrow as pa

# The most reasons for an item: nobody reads as many, and each takes memory for every item.
MOST_REASONS = 1000


class FoundReasons(NamedTuple):
    """Reasons for recommended items, by raw ids.

    Attributes:
        item_ids: Those of the reasons, as they stand in ``drops`` where it is above 0.
        drops: ``(users, k, most)`` float32, 0 where there is no reason.
        intents: ``(users, k, most)`` int32, -1 = none in common.
        providers: As ``item_ids``; null = none in common.
    """

    item_ids: pa.Array
    drops: np.ndarray
    intents: np.ndarray
    providers: pa.Array

    def column(self, found: np.ndarray) -> pa.Array:
        """A list of reasons for each item found.

        Args:
            found: ``(users, k)`` bool.

        Returns:
            ``list<struct<item_id: string, drop: float, intent: int32, provider: string>>``, the
            strongest reason first; ``intent`` and ``provider`` are null where the reason and the
            item have none in common.

        Example:
        >>> import pyarrow as pa
        >>> drops = np.array([[[0.5, 0.25], [0.0, 0.0]]], dtype="float32")
        >>> reasons = FoundReasons(
        ...     pa.array(["tea", "jam"]), drops, np.array([[[7, -1], [-1, -1]]], dtype="int32"),
        ...     pa.array(["acme", None]))
        >>> reasons.column(np.array([[True, True]])).to_pylist()[0][1]
        {'item_id': 'jam', 'drop': 0.25, 'intent': None, 'provider': None}
        """
        import pyarrow as pa

        is_reason = self.drops > 0
        intents = self.intents[is_reason]
        reasons = pa.StructArray.from_arrays(
            [
                self.item_ids.cast(pa.string()),
                pa.array(self.drops[is_reason], pa.float32()),
                pa.array(intents, pa.int32(), mask=intents < 0),
                self.providers.cast(pa.string()),
            ],
            ["item_id", "drop", "intent", "provider"],
        )
        offsets = np.append(0, np.cumsum(is_reason.sum(axis=2)[found]))
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), reasons)


def check_because(because: int) -> None:
    """Make sure that so many reasons can be asked for.

    Raises:
        UserError: If it is no whole number, negative or above `MOST_REASONS`.
    """
    if not (is_whole(because) and 0 <= because <= MOST_REASONS):
        raise UserError(
            f"because must be 0, for no reasons, or how many, at most {MOST_REASONS}, "
            f"not {because}."
        )
