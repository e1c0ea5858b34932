"""Recommenders that are computed from the histories in one go: yardsticks for those that learn."""

from typing import Annotated

import numpy as np
from keras import KerasTensor

from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.data.histories import Histories
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS
from tf_iclrec.models.recommender import Recommender
from tf_iclrec.settings import Setting, checked


class ClosedFormRecommender(Recommender):
    """Base of the models without gradients.

    What they know is in weights that `fit_histories` computes and a saved model holds. They score
    all items from ``item_ids`` alone. A subclass names its settings as annotated parameters of its
    constructor.

    Args:
        num_items: Items, without the special ids.
        max_length: How many items of a history batches for this model should hold, at most.
            Defaults to 50.

    Call arguments:
        inputs: Dict with ``item_ids`` ``(batch, time)`` int32, 0 = padding on either side.

    Returns:
        Scores ``(batch, items)`` float32; column ``i`` belongs to the internal id ``i + 3``.

    Attributes:
        popularity: ``(items,)`` float32 interactions of each item.
    """

    @checked
    def __init__(
        self,
        num_items: int,
        max_length: Annotated[
            int, Setting("longest history the model sees, in items", at_least=1)
        ] = 50,
        **kwargs,
    ):
        # Counts and tables are in full precision, whatever other models compute in.
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.num_items = num_items
        self.max_length = max_length
        self.popularity = self.add_weight(
            (num_items,), "zeros", dtype="float32", trainable=False, name="popularity"
        )
        self.built = True
        self.compile()

    @classmethod
    def for_catalogue(cls, catalogue: Catalogue, **settings) -> "ClosedFormRecommender":
        """A model of a catalogue's items, to be fitted to histories."""
        return cls(num_items=catalogue.num_items, **settings)

    def fit_histories(self, histories: Histories) -> None:
        """Compute the model.

        Args:
            histories: What it may know, such as the training part of a split.
        """
        ids = histories.joined().item_ids
        counts = np.bincount(ids, minlength=self.num_items + NUM_SPECIAL_IDS)
        self.popularity.assign(counts[NUM_SPECIAL_IDS:])

    def call(self, inputs: dict[str, KerasTensor], training: bool = False) -> KerasTensor:
        raise NotImplementedError

    def get_config(self):
        return super().get_config() | {
            "num_items": self.num_items,
            "max_length": self.max_length,
        }
