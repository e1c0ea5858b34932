"""An encoder and weighted objectives, trained together."""

from collections.abc import Sequence

import keras
import tensorflow as tf
from keras import KerasTensor, ops

from tf_iclrec.evaluation.metrics import DEFAULT_CUTOFFS
from tf_iclrec.layers.intent_prototypes import IntentPrototypes
from tf_iclrec.layers.masks import last_valid, masked_mean, valid_mask
from tf_iclrec.models.recommender import Recommender
from tf_iclrec.objectives.objective import EncodedBatch, Objective

# What an encoder may read of a batch; views of each are named view_...
_STREAMS = ("item_ids", "provider_ids")


@keras.saving.register_keras_serializable("tf_iclrec")
class SequentialRecommender(Recommender):
    """Next-item recommender: any encoder with any objectives (ICLRec Eq. 18).

    One training step encodes the sequences and their views in a single encoder call, hands
    the result to every objective and minimises the weighted sum. Evaluation ranks the whole
    catalogue. Called on a batch, the model gives the score of every item.

    Args:
        encoder: A layer from a batch to the hidden states of one stream, or of the item and
            the provider stream, with ``item_vectors()`` and ``output_dim``; see
            `tf_iclrec.encoders`. States of two streams are put side by side.
        objectives: Loss terms; see `tf_iclrec.objectives`.
        num_intents: Numbers of intents ``K`` for objectives that need them.
        temperature: If given, an item's score is the cosine of its vector and the user's, divided
            by this. Defaults to None: their dot product. Frequent items have long vectors, which
            a cosine leaves out.
        cutoffs: The ``k`` of HR, NDCG and MRR.

    Call arguments:
        inputs: Dict with ``item_ids`` ``(batch, time)`` int32, 0 = padding, and what else the
            encoder reads.

    Returns:
        Scores ``(batch, items)`` float32; column ``i`` belongs to the internal id ``i + 3``.

    Example:
    >>> from tf_iclrec import SelfAttentiveEncoder, SoftmaxCrossEntropy
    >>> model = SequentialRecommender(
    ...     SelfAttentiveEncoder(vocabulary_size=103, max_length=50), [SoftmaxCrossEntropy()])
    >>> model({"item_ids": ops.array([[0, 5, 9]])}).shape
    TensorShape([1, 100])
    """

    def __init__(
        self,
        encoder: keras.layers.Layer,
        objectives: Sequence[Objective],
        num_intents: Sequence[int] = (),
        temperature: float | None = None,
        cutoffs: Sequence[int] = DEFAULT_CUTOFFS,
        **kwargs,
    ):
        super().__init__(cutoffs, **kwargs)
        self.encoder = encoder
        self.objectives = tuple(objectives)
        self.num_intents = tuple(num_intents)
        self.temperature = temperature
        self.needs_negatives = any(term.needs_negatives for term in self.objectives)
        self.sampling = next((term.sampling for term in self.objectives if term.sampling), None)
        self.needs_views = any(term.needs_views for term in self.objectives)
        self.needs_intents = any(term.needs_intents for term in self.objectives)
        self.needs_sides = any(term.needs_sides for term in self.objectives)
        if self.needs_intents and not self.num_intents:
            raise ValueError("These objectives need intents: give num_intents, such as (256,).")
        if self.needs_sides and encoder.num_streams < 2:
            raise ValueError("These objectives need an encoder with a provider stream.")
        self.intents = (
            IntentPrototypes(self.num_intents, encoder.output_dim) if self.needs_intents else None
        )
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.term_trackers = [keras.metrics.Mean(name=term.name) for term in self.objectives]

    def build(self, input_shape=None):
        if not self.encoder.built:
            self.encoder.build()
        self.built = True

    @property
    def metrics(self):
        return [self.loss_tracker, *self.term_trackers, *self.ranking]

    def call(self, inputs: dict[str, KerasTensor], training: bool = False) -> KerasTensor:
        return self.score(self.user_vectors(inputs, training=training))

    def encode(
        self, inputs: dict[str, KerasTensor], training: bool = False
    ) -> tuple[KerasTensor, KerasTensor]:
        """`user_vectors` and `mean_vectors` of the same sequences, in one pass."""
        hidden = self._hidden(inputs, training)
        valid = valid_mask(inputs["item_ids"])
        return self._as_queries(last_valid(hidden, valid)), ops.cast(
            masked_mean(hidden, valid), "float32"
        )

    def user_vectors(self, inputs: dict[str, KerasTensor], training: bool = False) -> KerasTensor:
        """What scores items, ``(batch, dim)``: the hidden state at each sequence's last step; with
        a temperature, of length ``1 / temperature``."""
        return self.encode(inputs, training)[0]

    def mean_vectors(self, inputs: dict[str, KerasTensor], training: bool = False) -> KerasTensor:
        """The mean hidden state of each sequence, ``(batch, dim)`` float32: what intents are
        clusters of (ICLRec Sec. 4.1.2)."""
        return self.encode(inputs, training)[1]

    def score(self, user_vectors: KerasTensor) -> KerasTensor:
        """Scores of all items for user vectors ``(batch, dim)``, ``(batch, items)`` float32."""
        vectors = ops.cast(user_vectors, "float32")
        return ops.matmul(vectors, ops.transpose(self.item_vectors()))

    def item_vectors(self, item_ids: KerasTensor | None = None) -> KerasTensor:
        """Vectors of given ids ``(...,)`` as ``(..., dim)``, or of the whole catalogue ``(items,
        dim)`` float32: the encoder's; with a temperature, of length 1."""
        vectors = self.encoder.item_vectors(item_ids)
        if self.temperature is None:
            return vectors
        return ops.normalize(ops.cast(vectors, "float32"), axis=-1)

    def _as_queries(self, hidden: KerasTensor) -> KerasTensor:
        if self.temperature is None:
            return hidden
        return ops.normalize(ops.cast(hidden, "float32"), axis=-1) / self.temperature

    def train_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        with tf.GradientTape() as tape:
            encoded = self._encode(batch)
            terms = [term(encoded) for term in self.objectives]
            loss = tf.add_n(
                [term.weight * value for term, value in zip(self.objectives, terms, strict=True)]
            )
            scaled_loss = self.optimizer.scale_loss(loss)
        variables = self.trainable_variables
        self.optimizer.apply(tape.gradient(scaled_loss, variables), variables)
        self.loss_tracker.update_state(loss)
        for tracker, value in zip(self.term_trackers, terms, strict=True):
            tracker.update_state(value)
        return {tracker.name: tracker.result() for tracker in self.metrics[: 1 + len(terms)]}

    def _hidden(self, inputs: dict[str, KerasTensor], training: bool) -> KerasTensor:
        """Hidden states of all streams side by side, ``(batch, time, dim)``."""
        streams = self.encoder(inputs, training=training)
        return streams if self.encoder.num_streams == 1 else ops.concatenate(streams, axis=-1)

    def _encode(self, batch: dict[str, tf.Tensor]) -> EncodedBatch:
        """Encode the sequences and, where needed, their two views in one call."""
        inputs = {name: batch[name] for name in _STREAMS if name in batch}
        parts = 1
        if self.needs_views:
            # Side by side along the batch, so that taking them apart again costs nothing.
            parts = 3
            inputs = {
                name: tf.concat([ids, *tf.unstack(batch[f"view_{name}"], 2, axis=1)], axis=0)
                for name, ids in inputs.items()
            }
        all_hidden = self._hidden(inputs, training=True)
        all_vectors = masked_mean(all_hidden, valid_mask(inputs["item_ids"]))
        hidden, *view_hidden = tf.split(all_hidden, parts)
        own_vectors, *view_vectors = tf.split(all_vectors, parts)
        sides = None
        if self.needs_sides:
            sides = tf.split(last_valid(hidden, valid_mask(batch["item_ids"])), 2, axis=-1)
        intents = intents_fitted = None
        if self.needs_intents:
            intents = self.intents(tf.stop_gradient(tf.cast(own_vectors, tf.float32)))
            intents_fitted = ops.convert_to_tensor(self.intents.fitted)
        return EncodedBatch(
            hidden=self._as_queries(hidden),
            target_ids=batch["target_ids"],
            target_weights=batch.get("target_weights"),
            item_vectors=self.item_vectors,
            negative_ids=batch.get("negative_ids"),
            sampled_ids=batch.get("sampled_ids"),
            sampled_log_probabilities=batch.get("sampled_log_probabilities"),
            view_hidden=tuple(view_hidden),
            view_vectors=tuple(view_vectors),
            sides=sides,
            intents=intents,
            intents_fitted=intents_fitted,
        )

    def get_config(self):
        return super().get_config() | {
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "objectives": [keras.saving.serialize_keras_object(term) for term in self.objectives],
            "num_intents": self.num_intents,
            "temperature": self.temperature,
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        config["encoder"] = keras.saving.deserialize_keras_object(config["encoder"])
        config["objectives"] = [
            keras.saving.deserialize_keras_object(term) for term in config["objectives"]
        ]
        return cls(**config)
