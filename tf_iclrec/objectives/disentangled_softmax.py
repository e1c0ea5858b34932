"""Next item against the whole catalogue, for several vectors per user (DSSRec's seq2item loss)."""

import math
from typing import Annotated

import keras
import tensorflow as tf
from keras import KerasTensor, ops

from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS
from tf_iclrec.objectives.log_partition import log_partition
from tf_iclrec.objectives.objective import EncodedBatch, Objective
from tf_iclrec.settings import Setting, checked


@keras.saving.register_keras_serializable("tf_iclrec")
class DisentangledSoftmax(Objective):
    """The best of a user's vectors picks the next item, against all items for all of them.

    DSSRec's loss from sequence to item (Ma et al., KDD 2020), at every real position::

        -log( max_k exp(φ_k · h_target / sqrt(D)) / Σ_k Σ_j exp(φ_k · h_j / sqrt(D)) )

    Only the vector that likes the next item best is drawn to it; every vector is pushed away from
    the other items, as an item's score is the best of all vectors. The items ``j`` are the whole
    catalogue, as when the model is used; the public program takes the next items of the batch.
    With a single vector per position it is `SoftmaxCrossEntropy` of ``φ / sqrt(D)``.

    Args:
        weight: Factor of the term in the total loss. Defaults to 1.
        scaled: Whether scores are divided by ``sqrt(D)``, as published. Without, scores are larger
            from the start, and a model learns in fewer epochs. Defaults to True.
    """

    name = "next_item"

    @checked
    def __init__(
        self,
        weight: float = 1.0,
        scaled: Annotated[
            bool,
            Setting(
                "divide scores by the root of their width in the loss (disentangled softmax)",
                option="scaled_scores",
            ),
        ] = True,
    ):
        super().__init__(weight)
        self.scaled = scaled

    def __call__(self, encoded: EncodedBatch) -> KerasTensor:
        queries = ops.cast(tf.boolean_mask(encoded.queries, encoded.real), "float32")
        if self.scaled:
            queries = queries / math.sqrt(queries.shape[-1])
        items, weights = encoded.item_vectors(), encoded.position_weights()
        rows = tf.boolean_mask(encoded.target_ids, encoded.real) - NUM_SPECIAL_IDS
        scores = tf.einsum("pqd,pd->pq", queries, tf.gather(items, tf.maximum(rows, 0)))
        best = tf.reduce_max(scores, axis=1)
        return log_partition(queries, items, weights) - tf.reduce_sum(weights * best)

    def get_config(self) -> dict:
        return super().get_config() | {"scaled": self.scaled}
