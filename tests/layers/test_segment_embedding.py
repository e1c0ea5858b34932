import numpy as np
import pytest

from tf_iclrec.layers.segment_embedding import SegmentEmbedding


@pytest.fixture
def layer(randomize, streams):
    layer = SegmentEmbedding(num_segments=2, dim=8)
    layer.build([stream.shape for stream in streams])
    return randomize(layer)


def test_adds_to_every_position_the_vector_of_its_stream(layer, streams):
    table = layer.get_weights()[0]
    assert table.shape == (2, 8)
    outputs = layer(list(streams))
    for output, stream, vector in zip(outputs, streams, table, strict=True):
        for row, step in np.ndindex(3, 5):
            np.testing.assert_array_equal(output[row, step], stream[row, step] + vector)


def test_wants_one_stream_per_segment(layer, streams):
    with pytest.raises(ValueError, match="shorter"):
        layer([*streams, streams[0]])


def test_initial_values_have_the_given_spread():
    layer = SegmentEmbedding(num_segments=40, dim=100, initializer_stddev=0.5)
    layer.build()
    assert np.std(layer.get_weights()[0]) == pytest.approx(0.5, rel=0.05)


def test_config_round_trip():
    settings = {"num_segments": 2, "dim": 8, "initializer_stddev": 0.5}
    config = SegmentEmbedding(**settings).get_config()
    assert config.items() >= settings.items()
    assert SegmentEmbedding.from_config(config).get_config() == config


def test_saved_layer_gives_the_same_output(layer, streams, reload):
    loaded = reload(layer, list(streams))
    np.testing.assert_array_equal(loaded(list(streams)), layer(list(streams)))


def test_mixed_precision_is_near_float32(layer, streams, in_mixed_precision):
    outputs = in_mixed_precision(layer, list(streams))
    np.testing.assert_allclose(outputs, layer(list(streams)), atol=0.05)
