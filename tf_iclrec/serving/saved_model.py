"""A SavedModel that takes and returns raw item ids."""

from pathlib import Path

import tensorflow as tf

from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, PADDING_ID, UNKNOWN_ID, Vocabulary
from tf_iclrec.files import replace_directory
from tf_iclrec.models.sequential_recommender import SequentialRecommender

DEFAULT_K = 20


class ServingModule(tf.Module):
    """The graph that is served: vocabulary, encoder and ranking in one.

    Args:
        model: The recommender.
        items: Its vocabulary.
        k: Number of items to return, at most the size of the catalogue.
    """

    def __init__(self, model: SequentialRecommender, items: Vocabulary, k: int = DEFAULT_K):
        super().__init__()
        self.model = model
        self.k = min(k, len(items))
        raw_ids = tf.constant([str(item).encode() for item in items.ids])
        self.raw_ids = raw_ids
        internal_ids = tf.range(NUM_SPECIAL_IDS, items.size, dtype=tf.int32)
        self.internal_ids = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(raw_ids, internal_ids), default_value=UNKNOWN_ID
        )

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.string, name="history")])
    def recommend(self, history: tf.Tensor) -> dict[str, tf.Tensor]:
        """The best unseen items for each history.

        Args:
            history: ``(batch, length)`` raw item ids, oldest first, ``""`` = padding. Unknown
                items are ignored; of longer histories the last items count.

        Returns:
            ``item_ids`` ``(batch, k)`` strings and ``scores`` ``(batch, k)`` float32, best
            first. Where a user has seen so much that fewer than ``k`` items are left, the
            rest is ``""`` with score minus infinity.
        """
        ids = self.internal_ids.lookup(history)
        known = tf.ragged.boolean_mask(ids, ids >= NUM_SPECIAL_IDS)
        seen = known.to_tensor(PADDING_ID)
        recent = known[:, -self.model.encoder.max_length :].to_tensor(PADDING_ID)
        # At least one column, for a batch without any known item.
        recent = tf.pad(recent, [[0, 0], [0, tf.cast(tf.shape(recent)[1] == 0, tf.int32)]])
        scores = self.model({"item_ids": recent}, training=False)
        is_item = tf.where(seen != PADDING_ID)
        columns = tf.cast(tf.gather_nd(seen, is_item) - NUM_SPECIAL_IDS, tf.int64)
        places = tf.stack([is_item[:, 0], columns], axis=1)
        lowest = tf.fill([tf.shape(places)[0]], -float("inf"))
        scores = tf.tensor_scatter_nd_update(scores, places, lowest)
        best, order = tf.math.top_k(scores, self.k)
        item_ids = tf.where(tf.math.is_inf(best), "", tf.gather(self.raw_ids, order))
        return {"item_ids": item_ids, "scores": best}


def export_saved_model(
    model: SequentialRecommender, items: Vocabulary, directory: str | Path, k: int = DEFAULT_K
) -> None:
    """Write a SavedModel with the signature ``serving_default`` of `ServingModule.recommend`.

    Args:
        model: The recommender.
        items: Its vocabulary.
        directory: The version folder, such as ``saved_model/1``; replaced if it exists.
        k: Number of items to return.
    """
    directory = Path(directory)
    directory.parent.mkdir(parents=True, exist_ok=True)
    module = ServingModule(model, items, k)
    with replace_directory(directory) as path:
        tf.saved_model.save(module, str(path), signatures={"serving_default": module.recommend})
