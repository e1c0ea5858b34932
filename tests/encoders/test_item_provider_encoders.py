import keras
import numpy as np
import pytest

from tf_iclrec.encoders.cross_stream import CrossStreamEncoder
from tf_iclrec.encoders.provider_sum import ProviderSumEncoder
from tf_iclrec.encoders.self_attentive import SelfAttentiveEncoder
from tf_iclrec.encoders.single_stream import SingleStreamEncoder
from tf_iclrec.layers.masks import causal_mask

SETTINGS = {
    "vocabulary_size": 30,
    "provider_vocabulary_size": 12,
    "max_length": 8,
    "hidden_dim": 16,
    "num_blocks": 1,
    "num_heads": 2,
    "feedforward_dim": 24,
    "dropout": 0.5,
    "initializer_stddev": 0.1,
    "attribute_vocabulary_sizes": (8,),
}
KINDS = [ProviderSumEncoder, SingleStreamEncoder, CrossStreamEncoder]
TABLE = np.array([0, 1, 2, *(3 + 5 * item % 9 for item in range(3, 30))])
ATTRIBUTE = np.array([0, 1, 2, *(3 + item % 5 for item in range(3, 30))])
ITEMS = [5, 9, 4, 9]
PROVIDERS = [3, 7, 11, 6]  # Not those of the table.
ITEM_IDS = np.array([[0, 0, *ITEMS], [*ITEMS, 0, 0], [7, 8, *ITEMS]], dtype="int32")
PROVIDER_IDS = np.array([[0, 0, *PROVIDERS], [*PROVIDERS, 0, 0], [4, 5, *PROVIDERS]], dtype="int32")


def build(kind, **settings):
    """An encoder whose every weight matters, the position tables included."""
    keras.utils.set_random_seed(0)
    encoder = kind(**SETTINGS | settings)
    encoder.build()
    rng = np.random.default_rng(0)
    for weight in encoder.trainable_variables:
        weight.assign_add(rng.normal(scale=0.3, size=weight.shape))
    encoder.set_item_providers(TABLE)
    encoder.set_item_attributes([ATTRIBUTE])
    return encoder


@pytest.fixture(scope="module", params=[True, False], ids=["relative", "absolute"])
def relative(request):
    return request.param


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.__name__)
def encoder(request, relative):
    return build(request.param, relative_positions=relative)


def encode(encoder, items, providers=None, **kwargs):
    """Hidden states ``(streams, batch, time, dim)``: of the items, and of the providers where
    the encoder has a stream of them."""
    inputs = {"item_ids": items} | ({} if providers is None else {"provider_ids": providers})
    inputs = {name: np.atleast_2d(np.asarray(ids, "int32")) for name, ids in inputs.items()}
    streams = keras.tree.flatten(encoder(inputs, **kwargs))
    return np.stack([np.asarray(stream).astype("float32") for stream in streams])


@pytest.mark.parametrize("side", [0, 1], ids=["item", "provider"])
@pytest.mark.parametrize("place", [0, 2])
def test_a_step_of_either_side_is_seen_from_then_on_by_both_and_never_before(encoder, side, place):
    changed = [list(ITEMS), list(PROVIDERS)]
    changed[side][place] = 10
    before, after = encode(encoder, ITEMS, PROVIDERS), encode(encoder, *changed)
    np.testing.assert_allclose(before[:, :, :place], after[:, :, :place], atol=2e-6)
    difference = np.abs(before - after)[:, 0].max(axis=-1)
    seen = np.broadcast_to(np.arange(4) >= place, difference.shape).copy()
    if isinstance(encoder, CrossStreamEncoder) and side == 0:
        # Providers get only queries from the items, and the first one has a single key to see.
        seen[1, 0] = False
    assert ((difference > 1e-3) == seen).all()


def test_providers_are_looked_up_unless_given(encoder):
    looked_up = encode(encoder, ITEM_IDS)
    np.testing.assert_array_equal(looked_up, encode(encoder, ITEM_IDS, TABLE[ITEM_IDS]))
    given = encode(encoder, ITEM_IDS, PROVIDER_IDS)
    assert (np.abs(given - looked_up)[:, :, 3].max(axis=-1) > 1e-3).all()


def test_the_sum_is_the_plain_encoder_over_summed_vectors(relative):
    encoder = build(ProviderSumEncoder, relative_positions=relative)
    only = ("provider_vocabulary_size", "attribute_vocabulary_sizes")
    settings = {k: v for k, v in SETTINGS.items() if k not in only}
    plain = SelfAttentiveEncoder(**settings, relative_positions=relative)
    plain.build()
    plain.item_embedding.set_weights([encoder.item_vectors(np.arange(30))])
    plain.transformer.set_weights(encoder.transformer.get_weights())
    expected = [plain({"item_ids": ITEM_IDS})]
    np.testing.assert_allclose(encode(encoder, ITEM_IDS), expected, atol=1e-5)
    np.testing.assert_allclose(encoder.item_vectors(), plain.item_vectors(), atol=1e-6)


def embedded(encoder):
    """Both streams of the batch, with their segments."""
    items, providers = encoder.embedding({"item_ids": ITEM_IDS, "provider_ids": PROVIDER_IDS})
    (segments,) = encoder.segments.get_weights()
    assert np.abs(segments[0] - segments[1]).max() > 0.1
    return items + segments[0], providers + segments[1]


def test_the_single_stream_is_one_transformer_over_both_sides(relative):
    encoder = build(SingleStreamEncoder, relative_positions=relative)
    expected = encoder.transformer(embedded(encoder), ITEM_IDS != 0)
    np.testing.assert_array_equal(encode(encoder, ITEM_IDS, PROVIDER_IDS), expected)


@pytest.mark.parametrize("num_fusion_blocks", [1, 2])
def test_the_cross_stream_fuses_a_transformer_per_side(relative, num_fusion_blocks):
    settings = {"relative_positions": relative, "num_fusion_blocks": num_fusion_blocks}
    encoder = build(CrossStreamEncoder, **settings)
    valid = ITEM_IDS != 0
    items, providers = embedded(encoder)
    (items,) = encoder.item_transformer([items], valid)
    (providers,) = encoder.provider_transformer([providers], valid)
    unfused = np.stack([items, providers])
    assert len(encoder.fusion_blocks) == num_fusion_blocks
    for index, block in enumerate(encoder.fusion_blocks):
        biases = None
        if relative:
            bias = np.asarray(encoder.fusion_positions[index](valid))
            assert bias.shape == (4, 6, 6)
            biases = bias[:2], bias[2:]
        items, providers = block(items, providers, allowed=causal_mask(valid), biases=biases)
    fused = np.stack([items, providers])
    streams = encode(encoder, ITEM_IDS, PROVIDER_IDS)
    np.testing.assert_allclose(streams[:, valid], fused[:, valid], atol=2e-6)
    assert (np.abs(fused - unfused)[:, valid].max(axis=-1) > 1e-2).all()


@pytest.mark.parametrize(
    ("kind", "name"),
    [(SingleStreamEncoder, "transformer"), (CrossStreamEncoder, "item_transformer")],
)
def test_the_item_stream_differs_from_one_without_a_provider_stream(kind, name):
    encoder = build(kind, relative_positions=False)
    only = ("provider_vocabulary_size", "attribute_vocabulary_sizes")
    settings = {k: v for k, v in SETTINGS.items() if k not in only}
    alone = SelfAttentiveEncoder(**settings, relative_positions=False)
    alone.build()
    items, _ = encoder.embedding({"item_ids": np.arange(30)})
    alone.item_embedding.set_weights([items + encoder.segments.table[0]])
    own, other = (
        [transformer.positions[0], transformer.embedding_norm, *transformer.blocks]
        for transformer in (alone.transformer, getattr(encoder, name))
    )
    for layer, source in zip(own, other, strict=True):
        layer.set_weights(source.get_weights())
    difference = np.abs(encode(encoder, ITEM_IDS)[0] - alone({"item_ids": ITEM_IDS}))
    assert (difference[ITEM_IDS != 0].max(axis=-1) > 1e-2).all()


def test_dropout_reaches_both_transformers_and_the_fusion():
    encoder = build(CrossStreamEncoder)
    layers = [encoder.item_transformer, encoder.provider_transformer, *encoder.fusion_blocks]
    assert [layer.dropout for layer in layers] == [0.5, 0.5, 0.5]


def test_item_vectors_join_those_of_items_and_their_providers_as_the_streams_are(encoder):
    layer = encoder.embedding
    tables = (layer.item_embedding, layer.provider_embedding, *layer.attribute_embeddings)
    items, providers, values = (table.get_weights()[0] * table.scale for table in tables)
    expected = items + providers[TABLE] + values[ATTRIBUTE]
    if not isinstance(encoder, ProviderSumEncoder):
        expected = np.concatenate([expected, providers[TABLE]], axis=1)
    assert expected.shape == (30, encoder.output_dim)
    np.testing.assert_array_equal(encoder.item_vectors(), expected[3:])
    ids = np.array([[3, 29], [1, 0]])
    np.testing.assert_array_equal(encoder.item_vectors(ids), expected[ids])


def test_the_table_of_providers_is_not_trainable(encoder):
    names = [weight.name for weight in encoder.trainable_variables]
    assert "item_providers" not in names


@pytest.mark.parametrize("kind", KINDS)
def test_feedforward_is_four_times_as_wide_by_default(kind):
    encoder = build(kind, feedforward_dim=None)
    assert encoder.feedforward_dim == 64
    widths = {weight.shape[-1] for weight in encoder.trainable_variables if "expand" in weight.path}
    assert widths == {64}


def test_providers_and_attributes_learn_three_times_as_fast_in_the_sum(encoder):
    expected = 3.0 if isinstance(encoder, ProviderSumEncoder) else 1.0
    assert [table.scale for table in encoder.value_embeddings] == [expected] * 2
    assert [
        one.scale for one in build(type(encoder), value_learning_rate=2.0).value_embeddings
    ] == [2.0] * 2
