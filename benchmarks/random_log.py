"""Logs of any size for what is measured: popularity after Zipf's law with exponent 1, and each item
at least once where there are as many interactions."""

import numpy as np

import tf_iclrec
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS


def random_log(num_users: int, num_items: int, length: int = 12) -> tf_iclrec.Interactions:
    """Users with ``length`` items in the mean, half of it at least and one and a half times it at
    most."""
    item_ids, offsets = drawn(num_users, num_items, length)
    return tf_iclrec.Interactions(
        item_ids=item_ids + NUM_SPECIAL_IDS,
        offsets=offsets,
        users=np.arange(num_users).astype(str).astype(object),
        items=tf_iclrec.Vocabulary(np.arange(num_items).astype(str)),
    )


def drawn(num_users: int, num_items: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Items from 0 as int32, and where the history of each user begins and the last one ends."""
    random = np.random.default_rng(0)
    lengths = random.integers(length // 2, length + length // 2 + 1, num_users)
    # Inverse of the distribution function.
    ranks = np.exp(random.random(lengths.sum()) * np.log(num_items)).astype(np.int32) - 1
    once = min(num_items, len(ranks))
    ranks[random.choice(len(ranks), once, replace=False)] = np.arange(once)
    return ranks, np.concatenate([[0], np.cumsum(lengths)])


def write_raw_log(path: str, num_users: int, num_items: int, length: int) -> None:
    """The same as a Parquet file with the columns ``user_id``, ``item_id`` and ``timestamp``."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    item_ids, offsets = drawn(num_users, num_items, length)
    user_ids = np.repeat(np.arange(num_users), np.diff(offsets))
    # One event after the other, users mixed, so that there is something to sort.
    order = np.random.default_rng(1).permutation(len(item_ids))
    table = pa.table(
        {
            "user_id": pa.array(user_ids[order]).cast(pa.string()),
            "item_id": pa.array(item_ids[order]).cast(pa.string()),
            "timestamp": 1_600_000_000 + np.arange(len(item_ids)),
        }
    )
    pq.write_table(table, path)
