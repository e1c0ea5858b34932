"""Logs with planted intents, to check that a method finds them."""

import numpy as np

from tf_iclrec.data.interactions import Interactions


def planted_intents(
    num_users: int = 2000,
    num_items: int = 600,
    num_intents: int = 12,
    mean_length: float = 8.0,
    noise: float = 0.1,
    seed: int = 0,
) -> tuple[Interactions, np.ndarray]:
    """A log in which each user follows one intent.

    The items are divided evenly among the intents. A user has one intent and takes every item
    from its share, the popular ones more often (with weights falling as ``1 / rank``), except
    for a share of ``noise`` taken from all items alike. Lengths are 5 plus a Poisson number.

    Args:
        num_users: Number of users.
        num_items: Number of items, at least as many as intents.
        num_intents: Number of intents.
        mean_length: Mean number of interactions of a user, at least 5.
        noise: Probability that an interaction has nothing to do with the intent.
        seed: Seed of the log.

    Returns:
        The interactions, and ``(users,)`` int64 with the intent of each user.

    Raises:
        ValueError: If there are more intents than items, or ``mean_length`` is below 5.

    Example:
    >>> log, intents = planted_intents(num_users=100, num_items=60, num_intents=3)
    >>> log.num_users, sorted(set(intents.tolist()))
    (100, [0, 1, 2])
    """
    if num_intents > num_items:
        raise ValueError(f"{num_intents} intents need at least {num_intents} items.")
    if mean_length < 5:
        raise ValueError("mean_length must be at least 5.")
    random = np.random.default_rng(seed)
    intents = random.integers(num_intents, size=num_users)
    lengths = 5 + random.poisson(mean_length - 5, size=num_users)
    users = np.repeat(np.arange(num_users), lengths)
    share = num_items // num_intents
    weights = 1.0 / np.arange(1, share + 1)
    own = intents[users] * share + random.choice(share, len(users), p=weights / weights.sum())
    strange = random.integers(num_items, size=len(users))
    items = np.where(random.random(len(users)) < noise, strange, own)
    return Interactions.from_columns(users, np.arange(num_users).astype(str), items), intents
