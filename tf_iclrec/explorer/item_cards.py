"""Items as the page shows them."""

from collections.abc import Iterable, Sequence

import numpy as np

from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS
from tf_iclrec.errors import UserError


class ItemCards:
    """What people see of items, by their rows in the catalogue.

    A card is a dict: ``id``, ``title`` (``""`` = none), ``count`` of interactions in the training
    data, and ``known``, the values of providers, attributes and labels by name.

    Args:
        log: The log with its items.
        counts: ``(items,)`` interactions of each in the training data.

    Call arguments:
        rows: ``(n,)`` rows of the catalogue.

    Example:
    >>> log = Interactions.from_sequences({"ann": ["tea", "jam"]})
    >>> log = log.with_item_label("title", {"tea": "Green tea"})
    >>> cards = ItemCards(log.with_item_providers({"tea": "acme"}), np.array([0, 1]))
    >>> cards(cards.rows_of(["tea"]))
    [{'id': 'tea', 'title': 'Green tea', 'count': 1, 'known': {'provider': 'acme'}}]
    """

    def __init__(self, log: Interactions, counts: np.ndarray):
        self._items = log.items
        self.ids = log.items.ids
        self.titles = log.titles
        if self.titles is None:
            self.titles = np.full(log.num_items, "", dtype=object)
        self.counts = np.asarray(counts, dtype=np.int64)
        self._known = log.known_of_items

    def rows_of(self, ids: Iterable[str]) -> np.ndarray:
        """Rows ``(n,)`` of raw ids.

        Raises:
            UserError: If one is unknown.
        """
        ids = list(ids)
        rows = self._items.encode(ids) - NUM_SPECIAL_IDS
        if (rows < 0).any():
            raise UserError(f"Item {ids[int((rows < 0).argmax())]!r} is not in the data.")
        return rows

    def __call__(self, rows: Sequence[int]) -> list[dict]:
        return [
            {
                "id": self.ids[row],
                "title": self.titles[row],
                "count": int(self.counts[row]),
                "known": self._known_of(row),
            }
            for row in rows
        ]

    def _known_of(self, row: int) -> dict[str, str]:
        values = {name: one.value_of(row + NUM_SPECIAL_IDS) for name, one in self._known.items()}
        return {name: value for name, value in values.items() if value}
