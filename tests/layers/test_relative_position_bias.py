import numpy as np
import pytest

from tf_iclrec.layers.relative_position_bias import RelativePositionBias

INPUTS = np.ones((4, 5, 8), dtype="float32")


@pytest.fixture
def layer():
    layer = RelativePositionBias(num_heads=2, max_length=3)
    layer.build(None)
    layer.set_weights([np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])])
    return layer


def test_has_a_matrix_per_head(layer):
    assert layer(INPUTS).shape == (2, 5, 5)


def test_value_depends_on_distance_only_and_later_keys_have_none(layer):
    # The table ends at distance 2; what lies further back shares its value.
    expected = [
        [1, 0, 0, 0, 0],
        [2, 1, 0, 0, 0],
        [3, 2, 1, 0, 0],
        [3, 3, 2, 1, 0],
        [3, 3, 3, 2, 1],
    ]
    first, second = np.asarray(layer(INPUTS))
    assert first.tolist() == expected
    assert second.tolist() == (10 * np.array(expected)).tolist()


def test_two_sided_it_depends_on_distances_to_both_sides():
    layer = RelativePositionBias(num_heads=2, max_length=3, two_sided=True)
    layer.build(None)
    # Two and one to the right, the same position, one and two to the left.
    table = np.array([-2.0, -1.0, 1.0, 2.0, 3.0])
    layer.set_weights([np.array([table, 10 * table])])
    expected = [
        [1, -1, -2, -2, -2],
        [2, 1, -1, -2, -2],
        [3, 2, 1, -1, -2],
        [3, 3, 2, 1, -1],
        [3, 3, 3, 2, 1],
    ]
    first, second = np.asarray(layer(INPUTS))
    assert first.tolist() == expected
    assert second.tolist() == (10 * np.array(expected)).tolist()
    config = layer.get_config()
    assert config["two_sided"]
    assert RelativePositionBias.from_config(config).get_config() == config


def test_starts_without_any_preference():
    assert not np.any(RelativePositionBias(num_heads=2, max_length=3)(INPUTS))


def test_config_round_trip(layer):
    config = layer.get_config()
    assert RelativePositionBias.from_config(config).get_config() == config
    assert (config["num_heads"], config["max_length"]) == (2, 3)


def test_saved_layer_gives_the_same_output(layer, reload):
    np.testing.assert_array_equal(reload(layer, INPUTS)(INPUTS), layer(INPUTS))


def test_mixed_precision_is_near_float32(layer, in_mixed_precision):
    np.testing.assert_allclose(in_mixed_precision(layer, INPUTS), layer(INPUTS), rtol=1e-2)
