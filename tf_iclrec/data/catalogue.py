"""What a model must know of a log before it has seen any of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from tf_iclrec.data.item_attributes import PROVIDER, TITLE, ItemAttribute
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS
from tf_iclrec.errors import UserError


@dataclasses.dataclass(frozen=True)
class Catalogue:
    """Numbers of items and users, and what is known of the items.

    Attributes:
        num_items: Items, without the special ids.
        num_users: Users; 0 where no model has vectors of users.
        providers: The items' providers, where they are known.
        attributes: What else models may know of the items, by name.
        labels: What describes the items to people alone, by name.

    Example:
    >>> Catalogue(num_items=100).vocabulary_size
    103
    """

    num_items: int
    num_users: int = 0
    providers: ItemAttribute | None = None
    attributes: Mapping[str, ItemAttribute] = dataclasses.field(default_factory=dict)
    labels: Mapping[str, ItemAttribute] = dataclasses.field(default_factory=dict)

    @property
    def vocabulary_size(self) -> int:
        """Number of item ids, the three special ones included."""
        return self.num_items + NUM_SPECIAL_IDS

    @property
    def known(self) -> dict[str, ItemAttribute]:
        """All that models may know of the items, by name: attributes, and ``provider``."""
        providers = {} if self.providers is None else {PROVIDER: self.providers}
        return {**self.attributes, **providers}

    @property
    def known_of_items(self) -> dict[str, ItemAttribute]:
        """All by which items can be told from each other, by name: labels, attributes and
        ``provider``, but for titles, which are each item's own."""
        labels = {name: one for name, one in self.labels.items() if name != TITLE}
        return {**labels, **self.known}

    def check_known(self, name: str) -> None:
        """Make sure that items can be told from each other by something.

        Raises:
            UserError: If there is no attribute or label of this name.

        Example:
        >>> Catalogue(num_items=100).check_known("color")
        Traceback (most recent call last):
        tf_iclrec.errors.UserError: There is no attribute or label 'color' of the items: nothing is
        known. A table of items that has one is named with --items.
        """
        known = self.known_of_items
        if name not in known:
            there = f"known are {', '.join(known)}" if known else "nothing is known"
            raise UserError(
                f"There is no attribute or label {name!r} of the items: {there}. A table of items "
                "that has one is named with --items."
            )
