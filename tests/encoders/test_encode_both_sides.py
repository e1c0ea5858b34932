"""Encoders as pre-training uses them: with a view of what comes later, where they can have one."""

import numpy as np
import pytest

from tf_iclrec import CrossStreamEncoder, SelfAttentiveEncoder

ITEMS = [5, 9, 4, 7]


def build(kind, **settings):
    """An encoder whose every weight matters, the position tables included."""
    encoder = kind(30, max_length=8, hidden_dim=16, initializer_stddev=0.1, **settings)
    encoder.build()
    rng = np.random.default_rng(0)
    for weight in encoder.trainable_variables:
        weight.assign_add(rng.normal(scale=0.3, size=weight.shape))
    return encoder


@pytest.fixture(params=[True, False], ids=["relative", "absolute"])
def encoder(request):
    return build(SelfAttentiveEncoder, relative_positions=request.param)


def both_sides(encoder, ids, **kwargs):
    inputs = {"item_ids": np.atleast_2d(np.array(ids, dtype="int32"))}
    return np.asarray(encoder.encode_both_sides(inputs, **kwargs))


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_every_position_sees_every_item(encoder, place):
    changed = list(ITEMS)
    changed[place] = 20
    difference = np.abs(both_sides(encoder, changed) - both_sides(encoder, ITEMS))
    assert (difference.max(axis=-1) > 1e-3).all()


def test_is_the_transformer_without_its_mask(encoder):
    ids = np.array([ITEMS])
    valid = np.ones((1, 4), dtype=bool)
    (expected,) = encoder.transformer([encoder.item_embedding(ids)], valid, causal=False)
    np.testing.assert_allclose(both_sides(encoder, ids), expected, atol=1e-6)


@pytest.mark.parametrize(("left", "right"), [(4, 0), (0, 4), (1, 2)])
def test_padding_never_changes_a_real_position(encoder, left, right):
    padded = both_sides(encoder, [0] * left + ITEMS + [0] * right)
    np.testing.assert_allclose(padded[:, left : left + 4], both_sides(encoder, ITEMS), atol=5e-6)
    is_padding = np.ones(left + 4 + right, dtype=bool)
    is_padding[left : left + 4] = False
    assert not padded[:, is_padding].any()


def test_the_call_stays_causal(encoder):
    inputs = [{"item_ids": np.array([ids])} for ids in (ITEMS, [*ITEMS[:3], 20])]
    before, after = (np.asarray(encoder(one)) for one in inputs)
    np.testing.assert_allclose(before[:, :3], after[:, :3], atol=1e-6)


def test_drops_values_only_in_training(encoder):
    calm = both_sides(encoder, ITEMS)
    np.testing.assert_array_equal(both_sides(encoder, ITEMS, training=False), calm)
    assert np.abs(both_sides(encoder, ITEMS, training=True) - calm).max() > 1e-3


def test_mixed_precision_is_near_float32(encoder):
    settings = {"relative_positions": encoder.relative_positions, "dtype": "mixed_bfloat16"}
    half = build(SelfAttentiveEncoder, **settings)
    half.set_weights(encoder.get_weights())
    states = half.encode_both_sides({"item_ids": np.array([ITEMS])})
    assert states.dtype == "bfloat16"
    np.testing.assert_allclose(
        np.asarray(states).astype("float32"), both_sides(encoder, ITEMS), atol=0.1
    )


def test_encoders_that_cannot_look_ahead_give_what_they_always_give():
    encoder = build(CrossStreamEncoder, provider_vocabulary_size=9)
    ids = {"item_ids": np.array([[0, *ITEMS]])}
    for both, ahead in zip(encoder.encode_both_sides(ids), encoder(ids), strict=True):
        np.testing.assert_array_equal(both, ahead)
