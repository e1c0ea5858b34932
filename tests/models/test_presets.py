import numpy as np
import pytest

from tf_iclrec import (
    CrossStreamEncoder,
    ItemAttribute,
    ProviderSumEncoder,
    SampledCrossEntropy,
    SelfAttentiveEncoder,
    SingleStreamEncoder,
    SoftmaxCrossEntropy,
    UserError,
    Vocabulary,
    build_model,
    make_config,
)


@pytest.fixture(scope="module")
def providers():
    """Forty-seven items of six providers."""
    of_items = np.array([0, 1, 2, *(3 + item % 6 for item in range(47))], dtype="int32")
    return ItemAttribute(Vocabulary(list("abcdef")), of_items)


@pytest.mark.parametrize(
    ("model", "encoder", "terms"),
    [
        ("sasrec", SelfAttentiveEncoder, []),
        ("cl4srec", SelfAttentiveEncoder, ["sequence_contrast"]),
        ("iclrec", SelfAttentiveEncoder, ["intent_contrast"]),
        ("iclrec_published", SelfAttentiveEncoder, ["sequence_contrast", "intent_contrast"]),
        ("ipsrec_s", SingleStreamEncoder, ["item_provider_contrast"]),
        ("ipsrec_c", CrossStreamEncoder, ["item_provider_contrast"]),
        ("iclrec_ips_s", SingleStreamEncoder, ["intent_contrast"]),
        ("iclrec_ips_c", CrossStreamEncoder, ["intent_contrast"]),
        ("iclrec_provider_sum", ProviderSumEncoder, ["intent_contrast"]),
        ("provider_sum", ProviderSumEncoder, []),
    ],
)
def test_a_preset_has_its_encoder_and_objectives(model, encoder, terms, providers):
    built = build_model(make_config(model=model), vocabulary_size=50, providers=providers)
    members = 1 if model == "iclrec_published" else 3
    assert [type(member) for member in built.members()] == [encoder] * members
    assert [term.name for term in built.objectives] == ["next_item", *terms]
    assert [term.weight for term in built.objectives] == [1.0] + [0.1] * len(terms)
    if encoder is not SelfAttentiveEncoder:
        for member in built.members():
            np.testing.assert_array_equal(member.embedding.item_providers, providers.of_items)
            assert member.provider_vocabulary_size == 9


@pytest.mark.parametrize("model", ["ipsrec_s", "ipsrec_c", "iclrec_provider_sum"])
def test_attributes_reach_every_encoder_with_providers(model, providers):
    of_items = np.array([0, 1, 2, *(3 + item % 2 for item in range(47))], dtype="int32")
    attribute = ItemAttribute(Vocabulary(["new", "old"]), of_items)
    built = build_model(make_config(model=model), 50, providers, [attribute])
    for member in built.members():
        assert member.attribute_vocabulary_sizes == (5,)
        np.testing.assert_array_equal(member.embedding.item_attributes[0], of_items)


def test_attributes_named_for_a_model_that_does_not_read_them_are_refused(providers):
    config = make_config(model="iclrec", items="items.csv", item_attributes="category")
    with pytest.raises(UserError, match="does not read --item-attributes: use --encoder provider"):
        build_model(config, 50, providers, [providers])
    # Those of prepared data, which other models may want, are left alone.
    build_model(make_config(model="iclrec"), 50, providers, [providers])


def test_an_option_wins_over_the_preset():
    built = build_model(make_config(model="sasrec", intent_weight=0.3), vocabulary_size=50)
    assert [term.weight for term in built.objectives] == [1.0, 0.3]


def test_settings_reach_the_model():
    config = make_config(
        loss="sampled",
        num_members=1,
        num_blocks=3,
        num_heads=4,
        hidden_dim=32,
        relative_positions=False,
        num_intents=(8, 16),
        intent_temperature=0.5,
        intent_views="augmented",
        intent_fnm=False,
        sequence_weight=0.2,
        sequence_fnm=True,
        normalize_contrast=False,
    )
    built = build_model(config, vocabulary_size=50)
    next_item, sequence, intent = built.objectives
    assert isinstance(next_item, SampledCrossEntropy)
    assert len(built.encoder.transformer.blocks) == 3
    assert built.encoder.transformer.blocks[0].attention.num_heads == 4
    assert built.encoder.item_vectors().shape == (47, 32)
    assert not built.encoder.relative_positions
    assert [tuple(weight.shape) for weight in built.intents.centroids] == [(8, 32), (16, 32)]
    assert (intent.temperature, intent.mitigate_false_negatives) == (0.5, False)
    assert intent.augmented
    assert sequence.weight == 0.2
    assert sequence.mitigate_false_negatives
    assert not sequence.normalize
    assert not intent.normalize


def test_the_default_loss_is_the_full_softmax():
    built = build_model(make_config(), vocabulary_size=50)
    assert isinstance(built.objectives[0], SoftmaxCrossEntropy)


def test_settings_reach_a_model_with_providers(providers):
    config = make_config(
        model="ipsrec_c",
        num_blocks=3,
        num_heads=4,
        hidden_dim=32,
        num_fusion_blocks=2,
        num_members=1,
        dropout=0.3,
        relative_positions=False,
        provider_weight=0.2,
        provider_temperature=0.5,
        provider_fnm=True,
        normalize_contrast=False,
        num_intents=(8,),
    )
    built = build_model(config, vocabulary_size=50, providers=providers)
    encoder, term = built.encoder, built.objectives[1]
    assert len(encoder.item_transformer.blocks) == len(encoder.provider_transformer.blocks) == 3
    assert len(encoder.fusion_blocks) == 2
    assert encoder.fusion_blocks[0].num_heads == 4
    assert encoder.item_vectors().shape == (47, 64)
    assert (encoder.dropout, encoder.relative_positions) == (0.3, False)
    assert (term.weight, term.temperature, term.normalize) == (0.2, 0.5, False)
    assert term.mitigate_false_negatives
    assert [tuple(weight.shape) for weight in built.intents.centroids] == [(8, 64)]


def test_an_encoder_can_be_named_beside_any_objectives(providers):
    config = make_config(model="cl4srec", encoder="single_stream", num_members=1)
    built = build_model(config, vocabulary_size=50, providers=providers)
    assert type(built.encoder) is SingleStreamEncoder
    assert [term.name for term in built.objectives] == ["next_item", "sequence_contrast"]


def test_a_table_without_any_known_provider_is_no_provider_information():
    unknown = ItemAttribute(Vocabulary([]), np.array([0, 1, 2, 1, 1]))
    with pytest.raises(UserError, match=r"--items.*--provider-column"):
        build_model(make_config(model="ipsrec_s"), vocabulary_size=5, providers=unknown)


def test_weight_0_takes_the_item_provider_contrast_out(providers):
    config = make_config(model="ipsrec_s", provider_weight=0.0)
    built = build_model(config, vocabulary_size=50, providers=providers)
    assert [term.name for term in built.objectives] == ["next_item"]
    assert not built.needs_sides


@pytest.mark.parametrize(
    "model", ["ipsrec_s", "ipsrec_c", "iclrec_ips_s", "iclrec_provider_sum", "provider_sum"]
)
def test_a_provider_model_without_providers_says_where_to_get_them(model):
    with pytest.raises(UserError, match=f"{model} reads providers") as error:
        build_model(make_config(model=model), vocabulary_size=50)
    assert "--items" in str(error.value)
    assert "--provider-column" in str(error.value)


@pytest.mark.parametrize("encoder", ["self_attentive", "provider_sum"])
def test_item_provider_contrast_needs_a_provider_stream(encoder, providers):
    config = make_config(encoder=encoder, provider_weight=0.1)
    with pytest.raises(
        UserError, match=f"encoder {encoder} of iclrec has not: use --encoder single_stream or"
    ):
        build_model(config, vocabulary_size=50, providers=providers)


def test_an_unknown_encoder_is_told_the_nearest_one():
    with pytest.raises(UserError, match="'cross_steam': did you mean 'cross_stream'"):
        make_config(encoder="cross_steam")
