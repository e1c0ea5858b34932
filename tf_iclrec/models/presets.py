"""Models by name.

A preset is a set of settings; `build_model` turns settings into a model. A new encoder or
objective is wired in here and nowhere else.
"""

from collections.abc import Callable, Mapping
from typing import Any

from tf_iclrec.config import Config, field_types
from tf_iclrec.encoders.self_attentive import SelfAttentiveEncoder
from tf_iclrec.errors import UserError, nearest
from tf_iclrec.models.sequential_recommender import SequentialRecommender
from tf_iclrec.objectives.intent_contrast import IntentContrast
from tf_iclrec.objectives.objective import Objective
from tf_iclrec.objectives.sampled_cross_entropy import SampledCrossEntropy
from tf_iclrec.objectives.sequence_contrast import SequenceContrast
from tf_iclrec.objectives.softmax_cross_entropy import SoftmaxCrossEntropy

PRESETS: dict[str, Mapping[str, Any]] = {
    "iclrec": {"intent_weight": 0.1, "sequence_weight": 0.1},
    "cl4srec": {"intent_weight": 0.0, "sequence_weight": 0.1},
    "sasrec": {"intent_weight": 0.0, "sequence_weight": 0.0},
}

NEXT_ITEM_LOSSES: dict[str, Callable[[], Objective]] = {
    "softmax": SoftmaxCrossEntropy,
    "sampled": SampledCrossEntropy,
}


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
    try:
        return Config(**{**PRESETS[model], **settings})
    except ValueError as error:
        raise UserError(str(error)) from error


def build_model(config: Config, vocabulary_size: int) -> SequentialRecommender:
    """A new, built model.

    Terms with weight 0 are left out, not multiplied by 0, so that a model without them is the
    simpler model exactly.

    Args:
        config: Settings.
        vocabulary_size: Number of item ids, the three special ones included.

    Example:
    >>> model = build_model(make_config(model="cl4srec"), vocabulary_size=103)
    >>> [term.name for term in model.objectives]
    ['next_item', 'sequence_contrast']
    """
    encoder = SelfAttentiveEncoder(
        vocabulary_size,
        config.max_length,
        hidden_dim=config.hidden_dim,
        num_blocks=config.num_blocks,
        num_heads=config.num_heads,
        dropout=config.dropout,
        relative_positions=config.relative_positions,
        dtype="mixed_bfloat16" if config.mixed_precision else None,
        name="encoder",
    )
    objectives = [NEXT_ITEM_LOSSES[config.loss]()]
    if config.sequence_weight:
        objectives.append(
            SequenceContrast(
                config.sequence_weight,
                config.sequence_temperature,
                config.normalize_contrast,
                config.sequence_fnm,
            )
        )
    if config.intent_weight:
        objectives.append(
            IntentContrast(
                config.intent_weight,
                config.intent_temperature,
                config.normalize_contrast,
                config.intent_fnm,
            )
        )
    model = SequentialRecommender(encoder, objectives, config.num_intents)
    model.build()
    return model
