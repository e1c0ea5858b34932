"""Models by name.

A preset is a set of settings; `build_model` turns settings into a model. A new encoder or
objective is wired in here and nowhere else.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

from tf_iclrec.config import Config, field_types
from tf_iclrec.data.item_attributes import ItemAttribute
from tf_iclrec.encoders.cross_stream import CrossStreamEncoder
from tf_iclrec.encoders.ensemble import EnsembleEncoder
from tf_iclrec.encoders.item_provider_encoder import ItemProviderEncoder
from tf_iclrec.encoders.provider_sum import ProviderSumEncoder
from tf_iclrec.encoders.self_attentive import SelfAttentiveEncoder
from tf_iclrec.encoders.single_stream import SingleStreamEncoder
from tf_iclrec.errors import UserError, nearest
from tf_iclrec.models.sequential_recommender import SequentialRecommender
from tf_iclrec.objectives.intent_contrast import IntentContrast
from tf_iclrec.objectives.item_provider_contrast import ItemProviderContrast
from tf_iclrec.objectives.objective import Objective
from tf_iclrec.objectives.sampled_cross_entropy import SampledCrossEntropy
from tf_iclrec.objectives.sampled_softmax import SampledSoftmaxCrossEntropy
from tf_iclrec.objectives.sequence_contrast import SequenceContrast
from tf_iclrec.objectives.softmax_cross_entropy import SoftmaxCrossEntropy

PRESETS: dict[str, Mapping[str, Any]] = {
    "iclrec": {},
    "cl4srec": {"intent_weight": 0.0, "sequence_weight": 0.1},
    "sasrec": {"intent_weight": 0.0},
    "ipsrec_s": {"encoder": "single_stream", "intent_weight": 0.0, "provider_weight": 0.1},
    "ipsrec_c": {"encoder": "cross_stream", "intent_weight": 0.0, "provider_weight": 0.1},
    "iclrec_ips_s": {"encoder": "single_stream"},
    "iclrec_ips_c": {"encoder": "cross_stream"},
    "iclrec_provider_sum": {"encoder": "provider_sum"},
    # As published: ICLRec's own configuration, to compare with.
    "iclrec_published": {
        "num_members": 1,
        "hidden_dim": 64,
        "num_blocks": 1,
        "relative_positions": False,
        "item_initialization": "random",
        "loss": "sampled",
        "score_temperature": 0.0,
        "sequence_weight": 0.1,
        "intent_views": "augmented",
        "intent_temperature": 1.0,
        "normalize_contrast": False,
        "intent_fnm": False,
        "epochs": 300,
        "batch_size": 256,
        "learning_rate_schedule": "constant",
        "patience": 40,
    },
    "provider_sum": {"encoder": "provider_sum", "intent_weight": 0.0},
}

ENCODERS: dict[str, type[keras.layers.Layer]] = {
    "self_attentive": SelfAttentiveEncoder,
    "provider_sum": ProviderSumEncoder,
    "single_stream": SingleStreamEncoder,
    "cross_stream": CrossStreamEncoder,
}

NEXT_ITEM_LOSSES: dict[str, Callable[[Config], Objective]] = {
    "softmax": lambda config: SoftmaxCrossEntropy(
        horizon=config.horizon, decay=config.horizon_decay
    ),
    "sampled": lambda config: SampledCrossEntropy(),
    "sampled_softmax": lambda config: SampledSoftmaxCrossEntropy(
        kind=config.sampling, num_samples=config.num_samples
    ),
}


# The full softmax takes time in proportion to the items: at 10,000 a step already takes twice
# as long as one with samples (benchmarks/growth.py).
MAX_SOFTMAX_ITEMS = 100_000


def next_item_loss(config: Config, vocabulary_size: int) -> str:
    """The name of the next-item loss; ``auto`` depends on the number of items.

    Example:
    >>> next_item_loss(make_config(), 1_000), next_item_loss(make_config(), 1_000_000)
    ('softmax', 'sampled_softmax')
    """
    if config.loss != "auto":
        return config.loss
    return "softmax" if vocabulary_size <= MAX_SOFTMAX_ITEMS else "sampled_softmax"


def make_config(**settings: Any) -> Config:
    """A configuration from a preset and deviations from it.

    Args:
        **settings: Fields of `Config`. ``model`` names the preset; what is given here wins
            over the preset, and the preset over the defaults.

    Raises:
        UserError: If a name is unknown or a value out of range.

    Example:
    >>> make_config(model="sasrec").intent_weight
    0.0
    >>> make_config(modle="sasrec")
    Traceback (most recent call last):
    tf_iclrec.errors.UserError: Unknown setting 'modle': did you mean 'model'?
    """
    known = field_types()
    for name in settings:
        if name not in known:
            raise UserError(f"Unknown setting {name!r}: {nearest(name, known)}")
    model = settings.get("model", "iclrec")
    if model not in PRESETS:
        raise UserError(f"Unknown model {model!r}: {nearest(model, PRESETS)}")
    encoder = settings.get("encoder", "self_attentive")
    if encoder not in ENCODERS:
        raise UserError(f"Unknown encoder {encoder!r}: {nearest(encoder, ENCODERS)}")
    try:
        return Config(**{**PRESETS[model], **settings})
    except ValueError as error:
        raise UserError(str(error)) from error


def build_model(
    config: Config,
    vocabulary_size: int,
    providers: ItemAttribute | None = None,
    attributes: Sequence[ItemAttribute] = (),
) -> SequentialRecommender:
    """A new, built model.

    Terms with weight 0 are left out, not multiplied by 0, so that a model without them is the
    simpler model exactly.

    Args:
        config: Settings.
        vocabulary_size: Number of item ids, the three special ones included.
        providers: The items' providers, for encoders that read them.
        attributes: What else is known of the items, for the same encoders.

    Raises:
        UserError: If the encoder reads providers and there are none, if it reads none and
            ``item_attributes`` are named, or if the item-provider contrast is asked of an encoder
            without a provider stream.

    Example:
    >>> model = build_model(make_config(model="cl4srec"), vocabulary_size=103)
    >>> [term.name for term in model.objectives]
    ['next_item', 'sequence_contrast']
    """
    model = SequentialRecommender(
        _encoder(config, vocabulary_size, providers, attributes),
        _objectives(config, next_item_loss(config, vocabulary_size)),
        config.num_intents,
        config.score_temperature or None,
    )
    model.build()
    for member in model.members():
        if isinstance(member, ItemProviderEncoder):
            member.set_item_providers(providers.of_items)
            member.set_item_attributes([attribute.of_items for attribute in attributes])
    return model


def _encoder(config, vocabulary_size, providers, attributes) -> keras.layers.Layer:
    kind = ENCODERS[config.encoder]
    settings: dict[str, Any] = {
        "max_length": config.max_length,
        "hidden_dim": config.hidden_dim,
        "num_blocks": config.num_blocks,
        "num_heads": config.num_heads,
        "dropout": config.dropout,
        "relative_positions": config.relative_positions,
        "dtype": "mixed_bfloat16" if config.mixed_precision else None,
    }
    if config.provider_weight and kind.num_streams < 2:
        with_stream = [name for name, layer in ENCODERS.items() if layer.num_streams == 2]
        raise UserError(
            f"The item-provider contrast (--provider-weight) needs a provider stream, which the "
            f"encoder {config.encoder} of {config.model} has not: use --encoder "
            f"{' or '.join(with_stream)}."
        )
    if kind is CrossStreamEncoder:
        settings["num_fusion_blocks"] = config.num_fusion_blocks
    if issubclass(kind, ItemProviderEncoder):
        if providers is None or not len(providers.vocabulary):
            raise UserError(
                f"The model {config.model} reads providers and the data has none. Give a table "
                "of items and providers with --items, or name the data's column with "
                "--provider-column."
            )
        settings["provider_vocabulary_size"] = providers.vocabulary.size
        settings["attribute_vocabulary_sizes"] = [one.vocabulary.size for one in attributes]
    elif config.item_attributes:
        readers = [
            name for name, layer in ENCODERS.items() if issubclass(layer, ItemProviderEncoder)
        ]
        raise UserError(
            f"The encoder {config.encoder} of {config.model} does not read --item-attributes: use "
            f"--encoder {' or '.join(readers)}."
        )
    if config.num_members == 1:
        return kind(vocabulary_size, name="encoder", **settings)
    members = [
        kind(vocabulary_size, name=f"member_{number}", **settings)
        for number in range(config.num_members)
    ]
    return EnsembleEncoder(members, name="encoder")


def _objectives(config, loss: str) -> list[Objective]:
    objectives = [NEXT_ITEM_LOSSES[loss](config)]
    for term, kind, further in (
        ("sequence", SequenceContrast, {}),
        ("intent", IntentContrast, {"augmented": config.intent_views == "augmented"}),
        ("provider", ItemProviderContrast, {}),
    ):
        weight, temperature, fnm = (
            getattr(config, f"{term}_{name}") for name in ("weight", "temperature", "fnm")
        )
        if weight:
            objectives.append(kind(weight, temperature, config.normalize_contrast, fnm, **further))
    return objectives
