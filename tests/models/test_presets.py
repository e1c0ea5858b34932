import pytest

from tf_iclrec import SampledCrossEntropy, SoftmaxCrossEntropy, build_model, make_config


@pytest.mark.parametrize(
    ("model", "terms"),
    [
        ("sasrec", ["next_item"]),
        ("cl4srec", ["next_item", "sequence_contrast"]),
        ("iclrec", ["next_item", "sequence_contrast", "intent_contrast"]),
    ],
)
def test_a_preset_has_its_objectives(model, terms):
    built = build_model(make_config(model=model), vocabulary_size=50)
    assert [term.name for term in built.objectives] == terms


def test_an_option_wins_over_the_preset():
    built = build_model(make_config(model="sasrec", intent_weight=0.3), vocabulary_size=50)
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
        intent_fnm=False,
        sequence_fnm=True,
        normalize_contrast=False,
    )
    built = build_model(config, vocabulary_size=50)
    next_item, sequence, intent = built.objectives
    assert isinstance(next_item, SampledCrossEntropy)
    assert len(built.encoder.blocks) == 3
    assert built.encoder.blocks[0].attention.num_heads == 4
    assert built.encoder.item_vectors().shape == (47, 32)
    assert not built.encoder.relative_positions
    assert [tuple(weight.shape) for weight in built.intents.centroids] == [(8, 32), (16, 32)]
    assert (intent.temperature, intent.mitigate_false_negatives) == (0.5, False)
    assert sequence.mitigate_false_negatives
    assert not sequence.normalize
    assert not intent.normalize


def test_the_default_loss_is_the_full_softmax():
    built = build_model(make_config(), vocabulary_size=50)
    assert isinstance(built.objectives[0], SoftmaxCrossEntropy)
