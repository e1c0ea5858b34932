"""How much is known of providers, and how users keep to theirs."""

from __future__ import annotations

import dataclasses

import numpy as np

from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS
from tf_iclrec.evaluation.lists.value_counts import value_counts
from tf_iclrec.reports.figures.user_parts import user_parts


@dataclasses.dataclass(frozen=True)
class ProviderFigures:
    """Providers of a log.

    Attributes:
        interactions: ``(providers,)`` int64 number of interactions with each.
        items: ``(providers,)`` int64 number of items of each.
        of_users: ``(users,)`` int64 number of providers that each user has.
        loyalty: Of what a user has from known providers, the share that comes from the most
            frequent one; the mean over users with two such interactions or more, 0 without any.

    Example:
    >>> log = Interactions.from_sequences({"ann": ["tea", "jam", "tea", "oil"]})
    >>> log = log.with_item_providers({"tea": "acme", "jam": "best"})
    >>> figures = ProviderFigures.of(log)
    >>> figures.interactions.tolist(), figures.of_users.tolist(), round(figures.loyalty, 3)
    ([2, 1], [2], 0.667)
    """

    interactions: np.ndarray
    items: np.ndarray
    of_users: np.ndarray
    loyalty: float

    @classmethod
    def of(cls, log: Interactions) -> ProviderFigures | None:
        """Counted in one pass over the log; None if no provider is known."""
        if log.providers is None:
            return None
        size = log.providers.vocabulary.size
        interactions = np.zeros(size, dtype=np.int64)
        of_users, loyalty, loyal_users = [], 0.0, 0
        for part in user_parts(log):
            ids = part.provider_ids
            interactions += np.bincount(ids, minlength=size)
            rows = part.owners
            users, _, counts = value_counts(rows, ids)
            of_users.append(np.bincount(users, minlength=part.num_users))
            most = np.zeros(part.num_users, dtype=np.int64)
            np.maximum.at(most, users, counts)
            total = np.bincount(rows[ids >= NUM_SPECIAL_IDS], minlength=part.num_users)
            several = total >= 2
            loyalty += (most[several] / total[several]).sum()
            loyal_users += np.count_nonzero(several)
        return cls(
            interactions[NUM_SPECIAL_IDS:],
            np.bincount(log.providers.of_items[NUM_SPECIAL_IDS:], minlength=size)[NUM_SPECIAL_IDS:],
            np.concatenate(of_users),
            float(loyalty / max(loyal_users, 1)),
        )
