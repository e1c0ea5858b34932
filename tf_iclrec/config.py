"""Everything that can be set for a training run, in one flat, frozen record.

Each field is an option of ``python -m tf_iclrec.train`` under the same name, with the help
text given here, and a key of ``config.json``.
"""

import dataclasses
import json
import types
import typing
from pathlib import Path
from typing import Any


def _option(default: Any, help: str) -> Any:
    return dataclasses.field(default=default, metadata={"help": help})


# Settings that say where the data is and how it is read.
DATA_SETTINGS = (
    *("data", "user_column", "item_column", "time_column", "provider_column"),
    *("header", "items", "item_attributes", "core"),
)


@dataclasses.dataclass(frozen=True)
class Config:
    """Settings of a training run.

    Example:
    >>> Config(model="sasrec", epochs=5).epochs
    5
    >>> Config(hidden_dim=0)
    Traceback (most recent call last):
    ValueError: hidden_dim must be at least 1, not 0.
    """

    # Data
    data: str = _option(
        "completejourney",
        "sequence file, CSV, TSV or Parquet table, prepared folder, tfds:NAME of TensorFlow "
        "Datasets, or completejourney",
    )
    user_column: str = _option("user_id", "table column with the user id")
    item_column: str = _option("item_id", "table column with the item id")
    time_column: str = _option("timestamp", "table column with the time")
    provider_column: str = _option(
        "provider", "column with the provider, in the data or in the table of --items"
    )
    header: str = _option(
        "", "names of all columns, separated by commas, of a table without a header line"
    )
    items: str = _option("", "table with a row per item and the item's provider")
    item_attributes: str = _option(
        "",
        "further columns of the table of --items, separated by commas, that models with providers "
        "read, such as category; of a path like Toys|Games|Chess the last part counts",
    )
    core: int = _option(0, "keep only users and items with this many interactions (k-core)")
    max_length: int = _option(50, "longest history the model sees")
    filter_seen: bool = _option(True, "leave items of a user's own history out of the ranking")

    # Encoder
    model: str = _option(
        "iclrec",
        "preset: iclrec, cl4srec, sasrec; with providers ipsrec_s, ipsrec_c, iclrec_ips_s, "
        "iclrec_ips_c, iclrec_provider_sum or provider_sum",
    )
    encoder: str = _option(
        "self_attentive",
        "self_attentive; with providers provider_sum, single_stream or cross_stream",
    )
    num_members: int = _option(
        3, "encoders that learn side by side and whose scores are averaged, an ensemble"
    )
    hidden_dim: int = _option(128, "width of embeddings and hidden states of each")
    item_initialization: str = _option(
        "spectral",
        "random, or spectral: encoders start from which items follow each other in the training "
        "data, or which providers",
    )
    spectral_members: int = _option(
        1,
        "encoders that start from the items' vectors, the others from their providers' (spectral)",
    )
    num_blocks: int = _option(2, "Transformer blocks")
    num_heads: int = _option(2, "attention heads")
    num_fusion_blocks: int = _option(1, "co-attention blocks (cross_stream)")
    dropout: float = _option(0.5, "share of values dropped in training")
    relative_positions: bool = _option(
        True, "relative attention bias in place of embedded positions"
    )

    # Objectives
    loss: str = _option(
        "auto",
        "next-item loss: softmax (over all items), sampled_softmax (for large catalogues), "
        "sampled (cross-entropy with one negative), or auto: one of the first two by the number "
        "of items",
    )
    score_temperature: float = _option(
        0.07, "score items by the cosine with the user, divided by this; 0: by the dot product"
    )
    horizon: int = _option(5, "next items that each position learns from (softmax)")
    horizon_decay: float = _option(
        0.6, "what each further one of them counts, in shares of the last"
    )
    sampling: str = _option(
        "popularity", "items of sampled_softmax: uniform, popularity or in_batch"
    )
    num_samples: int = _option(1024, "items drawn for a batch of sampled_softmax")
    intent_weight: float = _option(0.1, "weight lambda of intent contrast (ICL)")
    sequence_weight: float = _option(0.0, "weight beta of sequence contrast (SeqCL)")
    provider_weight: float = _option(0.0, "weight of item-provider contrast (IPSRec)")
    num_intents: tuple[int, ...] = _option((256,), "number of intents K, or several")
    intent_views: str = _option(
        "dropout",
        "what intent contrast compares with the intents: augmented sequences, or the sequence as "
        "it is under dropout",
    )
    intent_temperature: float = _option(0.1, "temperature of intent contrast")
    sequence_temperature: float = _option(1.0, "temperature of sequence contrast")
    provider_temperature: float = _option(1.0, "temperature of item-provider contrast")
    normalize_contrast: bool = _option(
        True, "contrast directions (cosine) in place of dot products"
    )
    intent_fnm: bool = _option(True, "users of one intent are no negatives in intent contrast")
    sequence_fnm: bool = _option(False, "users of one intent are no negatives in sequence contrast")
    provider_fnm: bool = _option(
        False, "users of one intent are no negatives in item-provider contrast"
    )
    warm_up_epochs: int = _option(0, "first epochs without intents")
    kmeans_iterations: int = _option(20, "K-means iterations per E-step")
    clustered_users: int = _option(250_000, "users whose sequences an E-step clusters at most")
    crop_ratio: float = _option(0.2, "share of a sequence that a crop keeps")
    mask_ratio: float = _option(0.7, "share of a sequence that a mask hides")
    reorder_ratio: float = _option(0.2, "share of a sequence that a reordering shuffles")

    # Training
    epochs: int = _option(8, "passes over the data at most")
    batch_size: int = _option(64, "users per training step")
    learning_rate: float = _option(1e-3, "Adam's learning rate")
    learning_rate_schedule: str = _option(
        "cosine", "constant, or cosine: falling to 0 over all epochs"
    )
    patience: int = _option(5, "epochs without a better validation NDCG@20 before stopping")
    evaluation_users: int = _option(100_000, "users whose next item is ranked at most")
    seed: int = _option(0, "seed of everything random")
    mixed_precision: bool = _option(False, "compute in bfloat16 (for GPUs)")

    def __post_init__(self):
        for name in (
            *(
                "max_length",
                "hidden_dim",
                "num_blocks",
                "num_heads",
                "num_fusion_blocks",
                "num_members",
                "spectral_members",
            ),
            *("kmeans_iterations", "epochs", "batch_size", "patience", "num_samples"),
            *("clustered_users", "evaluation_users", "horizon"),
        ):
            self._check(name, getattr(self, name) >= 1, "at least 1")
        for name in (
            *("core", "warm_up_epochs", "seed"),
            *("intent_weight", "sequence_weight", "provider_weight", "score_temperature"),
        ):
            self._check(name, getattr(self, name) >= 0, "0 or more")
        for name in (
            *("learning_rate", "intent_temperature"),
            *("sequence_temperature", "provider_temperature"),
        ):
            self._check(name, getattr(self, name) > 0, "above 0")
        for name in ("crop_ratio", "mask_ratio", "reorder_ratio", "horizon_decay"):
            self._check(name, 0 <= getattr(self, name) <= 1, "between 0 and 1")
        self._check("dropout", 0 <= self.dropout < 1, "at least 0 and below 1")
        for name, known in (
            ("loss", ("auto", "softmax", "sampled_softmax", "sampled")),
            ("sampling", ("uniform", "popularity", "in_batch")),
            ("item_initialization", ("random", "spectral")),
            ("intent_views", ("augmented", "dropout")),
            ("learning_rate_schedule", ("constant", "cosine")),
        ):
            self._check(name, getattr(self, name) in known, f"one of {', '.join(known)}")
        self._check("num_intents", all(k >= 1 for k in self.num_intents), "numbers from 1 on")
        self._check("num_intents", len(self.num_intents) >= 1, "one number or several")
        if self.item_attributes and not self.items:
            raise ValueError(
                "item_attributes are columns of a table of items: name it with --items."
            )
        self._check("num_heads", self.hidden_dim % self.num_heads == 0, "a divisor of hidden_dim")

    def _check(self, name: str, valid: bool, rule: str) -> None:
        if not valid:
            raise ValueError(f"{name} must be {rule}, not {getattr(self, name)}.")

    @property
    def header_names(self) -> tuple[str, ...]:
        """The names in ``header``, none without it."""
        return _names(self.header)

    @property
    def item_attribute_names(self) -> tuple[str, ...]:
        """The names in ``item_attributes``, none without it."""
        return _names(self.item_attributes)

    def to_json(self) -> str:
        """The settings as indented JSON."""
        return json.dumps(dataclasses.asdict(self), indent=2)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",")) if text else ()


def read_settings(path: str | Path) -> dict[str, Any]:
    """Read settings from a JSON file, such as the ``config.json`` of a run.

    Returns:
        The settings by field name; unknown names are left to the caller.

    Raises:
        ValueError: If a value has not the type of its field, or the file is no JSON object.
    """
    try:
        settings = json.loads(Path(path).read_text())
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(settings, dict):
        raise ValueError(f"{path} must hold a JSON object of settings.")
    types_by_name = field_types()
    return {
        name: _convert(name, value, types_by_name[name]) if name in types_by_name else value
        for name, value in settings.items()
    }


def field_types() -> dict[str, Any]:
    """Type of each setting by its name."""
    return typing.get_type_hints(Config)


def _convert(name: str, value: Any, kind: Any) -> Any:
    if isinstance(kind, types.GenericAlias):
        if isinstance(value, list) and all(isinstance(part, int) for part in value):
            return tuple(value)
    elif kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    elif type(value) is kind:
        return value
    raise ValueError(f"{name} can't be {value!r}: {getattr(kind, '__name__', kind)} expected.")
