"""Logs of a few interactions."""

import pandas as pd

from tf_iclrec import Interactions

LOG = Interactions.from_sequences(
    {"ann": ["tea", "jam", "tea"], "bob": ["jam"], "cat": ["ale", "jam"]}
)


def frame_of(times, items=None):
    """One user with items a, b, c, ... at the given times."""
    items = items or [chr(ord("a") + i) for i in range(len(times))]
    return pd.DataFrame({"user_id": "u", "item_id": items, "timestamp": times})
