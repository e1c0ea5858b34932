"""The baseline that any model has to beat: the most popular items for everyone."""

import keras
import numpy as np
from keras import KerasTensor, ops

from tf_iclrec.data.splits.split import Split
from tf_iclrec.models.recommender import Recommender


@keras.saving.register_keras_serializable("tf_iclrec")
class PopularityRecommender(Recommender):
    """Scores each item by its number of interactions.

    Args:
        counts: ``(items,)`` number of interactions of each item.

    Example:
    >>> model = PopularityRecommender([3, 9])
    >>> ops.convert_to_numpy(model({"item_ids": ops.array([[3], [4]])})).tolist()
    [[3.0, 9.0], [3.0, 9.0]]
    """

    def __init__(self, counts, **kwargs):
        super().__init__(**kwargs)
        self.counts = np.asarray(counts)
        self.compile()

    @classmethod
    def from_training_data(cls, split: Split) -> "PopularityRecommender":
        """Count the training part of a log."""
        return cls(split.training_counts)

    def call(self, inputs: dict[str, KerasTensor], training: bool = False) -> KerasTensor:
        counts = ops.convert_to_tensor(self.counts, dtype="float32")
        return ops.broadcast_to(counts, (ops.shape(inputs["item_ids"])[0], counts.shape[0]))

    def get_config(self):
        return super().get_config() | {"counts": self.counts.tolist()}
