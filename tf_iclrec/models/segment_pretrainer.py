"""The two tasks of S3-Rec's pre-training that need nothing but items."""

import keras
import tensorflow as tf
from keras import KerasTensor, ops

from tf_iclrec.data.vocabulary import PADDING_ID
from tf_iclrec.encoders.encoder import Encoder
from tf_iclrec.models.states import side_by_side
from tf_iclrec.models.stepwise_model import StepwiseModel

# The sequences that are encoded, in one call; see `segment_batches`.
_SEQUENCES = ("masked_ids", "context_ids", "segment_ids", "other_segment_ids")


def mutual_information_loss(
    contexts: KerasTensor, positives: KerasTensor, negatives: KerasTensor, bilinear: KerasTensor
) -> KerasTensor:
    """``-log(exp f(c, x⁺) / (exp f(c, x⁺) + exp f(c, x⁻)))`` with ``f(c, x) = σ(cᵀ W x)``.

    What belongs to a context is told from what doesn't (S3-Rec Eq. 12-13 and 16-17), here with one
    negative, as in the authors' program. As ``f`` is between 0 and 1, so is the difference of
    two: the loss stays between 0.31 and 1.31.

    Args:
        contexts: ``(rows, dim)``.
        positives: ``(rows, dim)``, what belongs to each context.
        negatives: ``(rows, dim)``, what doesn't.
        bilinear: ``W``, ``(dim, dim)``.

    Returns:
        ``(rows,)``.

    Example: what can't be told apart costs ln 2.
    >>> rows = ops.ones((1, 2))
    >>> round(float(mutual_information_loss(rows, rows, rows, ops.eye(2))[0]), 4)
    0.6931
    """
    asked = ops.matmul(contexts, bilinear)
    fits = ops.sigmoid(ops.sum(asked * positives, axis=-1))
    fits_not = ops.sigmoid(ops.sum(asked * negatives, axis=-1))
    return ops.softplus(fits_not - fits)


@keras.saving.register_keras_serializable("tf_iclrec")
class SegmentPretrainer(StepwiseModel):
    """Pre-training of an encoder with masked items and masked segments (S3-Rec, variant ISP).

    Masked items are told from others by the states at their positions (MIP, Sec. 4.3.2), and a
    masked segment from one of another user by the states at the ends of its context and of both
    segments (SP, Sec. 4.3.4). The encoder looks at both sides where it can; see
    `Encoder.encode_both_sides`. Afterwards the same encoder is trained for the next item.

    A batch's loss is ``(item_weight · Σ MIP over masked items + segment_weight · Σ SP over
    sequences) / sequences``: as in the authors' program, a masked item counts the same wherever it
    stands. The metrics ``masked_item`` and ``segment`` are means, per masked item and per segment.

    Args:
        encoder: What is pre-trained.
        item_weight: Factor of the loss of masked items. Defaults to 1.
        segment_weight: Factor of the loss of segments. Defaults to 0.5.

    Call arguments:
        inputs: What the encoder reads.

    Returns:
        Its states ``(batch, time, dim)``, those of all streams side by side.

    Example:
    >>> from tf_iclrec import SelfAttentiveEncoder
    >>> encoder = SelfAttentiveEncoder(vocabulary_size=100, max_length=50)
    >>> pretrainer = SegmentPretrainer(encoder)
    >>> pretrainer({"item_ids": ops.array([[0, 2, 9]])}).shape, pretrainer.item_bilinear.shape
    (TensorShape([1, 3, 64]), TensorShape([64, 64]))
    """

    def __init__(
        self, encoder: Encoder, item_weight: float = 1.0, segment_weight: float = 0.5, **kwargs
    ):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.item_weight = item_weight
        self.segment_weight = segment_weight
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.item_tracker = keras.metrics.Mean(name="masked_item")
        self.segment_tracker = keras.metrics.Mean(name="segment")

    def build(self, input_shape=None):
        if not self.encoder.built:
            self.encoder.build()
        dim = self.encoder.output_dim
        self.item_bilinear, self.segment_bilinear = (
            self.add_weight(
                (dim, dim),
                keras.initializers.RandomNormal(stddev=self.encoder.initializer_stddev),
                name=name,
            )
            for name in ("item_bilinear", "segment_bilinear")
        )
        self.built = True

    @property
    def metrics(self):
        return [self.loss_tracker, self.item_tracker, self.segment_tracker]

    def call(self, inputs: dict[str, KerasTensor], training: bool = False) -> KerasTensor:
        states = self.encoder.encode_both_sides(inputs, training=training)
        return side_by_side(keras.tree.flatten(states))

    def losses_of(
        self, batch: dict[str, tf.Tensor], training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Losses of the masked items ``(masked items,)`` and of the segments ``(batch,)``.

        Args:
            batch: As `segment_batches` gives it: padded on the left.
            training: Whether to drop values.
        """
        # Side by side along the batch: one call of the encoder for all.
        inputs = {"item_ids": tf.concat([batch[name] for name in _SEQUENCES], axis=0)}
        if "users" in self.encoder.reads:
            inputs["users"] = tf.tile(batch["users"], [len(_SEQUENCES)])
        states = tf.cast(self(inputs, training=training), tf.float32)
        at_masks, *others = tf.split(states, len(_SEQUENCES))
        is_asked = batch["target_ids"] != PADDING_ID
        pairs = tf.stack([batch["target_ids"], batch["negative_ids"]], axis=-1)
        vectors = self.encoder.item_vectors(tf.boolean_mask(pairs, is_asked))
        vectors = tf.cast(vectors, tf.float32)
        at_masks = tf.boolean_mask(at_masks, is_asked)
        context, segment, other_segment = (sequence[:, -1] for sequence in others)
        return (
            mutual_information_loss(at_masks, vectors[:, 0], vectors[:, 1], self.item_bilinear),
            mutual_information_loss(context, segment, other_segment, self.segment_bilinear),
        )

    def train_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        batch = self.batch_of(batch)
        with tf.GradientTape() as tape:
            of_items, of_segments = self.losses_of(batch, training=True)
            total = self.item_weight * tf.reduce_sum(of_items)
            total += self.segment_weight * tf.reduce_sum(of_segments)
            loss = total / tf.cast(tf.shape(of_segments)[0], tf.float32)
            scaled_loss = self.optimizer.scale_loss(loss)
        self.descend(tape, scaled_loss)
        self.loss_tracker.update_state(loss)
        self.item_tracker.update_state(of_items)
        self.segment_tracker.update_state(of_segments)
        return {tracker.name: tracker.result() for tracker in self.metrics}

    def get_config(self):
        return super().get_config() | {
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "item_weight": self.item_weight,
            "segment_weight": self.segment_weight,
        }

    @classmethod
    def from_config(cls, config):
        encoder = keras.saving.deserialize_keras_object(config["encoder"])
        return cls(**{**config, "encoder": encoder})
