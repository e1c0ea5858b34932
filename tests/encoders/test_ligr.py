import math

import numpy as np
import pytest

from tf_iclrec.encoders.ligr import LiGREncoder

SETTINGS = {
    "vocabulary_size": 30,
    "max_length": 8,
    "hidden_dim": 8,
    "num_blocks": 2,
    "num_heads": 2,
    "feedforward_dim": 12,
    "dropout": 0.5,
    "initializer_stddev": 0.1,
}
ITEMS = [5, 9, 4, 9]
BATCH = np.array([[0, 0, *ITEMS], [*ITEMS, 0, 0], [7, 8, *ITEMS]], dtype="int32")


def build(**settings):
    """An encoder whose every weight matters, the position tables included."""
    encoder = LiGREncoder(**SETTINGS | settings)
    encoder.build()
    rng = np.random.default_rng(0)
    encoder.set_weights([rng.normal(scale=0.4, size=w.shape) for w in encoder.get_weights()])
    return encoder


@pytest.fixture(params=[True, False], ids=["relative", "absolute"])
def encoder(request):
    return build(relative_positions=request.param)


def encode(encoder, ids, **kwargs):
    ids = np.atleast_2d(np.asarray(ids, dtype="int32"))
    return np.asarray(encoder({"item_ids": ids}, **kwargs)).astype("float32")


def norm(x, layer):
    scale, shift = layer.get_weights()
    return (x - x.mean()) / math.sqrt(x.var() + 1e-5) * scale + shift


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def dense(x, layer):
    kernel, bias = layer.get_weights()
    return x @ kernel + bias


def slow_states(encoder, items):
    """Position by position and head by head; attention is that of SASRec."""
    dim, heads = encoder.hidden_dim, encoder.num_heads
    size = dim // heads
    x = encoder.item_embedding.get_weights()[0].astype("float64")[items]
    if not encoder.relative_positions:
        x = x + encoder.positions[0].get_weights()[0][-len(items) :]
    for number, block in enumerate(encoder.blocks):
        rows = np.array([norm(row, block.attention_norm) for row in x])
        q, k, v = np.split(dense(rows, block.attention.query_key_value), 3, axis=1)
        y = np.zeros_like(x)
        for query in range(len(items)):
            attended = np.zeros(dim)
            for head in range(heads):
                part = slice(head * size, (head + 1) * size)
                scores = q[query, part] @ k[: query + 1, part].T / math.sqrt(size)
                if encoder.relative_positions:
                    (table,) = encoder.positions[number].get_weights()
                    scores = scores + table[head, : query + 1][::-1]
                weights = np.exp(scores) / np.exp(scores).sum()
                attended[part] = weights @ v[: query + 1, part]
            gate = sigmoid(dense(x[query], block.attention_gate))
            hidden = x[query] + gate * dense(attended, block.attention.output_dense)
            (expand,) = block.expand.get_weights()
            (contract,) = block.contract.get_weights()
            switch, value = np.split(norm(hidden, block.feedforward_norm) @ expand, 2)
            gate = sigmoid(dense(hidden, block.feedforward_gate))
            y[query] = hidden + gate * ((switch * sigmoid(switch) * value) @ contract)
        x = y
    return x


def test_matches_slow_transcription(encoder):
    hidden = encode(encoder, BATCH)
    for row, ids in enumerate(BATCH):
        expected = slow_states(encoder, ids[ids != 0])
        np.testing.assert_allclose(hidden[row][ids != 0], expected, rtol=1e-3, atol=1e-4)


def test_heads_must_divide_the_width():
    with pytest.raises(ValueError, match="width 8 can't be divided into 3"):
        build(num_heads=3)
