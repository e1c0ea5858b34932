import numpy as np
import pytest

from tf_iclrec.layers.attention import attend, check_heads, split_heads


@pytest.fixture
def query_key_value(rng):
    """Each ``(batch, heads, time, head_dim)``."""
    return rng.normal(size=(3, 3, 2, 5, 4)).astype("float32")


def test_heads_are_consecutive_columns_of_queries_then_keys_then_values():
    mixed = np.arange(24.0).reshape(1, 2, 12)
    query, key, value = split_heads(mixed, num_heads=2)
    assert query.shape == (1, 2, 2, 2)
    assert np.asarray(query)[0].tolist() == [[[0, 1], [12, 13]], [[2, 3], [14, 15]]]
    assert np.asarray(key)[0, :, 0].tolist() == [[4, 5], [6, 7]]
    assert np.asarray(value)[0, :, 1].tolist() == [[20, 21], [22, 23]]


def test_heads_must_divide_the_width():
    check_heads(8, 2)
    with pytest.raises(ValueError, match="width 8 can't be divided into 3"):
        check_heads(8, 3)


@pytest.mark.parametrize("with_bias", [False, True])
def test_matches_slow_transcription_at_real_positions(
    query_key_value, valid, allowed, bias, with_bias, slow_attend
):
    outputs = np.asarray(attend(*query_key_value, allowed, bias if with_bias else None))
    assert outputs.shape == (3, 5, 8)
    # Heads side by side.
    joined = query_key_value.transpose(0, 1, 3, 2, 4).reshape(3, 3, 5, 8)
    for row, real in enumerate(valid):
        expected = slow_attend(*joined[:, row], allowed[row], bias * with_bias)
        np.testing.assert_allclose(outputs[row, real], expected[real], rtol=1e-4, atol=1e-5)


def test_weights_by_hand():
    # Scores 0 and ln 3 share the values 1 and 3 out as 1/4 and 3/4.
    query, key = np.array([[[[2.0]]]] * 2), np.array([[[[0.0], [np.log(3) / 2]]]] * 2)
    value = np.array([[[[1.0], [3.0]]]] * 2)
    both, first = np.array([[[True, True]], [[True, False]]])[:, None]
    outputs = attend(query, key, value, np.concatenate([both, first]))
    np.testing.assert_allclose(np.ravel(outputs), [2.5, 1.0])


def test_dropout_is_applied_to_the_weights(query_key_value, allowed):
    halved = attend(*query_key_value, allowed, dropout=lambda weights: weights / 2)
    np.testing.assert_allclose(halved, attend(*query_key_value, allowed) / 2, rtol=1e-5)


def test_a_query_without_keys_is_finite(query_key_value, allowed):
    assert np.isfinite(attend(*query_key_value, np.zeros_like(allowed))).all()
