"""All systems at a glance."""

from tf_iclrec.evaluation.tables import aligned
from tf_iclrec.systems.registry import SYSTEMS


def systems_table() -> str:
    """Name, paper, what a system reads, and what it is: a line each.

    Example:
    >>> print(systems_table().splitlines()[0].split())
    ['model', 'paper', 'reads', 'what', 'it', 'is']
    """
    rows = [("model", "paper", "reads", "what it is")]
    rows += [
        (name, one.paper, ", ".join(one.family.reads(one)), one.summary)
        for name, one in SYSTEMS.items()
    ]
    return aligned(rows)
