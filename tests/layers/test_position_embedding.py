import numpy as np
import pytest
from keras import ops

from tf_iclrec.layers.position_embedding import PositionEmbedding

VALID = np.array([[0, 1, 1, 1], [1, 1, 1, 0], [1, 1, 1, 1]], dtype=bool)


@pytest.fixture
def layer():
    layer = PositionEmbedding(max_length=6, dim=3)
    layer.build(None)
    # Row r of the table is (r, r, r).
    layer.set_weights([np.repeat(np.arange(6.0)[:, None], 3, axis=1)])
    return layer


def test_gives_a_vector_per_position(layer):
    assert layer(VALID).shape == (3, 4, 3)


def test_last_real_item_has_the_last_row_wherever_the_padding_is(layer):
    rows = ops.convert_to_numpy(layer(VALID))[:, :, 0]
    assert rows[0, 1:].tolist() == [3, 4, 5]
    assert rows[1, :3].tolist() == [3, 4, 5]
    assert rows[2].tolist() == [2, 3, 4, 5]


def test_items_keep_their_places_where_others_are_taken_out(layer):
    """As views do with ``masked_as_padding``."""
    rows = ops.convert_to_numpy(layer(np.array([[False, True, False, True]])))[0, :, 0]
    assert rows[[1, 3]].tolist() == [3, 5]


def test_a_row_without_items_is_finite(layer):
    assert np.isfinite(layer(np.zeros((1, 4), dtype=bool))).all()


def test_initial_values_have_the_given_spread():
    layer = PositionEmbedding(max_length=200, dim=50, initializer_stddev=0.5)
    layer.build(None)
    assert np.std(layer.get_weights()[0]) == pytest.approx(0.5, rel=0.05)


def test_config_round_trip():
    layer = PositionEmbedding(max_length=6, dim=3, initializer_stddev=0.5, name="positions")
    config = layer.get_config()
    assert PositionEmbedding.from_config(config).get_config() == config
    assert (config["max_length"], config["dim"], config["initializer_stddev"]) == (6, 3, 0.5)


def test_saved_layer_gives_the_same_output(layer, reload):
    np.testing.assert_array_equal(reload(layer, VALID)(VALID), layer(VALID))


def test_mixed_precision_is_near_float32(layer, in_mixed_precision):
    np.testing.assert_allclose(in_mixed_precision(layer, VALID), layer(VALID), rtol=1e-2)
