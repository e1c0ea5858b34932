"""A small shop with finished runs, in which the pages of the guides are run."""

import numpy as np
import pandas as pd
import pytest

from tf_iclrec import fit, make_config
from tf_iclrec.data.synthetic import planted_intents

from ..documents import small_models

NAMED = ["soap", "comb", "towel", "tea", "jam"]


@pytest.fixture(scope="session", autouse=True)
def small_defaults():
    with small_models():
        yield


def _log(num_users: int) -> pd.DataFrame:
    """Half a year of a shop, of which every user's purchases are spread over all of it."""
    log, _ = planted_intents(num_users=num_users, num_items=60, num_intents=6)
    items = log.items.decode(log.item_ids)
    names = dict(zip(log.items.ids, NAMED, strict=False))
    moments = np.random.default_rng(0).integers(0, 200 * 24 * 3600, log.num_actions)
    return pd.DataFrame(
        {
            "user_id": np.repeat(log.users, log.lengths),
            "item_id": [names.get(item, item) for item in items],
            "timestamp": pd.Timestamp("2017-02-01") + pd.to_timedelta(moments, unit="s"),
        }
    )


@pytest.fixture(scope="session")
def shop(tmp_path_factory, small_defaults):
    """A folder with `log.csv`, `newer.csv`, `new_rows.csv`, `items.csv`, and the runs `mine` and
    `both`."""
    folder = tmp_path_factory.mktemp("shop")
    log = _log(200)
    log.to_csv(folder / "log.csv", index=False)
    later = {"user_id": ["1", "200"], "item_id": ["soap", "oolong"], "timestamp": "2017-09-01"}
    pd.DataFrame(later).to_csv(folder / "new_rows.csv", index=False)
    pd.concat([log, pd.DataFrame(later)]).to_csv(folder / "newer.csv", index=False)
    items = sorted(log.item_id.unique())
    table = {
        "item_id": items,
        "title": [f"The {item}" for item in items],
        "provider": ["acme" if row % 3 else f"brand {row % 7}" for row in range(len(items))],
        "category": [f"category {row % 5}" for row in range(len(items))],
    }
    pd.DataFrame(table).to_csv(folder / "items.csv", index=False)
    data = {"data": str(folder / "log.csv"), "num_intents": 6}
    fit(make_config(model="iclrec", **data), folder / "runs" / "mine")
    fit(
        make_config(model="iclrec_provider_sum", items=str(folder / "items.csv"), **data),
        folder / "runs" / "both",
    )
    return folder
