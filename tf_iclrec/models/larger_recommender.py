"""A recommender whose catalogue has grown since it was trained."""

import keras
import numpy as np
from keras import KerasTensor, ops

from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.data.new_items import MeansOfKindred
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS
from tf_iclrec.models.sequential_recommender import SequentialRecommender


@keras.saving.register_keras_serializable("tf_iclrec")
class LargerRecommender(SequentialRecommender):
    """A `SequentialRecommender` with items that it was not trained on, after those it was.

    Where scores are cosines, all that a mean of vectors points at would score better with it than
    with the vectors themselves, and new items would push the known ones out of every list; with the
    mean of their scores in place of it, no new item would ever be recommended. In between is the
    score times the root of the mean's length, in shares of that of the vectors in it. It ranks best
    (benchmarks/results/2026-11-24-new-items.md).

    Args:
        num_new_items: How many of the encoder's items, the last ones, are new.

        For the others see `SequentialRecommender`.

    Attributes:
        lengths: ``(members, num_new_items)`` float32: of the output vectors of new items.
    """

    def __init__(self, *args, num_new_items: int, **kwargs):
        super().__init__(*args, **kwargs)
        self.num_new_items = num_new_items
        shape = (len(self.members()), num_new_items)
        self.lengths = self.add_weight(shape, "ones", trainable=False, name="lengths")

    @classmethod
    def of(
        cls, model: SequentialRecommender, catalogue: Catalogue, means: MeansOfKindred
    ) -> "LargerRecommender":
        """A model for a larger catalogue; see `Recommender.with_new_items`."""
        num_new = len(means.found)
        before = model.num_new_items
        larger = cls(
            model.encoder.with_new_items(catalogue, means),
            model.objectives,
            model.num_intents,
            model.temperature,
            model.cutoffs,
            num_new_items=before + num_new,
            name=model.name,
        )
        larger.build()
        if model.intents is not None:
            larger.intents.set_weights(model.intents.get_weights())
        if model.temperature:
            lengths = []
            for member in larger.members():
                of_vectors = np.linalg.norm(np.asarray(member.item_vectors()), axis=1)
                known, new = np.split(of_vectors, [len(of_vectors) - num_new])
                lengths.append(np.sqrt(new / np.maximum(means(known), 1e-12)))
            if before:
                lengths = np.concatenate([ops.convert_to_numpy(model.lengths), lengths], axis=1)
            larger.lengths.assign(lengths)
        return larger

    def _member_item_vectors(self, member, item_ids=None) -> KerasTensor:
        vectors = super()._member_item_vectors(member, item_ids)
        number = next(row for row, one in enumerate(self.members()) if one is member)
        num_known = member.vocabulary_size - self.num_new_items
        lengths = ops.pad(self.lengths[number], [[num_known, 0]], constant_values=1.0)
        lengths = lengths[NUM_SPECIAL_IDS:] if item_ids is None else ops.take(lengths, item_ids)
        return vectors * ops.cast(lengths, vectors.dtype)[..., None]

    def get_config(self):
        return super().get_config() | {"num_new_items": self.num_new_items}
