"""Groups of users whose metrics are worth seeing apart."""

import numpy as np

from tf_iclrec.data.splits.split import HeldOutPart, Split
from tf_iclrec.data.vocabulary import UNKNOWN_ID

MOSTLY_KNOWN = "mostly_known_providers"
MOSTLY_UNKNOWN = "mostly_unknown_providers"


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
