"""Ways to leave a part of a log, each with what it does to a list of triples."""

from collections import Counter

import numpy as np

from tf_iclrec import Selection, leave_one_out
from tf_iclrec.data.preparation.prepare_log import reduce_log


def slow_core(sequences, k):
    """Remove one rare user or item at a time."""
    while True:
        counts = Counter(item for items in sequences.values() for item in items)
        short = next((user for user, items in sequences.items() if len(items) < k), None)
        rare = next((item for item, count in counts.items() if count < k), None)
        if short is not None:
            sequences = {user: items for user, items in sequences.items() if user != short}
        elif rare is not None:
            sequences = {
                user: [item for item in items if item != rare] for user, items in sequences.items()
            }
        else:
            return sequences


def slow_core_of_triples(rows):
    sequences = {}
    for user, item, _ in rows:
        sequences.setdefault(user, []).append(item)
    core = slow_core(sequences, 3)
    items = {item for sequence in core.values() for item in sequence}
    return [row for row in rows if row[0] in core and row[1] in items]


def slow_first_occurrences(rows):
    pairs = [row[:2] for row in rows]
    return [row for place, row in enumerate(rows) if row[:2] not in pairs[:place]]


def slow_drop_short_users(rows):
    lengths = Counter(user for user, *_ in rows)
    return [row for row in rows if lengths[row[0]] >= 3]


REDUCTIONS = {
    "select": (
        lambda log: log.select(np.arange(log.num_actions) % 7 == 0),
        lambda rows: rows[::7],
    ),
    "core": (
        lambda log: reduce_log(log, Selection(min_user_count=3, min_item_count=3)).log,
        slow_core_of_triples,
    ),
    "first occurrences": (
        lambda log: reduce_log(log, Selection(repeats="first")).log,
        slow_first_occurrences,
    ),
    "long enough users": (lambda log: leave_one_out(log).interactions, slow_drop_short_users),
}
