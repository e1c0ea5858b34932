"""The rows of a batch that several replicas have among them, for losses that compare rows."""

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
        # Not when it is first asked for by `functools.cached_property`, whose lock would make the
        # threads of two replicas wait for each other.
        number = tf.cast(self._replica.replica_id_in_sync_group, tf.int32)
        own = tf.fill([tf.shape(encoded.target_ids)[0]], number)
        self._is_own = self._replica.all_gather(own, axis=0) == number

    def __getattr__(self, name: str):
        value = keras.tree.map_structure(self._gathered, getattr(self._encoded, name))
        setattr(self, name, value)
        return value

    intent_groups = EncodedBatch.intent_groups
    chosen_and_not = EncodedBatch.chosen_and_not

    def _gathered(self, value):
        """``(rows of all replicas, ...)`` of ``(rows, ...)``; what has no rows as it is."""
        if not tf.is_tensor(value) or not value.shape.rank:
            return value

        @tf.custom_gradient
        def gathered(own):
            def gradient(upstream):
                return tf.boolean_mask(upstream, self._is_own) * num_replicas()

            # What comes as it is in the batch is on no device, and can be sent from one alone.
            rows = self._replica.all_gather(tf.identity(own), axis=0)
            return tf.ensure_shape(rows, [None, *own.shape[1:]]), gradient

        return gathered(value)
