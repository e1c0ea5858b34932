"""What is measured of a finished training beside its metrics."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from tf_iclrec.experiments.own_code import sources_of
from tf_iclrec.runs import Run


@dataclasses.dataclass(frozen=True)
class Measurement:
    """A function of a finished run, whose answer is kept beside it.

    Attributes:
        name: Of the answer.
        measure: ``measure(run, **settings)`` to what can be written as JSON. A function of a
            module, as it runs in another process; if it is no part of the library, its source
            counts: another one is another answer.
        settings: Its further arguments; another value is another answer.
        items: Whether ``measure`` also takes ``items``, the path of the data set's table of items.

    Example: how many users have at least so many items.
    >>> from tf_iclrec import Interactions, PopularityRecommender, leave_one_out, make_config
    >>> def long(run, least):
    ...     return int((run.interactions.lengths >= least).sum())
    >>> split = leave_one_out(Interactions.from_sequences({"ann": "abcd", "bob": "abc"}))
    >>> run = Run(PopularityRecommender([1, 1, 1, 1]), split, make_config("transitions"), {})
    >>> Measurement("long", long, {"least": 4})(run)
    1
    """

    name: str
    measure: Callable[..., Any]
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    items: bool = False
    items_path: str = ""
    items_digest: str = ""

    def of(self, items: str, digest: str) -> Measurement:
        """The same, of a data set with this table of items, which is known by its digest: another
        one is another answer."""
        if not self.items:
            return self
        return dataclasses.replace(self, items_path=items, items_digest=digest)

    @property
    def file(self) -> str:
        """Name of the file with the answer."""
        written = json.dumps(self.settings, sort_keys=True) + self.items_digest
        if own := sources_of(self.measure):
            written += json.dumps(own, sort_keys=True)
        return f"{self.name}-{hashlib.sha256(written.encode()).hexdigest()[:8]}.json"

    def __call__(self, run: Run) -> Any:
        """Measure a run."""
        items = {"items": self.items_path} if self.items else {}
        return self.measure(run, **self.settings, **items)
