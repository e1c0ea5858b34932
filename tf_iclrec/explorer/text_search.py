"""Search for what a person types: ids and titles that hold it, the most frequent first."""

from collections.abc import Iterator, Sequence

import numpy as np


class TextSearch:
    """Finds rows by a part of what they are called.

    Rows that are called exactly so come first, then those of which a name begins so, then those
    that hold it anywhere; of these, the more frequent come first. Capitals don't count. All names
    are one text in that order, which is read no further than is needed.

    Args:
        names: Arrays ``(rows,)`` of texts: all that the rows are called.
        counts: ``(rows,)`` how frequent they are.

    Call arguments:
        query: What is typed; ``""`` finds all.
        most: Rows to return at most.

    Returns:
        Rows, the best first.

    Example:
    >>> names = np.array(["7", "70", "8"]), np.array(["Iced tea", "Jam", "Green Tea"])
    >>> search = TextSearch(names, np.array([1, 2, 3]))
    >>> [search(query) for query in ("7", "tea", "iced  te", "")]
    [[0, 1], [2, 0], [0], [2, 1, 0]]
    """

    def __init__(self, names: Sequence[np.ndarray], counts: np.ndarray):
        import pyarrow as pa
        import pyarrow.compute as pc

        self._rows = np.argsort(-np.asarray(counts), kind="stable")
        # Each name is a line: where it begins and ends can be searched for as well.
        edge, line_break = (pa.scalar(text, pa.large_string()) for text in ("", "\n"))
        columns = [pa.array(each[self._rows], pa.large_string()) for each in names]
        lines = pc.binary_join_element_wise(edge, *columns, edge, line_break)
        _, starts, texts = pc.utf8_lower(lines).buffers()
        self._starts = np.frombuffer(starts, dtype=np.int64)[: len(lines) + 1]
        self._texts = texts.to_pybytes()

    def __call__(self, query: str, most: int = 20) -> list[int]:
        typed = " ".join(query.lower().split())
        if not typed:
            return self._rows[:most].tolist()
        # A dict keeps their order, and each once.
        found: dict[int, None] = {}
        for part in (f"\n{typed}\n", f"\n{typed}", typed):
            for row in self._that_hold(part.encode()):
                if len(found) == most:
                    return list(found)
                found[row] = None
        return list(found)

    def _that_hold(self, part: bytes) -> Iterator[int]:
        place = self._texts.find(part)
        while place >= 0:
            number = int(np.searchsorted(self._starts, place, side="right")) - 1
            yield int(self._rows[number])
            place = self._texts.find(part, self._starts[number + 1])
