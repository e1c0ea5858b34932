import itertools

import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec.layers.causal_transformer import CausalTransformer

SETTINGS = {
    "num_blocks": 2,
    "num_heads": 2,
    "max_length": 6,
    "feedforward_dim": 12,
    "dropout": 0.5,
    "num_streams": 2,
}


@pytest.fixture(params=[True, False], ids=["relative", "absolute"])
def transformer(request, randomize, streams):
    transformer = CausalTransformer(**SETTINGS, relative_positions=request.param)
    transformer.build([stream.shape for stream in streams])
    return randomize(transformer)


def slow_transformer(transformer, streams, valid, causal=True, places=None, shown=None):
    """The blocks over the streams end to end, with mask and bias written out pair by pair."""
    count, (rows, time) = len(streams), valid.shape
    pairs = list(itertools.product(range(count), range(time)))
    allowed = np.zeros((rows, len(pairs), len(pairs)), dtype=bool)
    biases = np.zeros((2, 2, len(pairs), len(pairs)), dtype="float32")
    for (q, (reader, step)), (k, (read, earlier)) in itertools.product(enumerate(pairs), repeat=2):
        if earlier <= step or not causal:
            allowed[:, q, k] = valid[:, earlier]
        # A one-sided table says nothing of what is later.
        if transformer.relative_positions and (earlier <= step or transformer.two_sided):
            for block, head in np.ndindex(2, 2):
                (table,) = transformer.positions[block].get_weights()
                row = (head * count + reader) * count + read
                same_step = transformer.max_length - 1 if transformer.two_sided else 0
                biases[block, head, q, k] = table[row, same_step + step - earlier]
    if shown is not None:
        for row, query in np.ndindex(rows, len(pairs)):
            if not allowed[row, query].any():
                allowed[row, query] = np.tile(shown[row], count)
    if not transformer.relative_positions:
        tables = [layer.get_weights()[0] for layer in transformer.positions]
        positions = [np.asarray(layer(valid)) for layer in transformer.positions]
        if places is not None:
            positions = [table[places] for table in tables]
        streams = [stream + added for stream, added in zip(streams, positions, strict=True)]
    hidden = transformer.embedding_norm(np.concatenate(streams, axis=1))
    for block, bias in zip(transformer.blocks, biases, strict=True):
        hidden = block(hidden, allowed=allowed, bias=bias)
    return np.split(np.asarray(hidden), count, axis=1)


@pytest.mark.parametrize("num_streams", [1, 2, 3])
@pytest.mark.parametrize("relative", [True, False])
def test_matches_slow_transcription_at_real_positions(rng, valid, randomize, num_streams, relative):
    streams = list(rng.normal(size=(num_streams, 3, 5, 8)).astype("float32"))
    settings = SETTINGS | {"num_streams": num_streams, "relative_positions": relative}
    transformer = CausalTransformer(**settings)
    transformer.build([stream.shape for stream in streams])
    randomize(transformer)
    outputs = transformer(streams, valid)
    assert len(outputs) == num_streams
    expected = slow_transformer(transformer, streams, valid)
    for output, slow in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(np.asarray(output)[valid], slow[valid], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("num_streams", [1, 2])
@pytest.mark.parametrize("relative", [True, False])
@pytest.mark.parametrize("two_sided", [True, False])
@pytest.mark.parametrize("causal", [True, False])
def test_matches_slow_transcription_with_both_sides(
    rng, valid, randomize, num_streams, relative, two_sided, causal
):
    streams = list(rng.normal(size=(num_streams, 3, 5, 8)).astype("float32"))
    settings = {"num_streams": num_streams, "relative_positions": relative, "two_sided": two_sided}
    transformer = CausalTransformer(**SETTINGS | settings)
    transformer.build([stream.shape for stream in streams])
    randomize(transformer)
    outputs = transformer(streams, valid, causal=causal)
    expected = slow_transformer(transformer, streams, valid, causal)
    for output, slow in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(np.asarray(output)[valid], slow[valid], rtol=1e-4, atol=1e-5)
        assert not np.asarray(output)[~valid].any()


# Padding on the left, the same with gaps as masked items leave them, and nothing at all.
GAPS = np.array([[0, 0, 1, 1, 1], [0, 1, 0, 1, 0], [0, 0, 0, 0, 0]], dtype=bool)
# The second column is left out of the first and the last row.
SHOWN = np.array([[1, 0, 1, 1, 1], [1, 1, 1, 1, 1], [1, 0, 1, 1, 1]], dtype=bool)
PLACES = np.array([0, 1, 3, 4, 5], dtype="int32")


@pytest.mark.parametrize("num_streams", [1, 2])
@pytest.mark.parametrize(("relative", "places"), [(True, None), (False, None), (False, PLACES)])
def test_matches_slow_transcription_where_padding_takes_part(
    rng, randomize, num_streams, relative, places
):
    streams = list(rng.normal(size=(num_streams, 3, 5, 8)).astype("float32"))
    settings = {"num_streams": num_streams, "relative_positions": relative}
    transformer = CausalTransformer(**SETTINGS | settings)
    transformer.build([stream.shape for stream in streams])
    randomize(transformer)
    outputs = np.array(transformer(streams, GAPS, places=places, shown=SHOWN))
    expected = np.array(slow_transformer(transformer, streams, GAPS, places=places, shown=SHOWN))
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-5)


def test_padding_that_takes_part_sees_all_that_is_shown_and_no_real_position_sees_it(
    transformer, streams
):
    valid, shown = (mask[:1].repeat(3, axis=0) for mask in (GAPS, SHOWN))
    before = np.array(transformer(streams, valid, shown=shown))
    without = np.array(transformer(streams, valid))
    np.testing.assert_allclose(before[:, valid], without[:, valid], atol=1e-5)
    for place in range(5):
        changed = [stream.copy() for stream in streams]
        changed[0][:, place] *= -1.0
        after = np.array(transformer(changed, valid, shown=shown))
        difference = np.abs(after - before).max(axis=(0, 1, 3))
        seen_by = [0] if place != 1 else []
        seen_by += [1] if place == 1 else []
        assert (difference[[0]] > 1e-4).all() == (place != 1)
        items = np.arange(2, 5)
        assert ((difference[items] > 1e-4) == (items >= place)).all() or place < 2
        assert place >= 2 or (difference[items] < 1e-5).all()


def test_without_the_mask_every_real_position_sees_every_other(transformer, streams, valid):
    before = np.asarray(transformer(streams, valid, causal=False))
    changed = [stream.copy() for stream in streams]
    changed[0][:, 2] *= -1.0
    after = np.asarray(transformer(changed, valid, causal=False))
    assert (np.abs(after - before)[:, valid].max(axis=-1) > 1e-3).all()


def test_hidden_states_are_zero_at_padding(transformer, streams, valid):
    for hidden in np.asarray(transformer(streams, valid)):
        assert hidden.shape == (3, 5, 8)
        assert not hidden[~valid].any()
        assert (np.abs(hidden[valid]).max(axis=-1) > 0.1).all()


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("place", [2, 3, 4])
def test_a_step_of_either_stream_is_seen_from_then_on_by_both(
    transformer, streams, valid, side, place
):
    changed = [stream.copy() for stream in streams]
    changed[side][~valid] += 100.0
    changed[side][:, place] *= -1.0
    before, after = (np.asarray(transformer(pair, valid)) for pair in (streams, changed))
    earlier = valid & (np.arange(5) < place)
    np.testing.assert_allclose(after[:, earlier], before[:, earlier], atol=1e-5)
    # The last row has no padding.
    assert (np.abs(after - before)[:, 2, place:].max(axis=-1) > 1e-3).all()


def test_each_stream_has_its_own_positions(transformer):
    if transformer.relative_positions:
        assert [tuple(layer.table.shape) for layer in transformer.positions] == [(8, 6)] * 2
    else:
        assert [tuple(layer.table.shape) for layer in transformer.positions] == [(6, 8)] * 2


def test_a_row_of_padding_has_finite_gradients(transformer, streams):
    with tf.GradientTape() as tape:
        outputs = transformer([np.zeros_like(s) for s in streams], np.zeros((3, 5), dtype=bool))
        loss = sum(tf.reduce_sum(output**2) for output in outputs)
    for gradient in tape.gradient(loss, transformer.trainable_variables):
        assert np.isfinite(tf.convert_to_tensor(gradient)).all()


def test_drops_values_only_in_training(transformer, streams, valid):
    calm = np.asarray(transformer(streams, valid, training=False))
    np.testing.assert_array_equal(transformer(streams, valid), calm)
    dropped = np.asarray(transformer(streams, valid, training=True))
    assert (np.abs(dropped - calm).max(axis=(1, 2, 3)) > 1e-3).all()


def test_dropout_reaches_embeddings_and_blocks(transformer):
    assert transformer.embedding_dropout.rate == 0.5
    assert [block.dropout for block in transformer.blocks] == [0.5, 0.5]


def test_config_round_trip(transformer):
    config = transformer.get_config()
    assert config.items() >= SETTINGS.items()
    assert config["relative_positions"] == transformer.relative_positions
    assert CausalTransformer.from_config(config).get_config() == config


def test_saved_transformer_gives_the_same_output(transformer, streams, valid, reload):
    loaded = reload(transformer, list(streams), valid)
    expected = transformer(streams, valid)
    np.testing.assert_array_equal(loaded(list(streams), valid), expected)


def test_mixed_precision_is_near_float32(transformer, streams, valid, in_mixed_precision):
    outputs = in_mixed_precision(transformer, list(streams), valid)
    np.testing.assert_allclose(outputs, transformer(streams, valid), atol=0.15)
