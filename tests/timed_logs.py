"""Logs with times, for splits by time."""

import dataclasses

import numpy as np

from tf_iclrec import Interactions
from tf_iclrec.data.synthetic import planted_intents

DAY = 86_400_000_000


def timed_planted_intents(**settings) -> Interactions:
    """A log of planted intents over 100 days from 1970 on, with a user who has two items, one of
    which nobody else has."""
    log, _ = planted_intents(**settings)
    codes = np.repeat(np.arange(log.num_users), log.lengths)
    codes = np.concatenate([codes, [log.num_users] * 2])
    raw = np.concatenate([log.items.decode(log.item_ids), ["0", "rare"]])
    times = np.random.default_rng(0).integers(100 * DAY, size=len(codes))
    times = times[np.lexsort((times, codes))]
    users = [*log.users, "short"]
    return dataclasses.replace(Interactions.from_columns(codes, users, raw), times=times)
