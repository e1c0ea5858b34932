"""BERT4Rec's encoder: a Transformer that sees both sides of each item."""

from typing import Annotated

import keras
import tensorflow as tf
from keras import KerasTensor, ops

from tf_iclrec.data.tasks import Cloze
from tf_iclrec.data.vocabulary import MASK_ID
from tf_iclrec.encoders.encoder import STREAMS
from tf_iclrec.encoders.transformer_encoder import TransformerEncoder
from tf_iclrec.layers.dense import built_dense
from tf_iclrec.layers.masks import at_right_end, valid_mask
from tf_iclrec.layers.norm import built_norm
from tf_iclrec.settings import Setting, checked


@keras.saving.register_keras_serializable("tf_iclrec")
class BidirectionalEncoder(TransformerEncoder):
    """Bidirectional sequence encoder (BERT4Rec, Sun et al., CIKM 2019).

    Each position sees the whole sequence, so a next item would see itself; instead some items are
    masked, and the states there have to tell which ones they were (Sec. 3.6; see `Cloze`). With
    ``h`` the state of the last Transformer block, the scores of the items ``e`` are ``s·e`` with

    ``s = LayerNorm(GELU(W h + b))``  (Eq. 7).

    The LayerNorm is that of the authors' program. Their bias per item is left out: the learned
    shift ``β`` of the LayerNorm gives each item one, ``β·e``, without a further coordinate.

    Asked for the next item, a history gets a mask behind its last item, whose state scores the
    items; see `ask_next`. A history of ``max_length`` items then has one position more than any
    sequence of a training, and its two oldest items share theirs.

    Args:
        cloze_ratio: Share of the items that are masked in training. Defaults to 0.2.
        cloze_last: Share of the sequences of which only the last item is masked, as it is when the
            model is used. Defaults to 0.1.

        For the others see `TransformerEncoder`.

    Returns:
        Hidden states ``(batch, time, hidden_dim)``, zero at padded positions. A position sees all
        real ones.

    Example:
    >>> encoder = BidirectionalEncoder(vocabulary_size=100, max_length=50)
    >>> asked = encoder.ask_next({"item_ids": ops.array([[0, 5, 9]])})
    >>> asked["item_ids"].numpy().tolist(), encoder(asked).shape
    ([[0, 5, 9, 2]], TensorShape([1, 4, 64]))
    """

    @checked
    def __init__(
        self,
        *args,
        cloze_ratio: Annotated[
            float, Setting("share of the items masked in training", at_least=0, at_most=1)
        ] = 0.2,
        cloze_last: Annotated[
            float,
            Setting(
                "share of the sequences of which only the last item is masked",
                at_least=0,
                at_most=1,
            ),
        ] = 0.1,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        self.cloze_ratio = cloze_ratio
        self.cloze_last = cloze_last

    @property
    def task(self) -> Cloze:
        return Cloze(self.cloze_ratio, self.cloze_last)

    def build_layers(self):
        policy, dim = self.dtype_policy, self.hidden_dim
        self.transformer = self.built_transformer(1, "transformer", two_sided=True)
        self.output_dense = built_dense(
            dim, dim, "output", self.initializer_stddev, policy, keras.activations.gelu
        )
        self.output_norm = built_norm(dim, policy, "output_norm")

    def encode(self, items: KerasTensor, valid: KerasTensor, training: bool) -> KerasTensor:
        (hidden,) = self.transformer([items], valid, training=training, causal=False)
        hidden = self.output_norm(self.output_dense(hidden))
        return hidden * ops.cast(valid, hidden.dtype)[..., None]

    def ask_next(self, inputs: dict[str, KerasTensor]) -> dict[str, KerasTensor]:
        """Histories with a mask behind the last item (Sec. 3.6).

        Args:
            inputs: ``item_ids`` ``(batch, time)`` int32, padded on either side, perhaps
                ``provider_ids`` beside them, and anything else, which is handed through.

        Returns:
            The same with ``min(time, max_length) + 1`` columns: the most recent items, padded on
            the left, and in the last column the mask.
        """
        valid = valid_mask(inputs["item_ids"])
        width = tf.minimum(tf.shape(valid)[1], self.max_length)
        asked = dict(inputs)
        for name in STREAMS:
            if name in inputs:
                kept = at_right_end(inputs[name], valid, width)
                asked[name] = tf.pad(kept, [[0, 0], [0, 1]], constant_values=MASK_ID)
        return asked

    def get_config(self):
        return super().get_config() | {
            "cloze_ratio": self.cloze_ratio,
            "cloze_last": self.cloze_last,
        }
