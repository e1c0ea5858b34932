"""DSSRec's encoder: a vector for each of several latent intents of a user."""

import math
from typing import Annotated

import keras
import tensorflow as tf
from keras import KerasTensor, ops

from tf_iclrec.encoders.transformer_encoder import TransformerEncoder
from tf_iclrec.layers.dense import built_dense
from tf_iclrec.layers.masks import additive_mask, causal_mask, last_valid, valid_mask
from tf_iclrec.layers.norm import built_norm
from tf_iclrec.layers.position_embedding import PositionEmbedding
from tf_iclrec.layers.relative_position_bias import RelativePositionBias
from tf_iclrec.settings import Setting, checked


@keras.saving.register_keras_serializable("tf_iclrec")
class DisentangledEncoder(TransformerEncoder):
    """Disentangled sequence encoder (DSSRec, Ma et al., KDD 2020).

    A user may follow several intents at once. A causal Transformer (SASRec's) gives a state
    ``z_i`` per item. Prototypes ``c_k`` of ``K`` latent intents, learned with the rest, say which
    intent each item belongs to (intention clustering)::

        p(k|i) = softmax over k of LN1(z_i) · LN2(c_k) / sqrt(D)

    An attention from position ``t`` says which items up to it matter for what comes (intention
    weighting), with learned positions ``α``::

        p(i|t) = softmax over i <= t of key_i · query_t / sqrt(D)
        key_i = k + ReLU(W k + w) with k = LN3(z_i + α_i)
        query_t = LN4(b + α_t + z_t)

    With ``relative_positions`` there is no ``α``; a learned bias by the distance ``t - i`` is
    added to the products in its place, so that a prefix is encoded as if nothing came after it.
    The vector of an intent collects the items that belong to it (intention aggregation)::

        φ_k(t) = LN5(β_k + Σ_i p(i|t) p(k|i) z_i)

    An item's score is that of the vector which likes it best. The equations are those of the
    public program https://github.com/abinashsinha330/DSSRec; its published settings are two
    blocks, one head, embedded positions and one to eight intents, four by default.

    Args:
        num_latent_intents: ``K``, the vectors of a user. They come from the user's own items
            and have nothing to do with ICLRec's clusters of users. Defaults to 4.

        For the others see `TransformerEncoder`.

    Call arguments:
        inputs: Dict with ``item_ids`` ``(batch, time)`` int32, 0 = padding on either side, and in
            training optionally ``is_future`` ``(batch,)`` bool, true for sequences that are a
            user's future in reverse (see `FutureContrast`): they have a ``β_k`` of their own.

    Returns:
        Hidden states ``(batch, time, K * hidden_dim)``, the ``K`` vectors of a position side by
        side, zero at padded positions. A position sees itself and what came before it.

    Example:
    >>> encoder = DisentangledEncoder(vocabulary_size=100, max_length=50, num_latent_intents=3)
    >>> encoder({"item_ids": ops.array([[0, 5, 9]])}).shape
    TensorShape([1, 3, 192])
    """

    @checked
    def __init__(
        self,
        *args,
        num_latent_intents: Annotated[
            int, Setting("latent intents of a user, a vector for each", at_least=1)
        ] = 4,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        self.num_latent_intents = num_latent_intents

    @property
    def num_queries(self) -> int:
        return self.num_latent_intents

    def build_layers(self):
        policy, dim = self.dtype_policy, self.hidden_dim
        self.transformer = self.built_transformer(1, "transformer")
        self.state_norm = built_norm(dim, policy, "state_norm")
        self.prototype_norm = built_norm(dim, policy, "prototype_norm")
        self.key_norm = built_norm(dim, policy, "key_norm")
        self.query_norm = built_norm(dim, policy, "query_norm")
        self.intent_norm = built_norm(dim, policy, "intent_norm")
        self.key_dense = built_dense(
            dim, dim, "key", self.initializer_stddev, policy, keras.activations.relu
        )
        if self.relative_positions:
            self.positions = RelativePositionBias(1, self.max_length, dtype=policy)
        else:
            self.positions = PositionEmbedding(
                self.max_length, dim, self.initializer_stddev, dtype=policy
            )
        self.positions.build((None, None))
        self.query_bias = self.add_weight(name="query_bias", shape=(dim,), initializer="zeros")
        self.prototypes = self._per_intent("prototypes")
        self.intent_bias = self._per_intent("intent_bias")
        self.future_intent_bias = self._per_intent("future_intent_bias")

    def call(self, inputs: dict[str, KerasTensor], training: bool = False) -> KerasTensor:
        item_ids = inputs["item_ids"]
        items, valid = self.item_embedding(item_ids), valid_mask(item_ids)
        return self.encode(items, valid, training, inputs.get("is_future"))

    def encode(
        self,
        items: KerasTensor,
        valid: KerasTensor,
        training: bool,
        is_future: KerasTensor | None = None,
    ) -> KerasTensor:
        intents, dim, time = self.num_latent_intents, self.hidden_dim, ops.shape(valid)[1]
        states, of_intent, importance = self._read(items, valid, training)
        # All intents in one product: what an item gives to each of them, side by side.
        given = of_intent[..., None] * states[:, :, None]
        given = ops.reshape(given, (-1, time, intents * dim))
        collected = ops.reshape(ops.matmul(importance, given), (-1, time, intents, dim))
        hidden = self.intent_norm(collected + self._bias(is_future))
        hidden = ops.reshape(hidden, (-1, time, intents * dim))
        return hidden * ops.cast(valid, hidden.dtype)[..., None]

    def intent_shares(self, inputs: dict[str, KerasTensor]) -> KerasTensor:
        """How much of each user's history belongs to each latent intent.

        ``p(k) = Σ_i p(i|t) p(k|i)`` at the last real position ``t``: the share of intent ``k``
        among the items, each counted as it matters for what comes next.

        Args:
            inputs: As the encoder is called.

        Returns:
            ``(batch, K)`` float32, 1 in total; zero where a row has no real position.

        Example:
        >>> encoder = DisentangledEncoder(vocabulary_size=100, num_latent_intents=3)
        >>> encoder.build()
        >>> shares = encoder.intent_shares({"item_ids": ops.array([[0, 5, 9], [7, 8, 9]])})
        >>> shares.shape, round(float(ops.sum(shares[0])), 4)
        (TensorShape([2, 3]), 1.0)
        """
        item_ids = inputs["item_ids"]
        items, valid = self.item_embedding(item_ids), valid_mask(item_ids)
        _, of_intent, importance = self._read(items, valid, training=False)
        return last_valid(ops.cast(ops.matmul(importance, of_intent), "float32"), valid)

    def _read(self, items, valid, training):
        """States ``z`` ``(batch, time, dim)``, ``p(k|i)`` ``(batch, time, K)`` and ``p(i|t)``
        ``(batch, time, time)``, [batch, t, i]."""
        (states,) = self.transformer([items], valid, training=training)
        # TensorFlow's own softmax: Keras' warns of a single intent or item.
        prototypes = ops.transpose(self.prototype_norm(self._computed(self.prototypes)))
        closeness = ops.matmul(self.state_norm(states), prototypes)
        of_intent = tf.nn.softmax(closeness / math.sqrt(self.hidden_dim))

        placed, bias = states, None
        if self.relative_positions:
            bias = self.positions(valid)
        else:
            placed = states + self.positions(valid)
        keys = self.key_norm(placed)
        keys = keys + self.key_dense(keys)
        queries = self.query_norm(self._computed(self.query_bias) + placed)
        scores = ops.matmul(queries / math.sqrt(self.hidden_dim), ops.transpose(keys, (0, 2, 1)))
        if bias is not None:
            scores = scores + bias
        importance = tf.nn.softmax(scores + additive_mask(causal_mask(valid), scores.dtype))
        return states, of_intent, importance

    def _bias(self, is_future: KerasTensor | None) -> KerasTensor:
        """``β`` of each sequence, ``(batch or 1, 1, K, dim)``."""
        if is_future is None:
            # Chosen all the same, so that the other one has a gradient in any training, of zeros.
            is_future = ops.zeros((1,), "bool")
        return ops.where(
            is_future[:, None, None, None],
            self._computed(self.future_intent_bias),
            self._computed(self.intent_bias),
        )

    def _computed(self, weight: KerasTensor) -> KerasTensor:
        return ops.convert_to_tensor(weight, self.compute_dtype)

    def _per_intent(self, name: str) -> keras.Variable:
        return self.add_weight(
            name=name,
            shape=(self.num_latent_intents, self.hidden_dim),
            initializer=keras.initializers.RandomNormal(stddev=1 / math.sqrt(self.hidden_dim)),
        )

    def get_config(self):
        return super().get_config() | {"num_latent_intents": self.num_latent_intents}
