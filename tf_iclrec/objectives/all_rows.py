"""The rows of a batch that several replicas have among them, for losses that compare rows."""

import functools

import keras
import tensorflow as tf

from tf_iclrec.objectives.objective import EncodedBatch, num_replicas


class AllRows:
    """An `EncodedBatch` with the rows of all replicas; each tensor is sent when it is asked for.

    Every replica then computes the same loss of the whole batch, and counts its share of it: a loss
    divided by `num_replicas`. So the gradient of a gathered tensor need not be sent back: summed
    over the replicas, it is `num_replicas` times what each replica has itself.

    Args:
        encoded: The batch of this replica.
    """

    def __init__(self, encoded: EncodedBatch):
        self._encoded = encoded
        self._replica = tf.distribute.get_replica_context()

    def __getattr__(self, name: str):
        value = keras.tree.map_structure(self._gathered, getattr(self._encoded, name))
        setattr(self, name, value)
        return value

    intent_groups = EncodedBatch.intent_groups

    @functools.cached_property
    def _is_own(self) -> tf.Tensor:
        """``(rows of all replicas,)`` bool."""
        number = tf.cast(self._replica.replica_id_in_sync_group, tf.int32)
        own = tf.fill([tf.shape(self._encoded.target_ids)[0]], number)
        return self._replica.all_gather(own, axis=0) == number

    def _gathered(self, value):
        """``(rows of all replicas, ...)`` of ``(rows, ...)``; what has no rows as it is."""
        if not tf.is_tensor(value) or not value.shape.rank:
            return value

        is_own = self._is_own

        @tf.custom_gradient
        def gathered(own):
            def gradient(upstream):
                return tf.boolean_mask(upstream, is_own) * num_replicas()

            return self._replica.all_gather(own, axis=0), gradient

        return gathered(value)
