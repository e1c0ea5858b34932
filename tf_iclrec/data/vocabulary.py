"""Raw ids outside, dense integers inside.

Ids 0, 1 and 2 mean padding, unknown and mask in every stream; the vocabulary follows. This is
the only place that knows the translation, so users of the library never see an internal id.
"""

from collections.abc import Sequence

import numpy as np

PADDING_ID = 0
UNKNOWN_ID = 1
MASK_ID = 2
NUM_SPECIAL_IDS = 3


class Vocabulary:
    """A fixed, ordered set of raw ids.

    Args:
        ids: Raw ids, each once, as strings. Entry ``i`` gets the internal id ``i + 3``.

    Raises:
        ValueError: If an id occurs twice.

    Example:
    >>> vocabulary = Vocabulary(["soap", "comb"])
    >>> vocabulary.encode(["comb", "soap", "kayak"]).tolist()
    [4, 3, 1]
    >>> vocabulary.decode([4, 3]).tolist()
    ['comb', 'soap']
    >>> len(vocabulary), vocabulary.size
    (2, 5)
    """

    def __init__(self, ids: Sequence[str]):
        import pandas as pd  # Here, because it takes longer to load than the rest.

        self.ids = np.asarray(ids, dtype=object)
        self._index = pd.Index(self.ids)
        if not self._index.is_unique:
            repeated = self._index[self._index.duplicated()][0]
            raise ValueError(f"The id {repeated!r} occurs more than once in the vocabulary.")

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def size(self) -> int:
        """Number of internal ids: the raw ids and the three special ones."""
        return len(self.ids) + NUM_SPECIAL_IDS

    @property
    def raw_ids(self) -> np.ndarray:
        """``(size,)`` raw ids by internal id, ``""`` for the special ones; an object array.

        Example:
        >>> Vocabulary(["soap"]).raw_ids.tolist()
        ['', '', '', 'soap']
        """
        return np.concatenate([np.full(NUM_SPECIAL_IDS, "", dtype=object), self.ids])

    def encode(self, raw: Sequence[str]) -> np.ndarray:
        """Raw ids to internal ids, int32; an id outside the vocabulary becomes 1 (unknown)."""
        position = self._index.get_indexer(np.asarray(raw, dtype=object))
        return np.where(position < 0, UNKNOWN_ID, position + NUM_SPECIAL_IDS).astype(np.int32)

    def decode(self, internal: Sequence[int]) -> np.ndarray:
        """Internal ids (3 and above) to raw ids, an object array of strings.

        Raises:
            ValueError: If an id is one of the special ones.
        """
        position = np.asarray(internal, dtype=np.int64) - NUM_SPECIAL_IDS
        if position.size and position.min() < 0:
            raise ValueError("The ids 0, 1 and 2 (padding, unknown, mask) have no raw form.")
        return self.ids[position]
