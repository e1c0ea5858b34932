"""Weights of the ICLRec authors' program, as a model of this library.

Their names are those of the program's ``state_dict``; linear kernels are stored (out, in).
Item row 0 is padding, the last row an unused mask item, and row ``i`` item ``i`` between.
"""

import re
from collections.abc import Mapping

import numpy as np

from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, Vocabulary
from tf_iclrec.errors import UserError

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
    for name in (_ITEMS, _POSITIONS, _BLOCK.format(0) + "attention.query.weight"):
        if name not in weights:
            raise UserError(f"The checkpoint has no parameter {name!r}: it is not ICLRec's.")
    blocks = {
        match[1] for name in weights if (match := re.match(r"item_encoder\.layer\.(\d+)", name))
    }
    feedforward_dim = weights[_BLOCK.format(0) + "intermediate.dense_1.weight"].shape[0]
    hidden_dim = weights[_ITEMS].shape[1]
    if feedforward_dim != 4 * hidden_dim:
        raise UserError(
            f"The feed-forward width is {feedforward_dim}; only {4 * hidden_dim}, four times "
            "the hidden width, can be converted."
        )
    return {
        "model": "iclrec",
        "loss": "sampled",
        "relative_positions": False,
        "hidden_dim": hidden_dim,
        "max_length": weights[_POSITIONS].shape[0],
        "num_blocks": len(blocks),
        "num_heads": num_heads,
        "normalize_contrast": False,
        "intent_fnm": False,
    }


def published_vocabulary(weights: Mapping[str, np.ndarray]) -> Vocabulary:
    """The items of the checkpoint, ``"1"`` to the last one."""
    return Vocabulary(np.arange(1, len(weights[_ITEMS]) - 1).astype(str))


def load_published_weights(model, weights: Mapping[str, np.ndarray]) -> None:
    """Copy the weights into a built model of `published_settings`.

    Raises:
        UserError: If a parameter is missing or has another shape.
    """

    def take(name: str) -> np.ndarray:
        if name not in weights:
            raise UserError(f"The checkpoint has no parameter {name!r}.")
        return np.asarray(weights[name], dtype=np.float32)

    def assign(layer, *values: np.ndarray) -> None:
        shapes = [tuple(weight.shape) for weight in layer.weights]
        if shapes != [value.shape for value in values]:
            raise UserError(
                f"Parameters of {layer.path} have the shapes "
                f"{[value.shape for value in values]}; expected {shapes}."
            )
        layer.set_weights(values)

    def dense(layer, *names: str) -> None:
        kernel = np.concatenate([take(f"{name}.weight") for name in names]).T
        bias = np.concatenate([take(f"{name}.bias") for name in names])
        assign(layer, kernel, bias)

    def norm(layer, name: str) -> None:
        assign(layer, take(f"{name}.weight"), take(f"{name}.bias"))

    encoder = model.encoder
    rows = take(_ITEMS)
    items = np.zeros((len(rows) - 2 + NUM_SPECIAL_IDS, rows.shape[1]), dtype=np.float32)
    items[NUM_SPECIAL_IDS:] = rows[1:-1]
    assign(encoder.item_embedding, items)
    assign(encoder.positions[0], take(_POSITIONS))
    norm(encoder.embedding_norm, "LayerNorm")
    for index, block in enumerate(encoder.blocks):
        prefix = _BLOCK.format(index)
        parts = [f"{prefix}attention.{name}" for name in ("query", "key", "value")]
        dense(block.attention.query_key_value, *parts)
        dense(block.attention.output_dense, f"{prefix}attention.dense")
        norm(block.attention_norm, f"{prefix}attention.LayerNorm")
        dense(block.expand, f"{prefix}intermediate.dense_1")
        dense(block.contract, f"{prefix}intermediate.dense_2")
        norm(block.feedforward_norm, f"{prefix}intermediate.LayerNorm")
