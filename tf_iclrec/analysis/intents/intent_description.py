"""What there is to say of an intent."""

import dataclasses

from tf_iclrec.analysis.intents.typical import TypicalValue


@dataclasses.dataclass(frozen=True)
class Neighbour:
    """Another intent, by the cosine of the two centroids."""

    id: int
    cosine: float


@dataclasses.dataclass(frozen=True)
class IntentDescription:
    """An intent as a segment of users.

    Attributes:
        id: Its number in the model: that of the signatures of a SavedModel.
        name: Made of what is most typical.
        users: Users who have it.
        share: The same as a share of all.
        items: Items typical of it, the most typical first.
        values: Values of attributes, labels and providers typical of it, likewise.
        examples: Ids of the users nearest to its centroid, the nearest first.
        neighbours: The intents nearest to it, the nearest first.
    """

    id: int
    name: str
    users: int
    share: float
    items: list[TypicalValue]
    values: list[TypicalValue]
    examples: list[str]
    neighbours: list[Neighbour]


def names_of_intents(
    items: list[list[TypicalValue]], values: list[list[TypicalValue]]
) -> list[str]:
    """Distinct names: the two most typical values, or titles of items where no value is.

    Args:
        items: What is typical of each intent.
        values: Likewise.

    Example:
    >>> tea = TypicalValue("category", "tea", "tea", 8, 0.8, 4.0, 2.1, 0.001)
    >>> names_of_intents([[], [], []], [[tea], [tea], []])
    ['tea', 'tea (1)', 'Intent 2']
    """
    names: list[str] = []
    for number, (some, others) in enumerate(zip(items, values, strict=True)):
        words = list(dict.fromkeys(_word(one) for one in others or some))
        name = " · ".join(words[:2]) or f"Intent {number}"
        names.append(f"{name} ({number})" if name in names else name)
    return names


def _word(one: TypicalValue) -> str:
    # A number says nothing by itself.
    title = f"{one.kind} {one.title}" if one.title.isdigit() else one.title
    return title if len(title) <= 40 else f"{title[:39].rstrip()}…"
