"""All that is said of a run's intents, and how it is written to files."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tf_iclrec.analysis.intents.comparison import Comparison
from tf_iclrec.analysis.intents.intent_description import IntentDescription
from tf_iclrec.analysis.intents.moves import Moves
from tf_iclrec.files import replace_file, write_json

if TYPE_CHECKING:
    import pyarrow as pa


@dataclasses.dataclass(frozen=True)
class IntentReport:
    """A run's intents; made by `tf_iclrec.describe_intents`.

    Attributes:
        intents: What there is to say of each, by number.
        users: A row for each user of whom something was trained on: ``user_id``, ``intent``
            (int32), ``affinity`` to it and ``affinities`` to all intents, a list of ``K``
            float32 with the sum 1.
        map: ``(n, 2)`` float32 places of some users in the plane.
        map_intents: ``(n,)`` int32 their intents.
        moves: How users move between intents while their histories grow.
        comparison: With the intents of an earlier run, if there is one.
        names_before: Names of the earlier run's intents.

    Example: a small one; one user moved from drinks to sweets.
    >>> import pyarrow as pa
    >>> intents = [
    ...     IntentDescription(0, "drinks", 1, 0.25, [], [], ["ann"], []),
    ...     IntentDescription(1, "sweets", 3, 0.75, [], [], ["bob"], [])]
    >>> users = pa.table({"user_id": ["ann", "bob", "eve", "kim"], "intent": [0, 1, 1, 1]})
    >>> moves = Moves((0.5, 1.0), np.array([[[1, 1], [0, 2]]]))
    >>> report = IntentReport(intents, users, np.zeros((0, 2)), np.zeros(0, int), moves)
    >>> [(one.name, one.share) for one in report.by_size]
    [('sweets', 0.75), ('drinks', 0.25)]
    >>> report.to_dict()["moves"]["steps"][0]["stay"]
    0.75
    """

    intents: list[IntentDescription]
    users: pa.Table
    map: np.ndarray
    map_intents: np.ndarray
    moves: Moves
    comparison: Comparison | None = None
    names_before: list[str] = dataclasses.field(default_factory=list)

    @property
    def by_size(self) -> list[IntentDescription]:
        """The intents, those of most users first."""
        return sorted(self.intents, key=lambda one: -one.users)

    def to_dict(self) -> dict[str, Any]:
        """The report without the users, the map and the single moves, as it stands in
        ``intents.json``."""
        names = ("from_part", "to_part", "stay", "stay_by_chance")
        steps = [dict(zip(names, step, strict=True)) for step in self.moves.steps]
        written = {
            "num_intents": len(self.intents),
            "num_users": self.users.num_rows,
            "intents": [dataclasses.asdict(one) for one in self.intents],
            "moves": {"num_users": self.moves.num_users, "steps": steps},
        }
        if self.comparison:
            written["comparison"] = {
                "num_users": self.comparison.num_users,
                "agreement": self.comparison.agreement,
                "matches": [
                    {"before": before, "after": after, "overlap": overlap}
                    for (before, after), overlap in zip(
                        self.comparison.matches.tolist(),
                        self.comparison.overlaps.tolist(),
                        strict=True,
                    )
                ],
                "changes": [dataclasses.asdict(one) for one in self.comparison.changes],
                "names_before": self.names_before,
            }
        return written

    def save(self, folder: str | Path) -> None:
        """Write ``intents.json``, ``users.parquet`` and ``moves.parquet`` to a folder."""
        import pyarrow.parquet as pq

        folder = Path(folder)
        for name, table in (("users", self.users), ("moves", self.moves.table())):
            with replace_file(folder / f"{name}.parquet") as path:
                pq.write_table(table, path)
        write_json(folder / "intents.json", self.to_dict())
