"""SASRec's encoder: a causal Transformer over the items."""

from typing import Annotated

import keras
import tensorflow as tf
from keras import KerasTensor

from tf_iclrec.encoders.transformer_encoder import TransformerEncoder
from tf_iclrec.layers.masks import valid_mask
from tf_iclrec.settings import Setting, checked


@keras.saving.register_keras_serializable("tf_iclrec")
class SelfAttentiveEncoder(TransformerEncoder):
    """Self-attentive sequence encoder (SASRec, Kang and McAuley 2018; ICLRec Sec. 3.2).

    Item embeddings, LayerNorm and dropout, then causal Transformer blocks. Positions are
    either embedded (``relative_positions=False``, as published) or a bias on attention.

    Args:
        padding_places: Places before the first item that see the whole sequence and stand, in
            contrasts and in intents, for all that are padded up to ``max_length``; as many as that:
            each for itself, as in ICLRec's program. The states that score items never see them.
            Defaults to 0, real positions alone.

        For the others see `TransformerEncoder`.

    Returns:
        Hidden states ``(batch, time, hidden_dim)``, zero at padded positions. A position sees
        itself and what came before it.

    Example:
    >>> from keras import ops
    >>> encoder = SelfAttentiveEncoder(vocabulary_size=100, max_length=50)
    >>> encoder({"item_ids": ops.array([[0, 5, 9]])}).shape
    TensorShape([1, 3, 64])
    """

    @checked
    def __init__(
        self,
        *args,
        padding_places: Annotated[
            int,
            Setting(
                "padded places that see the whole sequence, for contrasts and intents", at_least=0
            ),
        ] = 0,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        self.padding_places = min(padding_places, self.max_length)

    def build_layers(self):
        self.transformer = self.built_transformer(1, "transformer")

    def encode(self, items: KerasTensor, valid: KerasTensor, training: bool) -> KerasTensor:
        (hidden,) = self.transformer([items], valid, training=training)
        return hidden

    def encode_whole(
        self, inputs: dict[str, KerasTensor], training: bool = False
    ) -> tuple[KerasTensor, KerasTensor]:
        longest, padding = self.max_length, self.padding_places
        item_ids = tf.convert_to_tensor(inputs["item_ids"])
        before = longest - tf.shape(item_ids)[1]
        item_ids = tf.pad(item_ids, [[0, 0], [before, 0]])
        first = tf.where(valid_mask(item_ids), tf.range(longest), longest)
        first = tf.reduce_min(first, axis=1, keepdims=True)
        # The padded places that take part, and those of the input.
        places = [tf.range(padding), tf.range(tf.maximum(before, padding), longest)]
        places = tf.concat(places, axis=0)
        item_ids = tf.gather(item_ids, places, axis=1)
        valid = valid_mask(item_ids)
        items = self.item_embedding(item_ids)
        # The vector of the padding id stays as it was drawn.
        items = tf.where(valid[..., tf.newaxis], items, tf.stop_gradient(items))
        shown = (places < padding) | (places >= first)
        (states,) = self.transformer([items], valid, training=training, places=places, shown=shown)
        each = tf.cast(first, tf.float32) / tf.cast(tf.clip_by_value(first, 1, padding), tf.float32)
        stands_for = tf.where(places < first, each, 1.0)
        return states, tf.where(shown, stands_for, 0.0)

    def encode_both_sides(
        self, inputs: dict[str, KerasTensor], training: bool = False
    ) -> KerasTensor:
        """Hidden states with which each position sees all of the sequence (S3-Rec Sec. 4.2.2).

        The relative bias, which training for the next item has no use for on the other side, is
        the same for all later positions.
        """
        item_ids = inputs["item_ids"]
        (hidden,) = self.transformer(
            [self.item_embedding(item_ids)], valid_mask(item_ids), training=training, causal=False
        )
        return hidden

    def get_config(self):
        return super().get_config() | {"padding_places": self.padding_places}
