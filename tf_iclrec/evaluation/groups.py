"""Groups of users whose metrics are worth seeing apart."""

import dataclasses
from collections.abc import Callable

import numpy as np

from tf_iclrec.data.splits.split import HeldOutPart, Split
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, UNKNOWN_ID
from tf_iclrec.errors import UserError

MOSTLY_KNOWN = "mostly known"
MOSTLY_UNKNOWN = "mostly unknown"
_LENGTHS = (1, 5, 10, 20, 50, 100)


def length_groups(split: Split, part: HeldOutPart) -> dict[str, np.ndarray]:
    """Held-out items by how many items the visible history has.

    Returns:
        Masks ``(n,)`` bool by name, such as ``"1 to 4"``; the shortest first.

    Example:
    >>> from tf_iclrec.data.interactions import Interactions
    >>> from tf_iclrec.data.splits.leave_one_out import leave_one_out
    >>> log = Interactions.from_sequences({"ann": "abcdefg", "bob": "abc"})
    >>> groups = length_groups(leave_one_out(log), "test")
    >>> groups["1 to 4"].tolist(), groups["5 to 9"].tolist()
    ([False, True], [True, False])
    """
    return _ranges(split.held_out(part).histories.lengths, _LENGTHS)


def popularity_groups(split: Split, part: HeldOutPart) -> dict[str, np.ndarray]:
    """Held-out items by how often they are in the training data.

    Where one group ends and another begins follows from the log: the most popular items that make
    up a third of all training interactions, those of the next third, the others, and items that
    were never trained on. Items that are as popular are in one group.

    Returns:
        Masks ``(n,)`` bool by name, such as ``"12 and more"``; the rarest first.

    Example:
    >>> from tf_iclrec.data.interactions import Interactions
    >>> from tf_iclrec.data.splits.leave_one_out import leave_one_out
    >>> log = Interactions.from_sequences({"ann": "aaabbcde", "bob": "aacab"})
    >>> groups = popularity_groups(leave_one_out(log), "test")
    >>> {name: mask.tolist() for name, mask in groups.items()}
    {'0': [True, False], '1': [False, False], '2 to 4': [False, True], '5 and more': [False, False]}
    """
    counts = split.training_counts
    ordered = np.sort(counts)[::-1]
    upto = np.cumsum(ordered)
    # The count of the item with which a third, and two, are full.
    bounds = [ordered[np.searchsorted(upto, upto[-1] * share)] for share in (2 / 3, 1 / 3)]
    targets = split.held_out(part).target_ids
    return _ranges(counts[targets - NUM_SPECIAL_IDS], np.unique([0, 1, *bounds]))


def provider_coverage_groups(split: Split, part: HeldOutPart) -> dict[str, np.ndarray]:
    """Held-out items by how many of the providers in the visible history are known.

    Returns:
        Two masks ``(n,)`` bool: at least half of the providers are known, or fewer. Empty
        without providers.

    Example:
    >>> from tf_iclrec.data.interactions import Interactions
    >>> from tf_iclrec.data.splits.leave_one_out import leave_one_out
    >>> sequences = {"ann": ["tea", "jam", "egg"], "bob": ["egg", "jam", "tea"]}
    >>> log = Interactions.from_sequences(sequences)
    >>> log = log.with_item_providers({"tea": "acme"})
    >>> [mask.tolist() for mask in provider_coverage_groups(leave_one_out(log), "test").values()]
    [[True, False], [False, True]]
    """
    interactions, histories = split.interactions, split.held_out(part).histories
    if interactions.providers is None:
        return {}
    known = np.concatenate([[0], np.cumsum(interactions.provider_ids != UNKNOWN_ID)])
    share = (known[histories.ends] - known[histories.starts]) / histories.lengths
    return {MOSTLY_KNOWN: share >= 0.5, MOSTLY_UNKNOWN: share < 0.5}


@dataclasses.dataclass(frozen=True)
class Grouping:
    """A way to group users.

    Attributes:
        by: What is told apart, in words.
        masks: From the log to masks ``(n,)`` over the held-out items by name of the group.

    Example: a grouping of one's own, for ``evaluate_run(run, groupings={"id": grouping})``.
    >>> from tf_iclrec import Interactions, leave_one_out
    >>> def by_id(split, part):
    ...     users = split.interactions.users[split.held_out(part).users]
    ...     guest = np.array([user.startswith("guest") for user in users])
    ...     return {"guests": guest, "others": ~guest}
    >>> grouping = Grouping("the user's id", by_id)
    >>> log = Interactions.from_sequences({"ann": "abc", "guest 7": "cab"})
    >>> {name: mask.tolist() for name, mask in grouping.masks(leave_one_out(log), "test").items()}
    {'guests': [False, True], 'others': [True, False]}
    """

    by: str
    masks: Callable[[Split, HeldOutPart], dict[str, np.ndarray]]


# By the name under which they are asked for.
GROUPINGS = {
    "length": Grouping("items in the history", length_groups),
    "popularity": Grouping("interactions of the target in the training data", popularity_groups),
    "provider": Grouping("known providers in the history", provider_coverage_groups),
}


def checked_masks(
    name: str, grouping: Grouping, split: Split, part: HeldOutPart
) -> dict[str, np.ndarray]:
    """The masks of a grouping, of which one's own may give something else: NumPy takes numbers for
    rows.

    Args:
        name: What errors call it.
        grouping: The way to group.
        split: The log and what is held out.
        part: ``"valid"`` or ``"test"``.

    Raises:
        UserError: If one is no mask over what is held out.
    """
    masks = {group: np.asarray(mask) for group, mask in grouping.masks(split, part).items()}
    expected = (len(split.held_out(part).users),)
    for group, mask in masks.items():
        if mask.dtype != bool or mask.shape != expected:
            raise UserError(
                f"The group {group!r} of {name!r} is {mask.dtype} of the shape {mask.shape}, and a "
                f"mask over what is held out is expected: bool of the shape {expected}."
            )
    return masks


def _ranges(values: np.ndarray, starts) -> dict[str, np.ndarray]:
    """Which values are in the range that begins at each of ``starts``."""
    ends = [*(start - 1 for start in starts[1:]), None]
    return {
        _name(start, end): (values >= start) & (True if end is None else values <= end)
        for start, end in zip(starts, ends, strict=True)
    }


def _name(start: int, end: int | None) -> str:
    if end is None:
        return f"{start} and more"
    return f"{start}" if start == end else f"{start} to {end}"
