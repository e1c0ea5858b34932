"""Weights of the ICLRec authors' program, as a model of this library.

Their names are those of the program's ``state_dict``; linear kernels are stored (out, in).
Item row 0 is padding, the last row an unused mask item, and row ``i`` item ``i`` between.
"""

from collections.abc import Mapping

import numpy as np

from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, PADDING_ID, Vocabulary
from tf_iclrec.errors import UserError
from tf_iclrec.models.sequential_recommender import SequentialRecommender

_ITEMS = "item_embeddings.weight"
_POSITIONS = "position_embeddings.weight"
_BLOCK = "item_encoder.layer.{}."


def published_settings(weights: Mapping[str, np.ndarray], num_heads: int) -> dict:
    """Settings of `Config` that fit the weights.

    Args:
        weights: Arrays by parameter name.
        num_heads: Attention heads; the shapes don't tell.

    Raises:
        UserError: If the weights are not those of an ICLRec encoder.
    """
    feedforward = _BLOCK.format(0) + "intermediate.dense_1.weight"
    for name in (_ITEMS, _POSITIONS, feedforward):
        if name not in weights:
            raise UserError(f"The checkpoint has no parameter {name!r}: it is not ICLRec's.")
        if weights[name].ndim != 2:
            raise UserError(f"{name!r} has the shape {weights[name].shape}: it is not ICLRec's.")
    blocks = {name.split(".")[2] for name in weights if name.startswith("item_encoder.layer.")}
    feedforward_dim = weights[feedforward].shape[0]
    hidden_dim = weights[_ITEMS].shape[1]
    if feedforward_dim != 4 * hidden_dim:
        raise UserError(
            f"The feed-forward width is {feedforward_dim}; only {4 * hidden_dim}, four times "
            "the hidden width, can be converted."
        )
    return {
        "model": "iclrec_published",
        "hidden_dim": hidden_dim,
        "max_length": weights[_POSITIONS].shape[0],
        "num_blocks": len(blocks),
        "num_heads": num_heads,
        # Each for itself, as they were trained.
        "padding_places": weights[_POSITIONS].shape[0],
    }


def published_vocabulary(weights: Mapping[str, np.ndarray]) -> Vocabulary:
    """The items of the checkpoint, ``"1"`` to the last one."""
    return Vocabulary(np.arange(1, len(weights[_ITEMS]) - 1).astype(str))


def load_published_weights(model: SequentialRecommender, weights: Mapping[str, np.ndarray]) -> None:
    """Copy the weights into a built model of `published_settings`.

    Raises:
        UserError: If a parameter is missing or has another shape.
    """

    def take(name: str, *shape: int) -> np.ndarray:
        if name not in weights:
            raise UserError(f"The checkpoint has no parameter {name!r}.")
        if weights[name].shape != shape:
            raise UserError(f"{name!r} has the shape {weights[name].shape}; expected {shape}.")
        return np.asarray(weights[name], dtype=np.float32)

    def dense(layer, *names: str) -> None:
        inputs, outputs = layer.kernel.shape
        outputs //= len(names)
        kernels = [take(f"{name}.weight", outputs, inputs) for name in names]
        biases = [take(f"{name}.bias", outputs) for name in names]
        layer.set_weights([np.concatenate(kernels).T, np.concatenate(biases)])

    def norm(layer, name: str) -> None:
        (dim,) = layer.gamma.shape
        layer.set_weights([take(f"{name}.weight", dim), take(f"{name}.bias", dim)])

    encoder = model.encoder
    items = np.zeros(encoder.item_embedding.embeddings.shape, dtype=np.float32)
    num_items, hidden_dim = len(items) - NUM_SPECIAL_IDS, items.shape[1]
    rows = take(_ITEMS, num_items + 2, hidden_dim)
    items[PADDING_ID], items[NUM_SPECIAL_IDS:] = rows[0], rows[1:-1]
    encoder.item_embedding.set_weights([items])
    encoder.transformer.positions[0].set_weights([take(_POSITIONS, encoder.max_length, hidden_dim)])
    norm(encoder.transformer.embedding_norm, "LayerNorm")
    for index, block in enumerate(encoder.transformer.blocks):
        prefix = _BLOCK.format(index)
        parts = [f"{prefix}attention.{name}" for name in ("query", "key", "value")]
        dense(block.attention.query_key_value, *parts)
        dense(block.attention.output_dense, f"{prefix}attention.dense")
        norm(block.attention_norm, f"{prefix}attention.LayerNorm")
        dense(block.feed_forward.expand, f"{prefix}intermediate.dense_1")
        dense(block.feed_forward.contract, f"{prefix}intermediate.dense_2")
        norm(block.feed_forward.norm, f"{prefix}intermediate.LayerNorm")
