import numpy as np
import pytest

from tf_iclrec.layers.window_filters import WindowFilters


@pytest.fixture
def layer():
    layer = WindowFilters(window=2, num_horizontal=1, num_vertical=1)
    layer.build((None, None, 1))
    return layer


def test_by_hand(layer):
    lower, higher = layer.horizontal
    lower.assign([[[2.0]]])
    higher.assign([[[1.0]], [[-1.0]]])
    layer.bias.assign([0.5, 0.0])
    layer.vertical.assign([[10.0], [1.0]])
    items = np.array([[[3.0], [1.0], [-4.0]]])
    found = layer(items, np.ones((1, 3), dtype=bool))[0].numpy().tolist()
    assert found == [
        [2 * 3 + 0.5, 0.0, 3.0],  # 0 - 3 is cut off at 0
        [2 * 3 + 0.5, 3.0 - 1.0, 10 * 3.0 + 1.0],
        [2 * 1 + 0.5, 1.0 + 4.0, 10 * 1.0 - 4.0],
    ]


def test_places_in_front_of_the_first_item_do_not_count(layer):
    """Else the bias would be the best fit there, where an item fits worse than nothing."""
    layer.horizontal[0].assign([[[-2.0]]])
    layer.bias.assign([0.5, 0.5])
    items = np.array([[[9.0], [1.0], [1.0]]])
    padded = layer(items, np.array([[False, True, True]]))[0, 1:]
    alone = layer(items[:, 1:], np.ones((1, 2), dtype=bool))[0]
    np.testing.assert_array_equal(padded, alone)
    assert padded[:, 0].numpy().tolist() == [0.0, 0.0]


def test_config_round_trip(layer):
    assert WindowFilters.from_config(layer.get_config()).get_config() == layer.get_config()
    assert layer.compute_output_shape((None, 5, 1)) == (None, 5, 3)
