"""The baseline that any model has to beat: the most popular items for everyone."""

from collections.abc import Sequence

import keras
from keras import KerasTensor, ops

from tf_iclrec.data.splits.split import Split
from tf_iclrec.models.closed_form import ClosedFormRecommender


@keras.saving.register_keras_serializable("tf_iclrec")
class PopularityRecommender(ClosedFormRecommender):
    """Scores each item by its number of interactions.

    Args:
        counts: ``(items,)`` number of interactions of each item; without it the model has to be
            fitted or loaded.
        num_items: Items, without the special ids, where there are no counts.
        kwargs: See `ClosedFormRecommender`.

    Example:
    >>> model = PopularityRecommender([3, 9])
    >>> ops.convert_to_numpy(model({"item_ids": ops.array([[3], [4]])})).tolist()
    [[3.0, 9.0], [3.0, 9.0]]
    """

    def __init__(self, counts: Sequence[int] | None = None, num_items: int = 0, **kwargs):
        super().__init__(num_items if counts is None else len(counts), **kwargs)
        if counts is not None:
            self.popularity.assign(counts)

    @classmethod
    def from_training_data(cls, split: Split) -> "PopularityRecommender":
        """Count the training part of a log.

        Example: of each user the last two items are held out.
        >>> from tf_iclrec import Interactions, leave_one_out
        >>> log = Interactions.from_sequences({
        ...     "ann": ["tea", "jam", "oil"], "bob": ["tea", "oil", "tea"]})
        >>> model = PopularityRecommender.from_training_data(leave_one_out(log))
        >>> ops.convert_to_numpy(model.popularity).tolist()  # Of jam, oil and tea.
        [0.0, 0.0, 2.0]
        """
        return cls(split.training_counts)

    def call(self, inputs: dict[str, KerasTensor], training: bool = False) -> KerasTensor:
        counts = ops.convert_to_tensor(self.popularity)
        return ops.broadcast_to(counts, (ops.shape(inputs["item_ids"])[0], self.num_items))
