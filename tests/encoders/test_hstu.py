import math

import numpy as np
import pytest

from tf_iclrec.encoders.hstu import HSTUEncoder

SETTINGS = {
    "vocabulary_size": 30,
    "max_length": 8,
    "hidden_dim": 8,
    "num_blocks": 2,
    "num_heads": 2,
    "dropout": 0.5,
    "initializer_stddev": 0.1,
}
ITEMS = [5, 9, 4, 9]
BATCH = np.array([[0, 0, *ITEMS], [*ITEMS, 0, 0], [7, 8, *ITEMS]], dtype="int32")


def build(**settings):
    """An encoder whose every weight matters, the position tables included."""
    encoder = HSTUEncoder(**SETTINGS | settings)
    encoder.build()
    rng = np.random.default_rng(0)
    encoder.set_weights([rng.normal(scale=0.4, size=w.shape) for w in encoder.get_weights()])
    return encoder


@pytest.fixture(params=[1, 2], ids="{} heads".format)
def encoder(request):
    return build(num_heads=request.param)


def encode(encoder, ids, **kwargs):
    ids = np.atleast_2d(np.asarray(ids, dtype="int32"))
    return np.asarray(encoder({"item_ids": ids}, **kwargs)).astype("float32")


def norm(x):
    return (x - x.mean()) / math.sqrt(x.var() + 1e-6)


def silu(x):
    return x / (1 + np.exp(-x))


def slow_states(encoder, items):
    """HSTU Eq. 1-3, query by query and head by head."""
    dim, heads = encoder.hidden_dim, encoder.num_heads
    size = dim // heads
    x = encoder.item_embedding.get_weights()[0].astype("float64")[items] * math.sqrt(dim)
    for block, positions in zip(encoder.blocks, encoder.positions, strict=True):
        (kernel,) = block.projection.get_weights()
        output_kernel, output_bias = block.output_dense.get_weights()
        (table,) = positions.get_weights()
        u, v, q, k = np.split(np.array([silu(norm(row) @ kernel) for row in x]), 4, axis=1)
        y = np.zeros_like(x)
        for query in range(len(items)):
            attended = np.zeros(dim)
            for head in range(heads):
                part = slice(head * size, (head + 1) * size)
                for key in range(query + 1):
                    score = q[query, part] @ k[key, part] + table[head, query - key]
                    attended[part] += silu(score) / encoder.max_length * v[key, part]
            y[query] = x[query] + (norm(attended) * u[query]) @ output_kernel + output_bias
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
