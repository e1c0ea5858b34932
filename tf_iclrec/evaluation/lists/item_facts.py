"""What metrics of lists must know of the items in them."""

import dataclasses
from collections.abc import Mapping

import numpy as np

INTENT = "intent"


@dataclasses.dataclass(frozen=True)
class ItemFacts:
    """What is known of items, whoever recommends them.

    Attributes:
        training_counts: ``(items,)`` interactions of each item in the training data.
        values: By name, such as ``"provider"``, the internal ids of the items' values by internal
            item id, ``(item vocabulary size,)`` int32; below 3: unknown.
        vectors: ``(items, dim)`` float32, where a model has some.
    """

    training_counts: np.ndarray
    values: Mapping[str, np.ndarray]
    vectors: np.ndarray | None = None
