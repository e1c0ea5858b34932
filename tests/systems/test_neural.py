from typing import Annotated

import keras
import numpy as np
import pytest

from tf_iclrec import (
    SYSTEMS,
    Catalogue,
    Contrast,
    CrossStreamEncoder,
    Interactions,
    ItemAttribute,
    Objective,
    ProviderSumEncoder,
    SampledCrossEntropy,
    SampledSoftmaxCrossEntropy,
    SelfAttentiveEncoder,
    Setting,
    SingleStreamEncoder,
    SoftmaxCrossEntropy,
    UserError,
    Vocabulary,
    build_model,
    leave_one_out,
    make_config,
)
from tf_iclrec.objectives.registry import CONTRASTS, NEXT_ITEM_LOSSES
from tf_iclrec.settings import AUTO
from tf_iclrec.systems import neural


@pytest.fixture(scope="module")
def providers():
    """Forty-seven items of six providers."""
    of_items = np.array([0, 1, 2, *(3 + item % 6 for item in range(47))], dtype="int32")
    return ItemAttribute(Vocabulary(list("abcdef")), of_items)


@pytest.fixture(scope="module")
def catalogue(providers):
    return Catalogue(num_items=47, providers=providers)


@pytest.fixture(scope="module")
def everything(providers):
    return Catalogue(47, num_users=9, providers=providers, attributes={"age": providers})


ITEMS_ALONE = Catalogue(num_items=47, num_users=9)


def configured(**settings):
    """A configuration that leaves no number of intents to the data."""
    config = make_config(**settings)
    if config.get("intents", {}).get("num_intents") == AUTO:
        config = make_config(**settings, num_intents=(8,))
    return config


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
def test_a_system_has_its_encoder_and_objectives(model, encoder, terms, providers, catalogue):
    built = build_model(configured(model=model, num_members=2), catalogue)
    assert [type(member) for member in built.members()] == [encoder] * 2
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
    catalogue = Catalogue(47, providers=providers, attributes={"age": attribute})
    built = build_model(configured(model=model, num_members=2), catalogue)
    for member in built.members():
        assert member.attribute_vocabulary_sizes == (5,)
        np.testing.assert_array_equal(member.embedding.item_attributes[0], of_items)


def test_attributes_named_for_a_model_that_does_not_read_them_are_refused(providers):
    config = configured(model="iclrec", items="items.csv", item_attributes="category")
    catalogue = Catalogue(47, providers=providers, attributes={"category": providers})
    with pytest.raises(UserError, match="does not read --item-attributes: use --encoder provider"):
        build_model(config, catalogue)
    # Those of prepared data, which other models may want, are left alone.
    build_model(configured(model="iclrec"), catalogue)


def test_an_option_wins_over_the_system():
    built = build_model(configured(model="sasrec", intent_weight=0.3), ITEMS_ALONE)
    assert [term.weight for term in built.objectives] == [1.0, 0.3]


def test_settings_reach_the_model():
    config = make_config(
        loss="sampled",
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
    built = build_model(config, ITEMS_ALONE)
    next_item, sequence, intent = built.objectives
    assert isinstance(next_item, SampledCrossEntropy)
    assert len(built.encoder.transformer.blocks) == 3
    assert built.encoder.transformer.blocks[0].attention.num_heads == 4
    assert built.encoder.item_vectors().shape == (47, 32)
    assert not built.encoder.relative_positions
    assert [tuple(weight.shape) for weight in built.intents.centroids] == [(8, 32), (16, 32)]
    assert (intent.temperature, intent.mitigate_false_negatives) == (0.5, False)
    assert intent.views == "augmented"
    assert built.needs_views
    assert sequence.weight == 0.2
    assert sequence.mitigate_false_negatives
    assert not sequence.normalize
    assert not intent.normalize


def test_the_default_loss_is_the_full_softmax():
    built = build_model(configured(), ITEMS_ALONE)
    assert isinstance(built.objectives[0], SoftmaxCrossEntropy)


@pytest.mark.parametrize(
    ("encoder", "horizon"),
    [("self_attentive", 5), ("bidirectional", 1), ("matrix_factorization", 1)],
)
def test_only_where_next_items_are_asked_for_there_are_several(encoder, horizon):
    config = make_config(model="sasrec", encoder=encoder, hidden_dim=8)
    assert build_model(config, ITEMS_ALONE).objectives[0].horizon == horizon


@keras.saving.register_keras_serializable("tests")
class Patient(Objective):
    """A loss with a setting that only happens to be called as one of the softmax."""

    name = "next_item"

    def __init__(self, weight=1.0, horizon: Annotated[int, Setting("steps", option="steps")] = 3):
        super().__init__(weight)
        self.horizon = horizon

    def get_config(self):
        return super().get_config() | {"horizon": self.horizon}


@pytest.mark.parametrize("encoder", ["self_attentive", "bidirectional"])
def test_a_loss_of_ones_own_keeps_its_settings_whatever_is_asked_for(monkeypatch, encoder):
    monkeypatch.setitem(NEXT_ITEM_LOSSES, "patient", Patient)
    config = make_config(model="sasrec", encoder=encoder, loss="patient", steps=7, hidden_dim=8)
    assert build_model(config, ITEMS_ALONE).objectives[0].horizon == 7


def test_a_model_is_not_built_without_a_number_of_intents():
    with pytest.raises(UserError, match=r"is auto.*: num_intents=64, or .*choose_num_intents"):
        build_model(make_config(hidden_dim=8), ITEMS_ALONE)


def test_settings_reach_a_model_with_providers(catalogue):
    config = make_config(
        model="ipsrec_c",
        num_blocks=3,
        num_heads=4,
        hidden_dim=32,
        num_fusion_blocks=2,
        dropout=0.3,
        relative_positions=False,
        provider_weight=0.2,
        provider_temperature=0.5,
        provider_fnm=True,
        normalize_contrast=False,
        num_intents=(8,),
        score_temperature=0.3,
    )
    built = build_model(config, catalogue)
    encoder, term = built.encoder, built.objectives[1]
    assert len(encoder.item_transformer.blocks) == len(encoder.provider_transformer.blocks) == 3
    assert len(encoder.fusion_blocks) == 2
    assert encoder.fusion_blocks[0].num_heads == 4
    assert encoder.item_vectors().shape == (47, 64)
    assert (encoder.dropout, encoder.relative_positions) == (0.3, False)
    assert (term.weight, term.temperature, term.normalize) == (0.2, 0.5, False)
    assert term.mitigate_false_negatives
    assert [tuple(weight.shape) for weight in built.intents.centroids] == [(8, 64)]
    assert built.temperature == 0.3


def test_an_encoder_can_be_named_beside_any_objectives(catalogue):
    config = make_config(model="cl4srec", encoder="single_stream")
    built = build_model(config, catalogue)
    assert type(built.encoder) is SingleStreamEncoder
    assert [term.name for term in built.objectives] == ["next_item", "sequence_contrast"]


def test_a_table_without_any_known_provider_is_no_provider_information():
    unknown = ItemAttribute(Vocabulary([]), np.array([0, 1, 2, 1, 1]))
    with pytest.raises(UserError, match=r"--items.*--provider-column"):
        build_model(make_config(model="ipsrec_s"), Catalogue(2, providers=unknown))


def test_weight_0_takes_the_item_provider_contrast_out(catalogue):
    config = make_config(model="ipsrec_s", provider_weight=0.0)
    built = build_model(config, catalogue)
    assert [term.name for term in built.objectives] == ["next_item"]
    assert not built.needs_sides


@pytest.mark.parametrize(
    "model", ["ipsrec_s", "ipsrec_c", "iclrec_ips_s", "iclrec_provider_sum", "provider_sum"]
)
def test_a_provider_model_without_providers_says_where_to_get_them(model):
    with pytest.raises(UserError, match="reads providers and the data has none") as error:
        build_model(make_config(model=model), ITEMS_ALONE)
    assert "--items" in str(error.value)
    assert "--provider-column" in str(error.value)


@pytest.mark.parametrize("encoder", ["self_attentive", "provider_sum"])
def test_item_provider_contrast_needs_a_provider_stream(encoder, catalogue):
    config = make_config(encoder=encoder, provider_weight=0.1)
    with pytest.raises(
        UserError, match=f"encoder {encoder} of iclrec has not: use --encoder single_stream or"
    ):
        build_model(config, catalogue)


def test_a_contrast_of_ones_own_is_named_by_its_own_option(monkeypatch, catalogue):
    class Sides(Contrast):
        name, prefix, title, needs_sides = "own_sides", "own_sides_", "Own sides", True

    monkeypatch.setitem(CONTRASTS, "own_sides", Sides)
    with pytest.raises(UserError, match="contrast of --own-sides-weight needs a provider stream"):
        build_model(make_config(model="sasrec", own_sides_weight=0.1), catalogue)


def test_a_start_of_the_item_vectors_is_a_function_and_a_name(monkeypatch, split):
    def start_from_a_number(
        members, split, start_at: Annotated[float, Setting("where all vectors start")] = 1.0, seed=0
    ):
        for member in members:
            table = member.item_embedding.embeddings
            table.assign(np.full(table.shape, start_at + seed))

    monkeypatch.setitem(neural.STARTS, "a_number", start_from_a_number)
    config = make_config(
        model="sasrec",
        item_initialization="a_number",
        start_at=0.5,
        hidden_dim=8,
        num_members=2,
        seed=1,
    )
    model = build_model(config, split.catalogue)
    neural._initialize(model, split, config)
    for member in model.members():
        assert (member.item_embedding.embeddings.numpy() == 1.5).all()


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(UserError, match="width 256 can't be divided into 3 attention heads"):
        build_model(make_config(num_heads=3), ITEMS_ALONE)


@pytest.mark.parametrize(
    "model", [name for name, system in SYSTEMS.items() if system.family is neural.NEURAL]
)
def test_settings_reach_the_parts_that_declare_them(model, everything):
    """Every setting of the encoder, the scores and the objectives, at another value than its own,
    is an attribute of the built part."""
    # As if `everything` had been read of a table of items.
    attributes = "age" if "attributes" in SYSTEMS[model].family.reads(SYSTEMS[model]) else ""
    known = {"items": "items.csv", "item_attributes": attributes} if attributes else {}
    config = make_config(model=model, **known)
    sections = {section.key: section for section in SYSTEMS[model].family.sections}
    keys = ["encoder", "scores", *(key for key in CONTRASTS if config[key]["weight"])]
    others = {}
    for key in keys:
        for name, declared in sections[key].settings(config[key].get("name", "")).items():
            option = declared.option(sections[key].prefix)
            others[option] = another(declared, config[key][name])
    built = build_model(configured(model=model, **known, **others), everything)
    parts = {term.name: term for term in built.objectives}
    parts |= {"encoder": built.members()[0], "scores": built}
    for key in keys:
        for name, declared in sections[key].settings(config[key].get("name", "")).items():
            value = others[declared.option(sections[key].prefix)]
            assert getattr(parts[key], name) == value, name
            assert value != config[key][name]


def another(declared, value):
    """An allowed value that is another one."""
    if declared.kind is bool:
        return not value
    if declared.choices:
        return next(choice for choice in declared.choices if choice != value)
    candidates = [2 * value, 1] if declared.kind is int else [2 * value, value / 2, 0.5, 1.0]
    return next(one for one in candidates if one != value and declared.setting.allows(one))


@pytest.mark.parametrize(
    ("model", "settings", "reads"),
    [
        ("sasrec", {}, ("items",)),
        ("provider_sum", {}, ("items", "providers", "attributes")),
        ("iclrec_ips_c", {}, ("items", "providers", "attributes")),
    ],
)
def test_what_a_system_reads_is_what_its_model_reads(model, settings, reads, catalogue):
    system = SYSTEMS[model]
    assert system.family.reads(system) == reads
    assert build_model(configured(model=model, **settings), catalogue).reads == reads


def test_the_loss_depends_on_the_number_of_items(monkeypatch, capsys):
    config = make_config(model="sasrec", hidden_dim=8, sampling="uniform")
    monkeypatch.setattr(neural, "MAX_SOFTMAX_ITEMS", 47)
    assert isinstance(build_model(config, ITEMS_ALONE).objectives[0], SoftmaxCrossEntropy)
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(neural, "MAX_SOFTMAX_ITEMS", 46)
    (loss,) = build_model(config, ITEMS_ALONE).objectives
    assert isinstance(loss, SampledSoftmaxCrossEntropy)
    assert (loss.kind, loss.num_samples) == ("uniform", 1024)
    assert capsys.readouterr().out == (
        "Loss: sampled softmax (samples: uniform), because there are more than 46 items. "
        "--loss softmax is exact and slower.\n"
    )
    # Asked for, it is not questioned.
    exact = make_config(model="sasrec", hidden_dim=8, loss="softmax")
    assert isinstance(build_model(exact, ITEMS_ALONE).objectives[0], SoftmaxCrossEntropy)
    assert capsys.readouterr().out == ""


def test_mixed_precision_reaches_every_encoder():
    built = build_model(configured(model="sasrec", mixed_precision=True), ITEMS_ALONE)
    assert {member.compute_dtype for member in built.members()} == {"bfloat16"}


def split_of(num_users):
    """A quarter of the users have one item to train on."""
    log = {str(user): [str(item) for item in range(user % 4 + 3)] for user in range(num_users)}
    return leave_one_out(Interactions.from_sequences(log))


@pytest.fixture(scope="module")
def split():
    return split_of(40)


@pytest.mark.parametrize("model", ["iclrec", "bpr_mf"])
def test_more_intents_than_users_with_training_data_are_refused(split, model):
    """Users with one item are not clustered, also where they are trained on."""
    for most in ((31,), (4, 31)):
        config = make_config(model=model, hidden_dim=8, intent_weight=0.1, num_intents=most)
        with pytest.raises(
            UserError, match=r"31 intents need .* there are 30\. .*--num-intents 30"
        ):
            neural.check(build_model(config, split.catalogue), split, config)
    config = make_config(hidden_dim=8, num_intents=(30,))
    neural.check(build_model(config, split.catalogue), split, config)


def test_it_is_said_of_whom_a_part_is_taken(capsys):
    split = split_of(56)
    config = make_config(hidden_dim=8, num_intents=(1,), clustered_users=2, evaluation_users=5)
    neural.check(build_model(config, split.catalogue), split, config)
    assert capsys.readouterr().out.splitlines() == [
        "Of 56 users 5 are ranked in an evaluation (--evaluation-users).",
        "Of 42 users 39 are clustered (--clustered-users).",
    ]
    everyone = make_config(hidden_dim=8, num_intents=(1,))
    neural.check(build_model(everyone, split.catalogue), split, everyone)
    assert capsys.readouterr().out == ""
