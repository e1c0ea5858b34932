"""Systems that are an encoder with weighted objectives, trained by gradients."""

import functools
from collections import ChainMap
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import keras

from tf_iclrec.data.augmentation import ViewRatios
from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.data.splits.split import Split
from tf_iclrec.data.training_rows import trainable_users
from tf_iclrec.encoders.encoder import Encoder
from tf_iclrec.encoders.ensemble import EnsembleEncoder
from tf_iclrec.encoders.registry import ENCODERS
from tf_iclrec.errors import UnknownNameError, UserError, nearest
from tf_iclrec.layers.intent_prototypes import IntentPrototypes
from tf_iclrec.models.segment_pretraining import SegmentPretraining
from tf_iclrec.models.sequential_recommender import SequentialRecommender
from tf_iclrec.objectives.contrast import Contrast
from tf_iclrec.objectives.objective import Objective
from tf_iclrec.objectives.registry import CONTRASTS, NEXT_ITEM_LOSSES
from tf_iclrec.objectives.sampled_softmax import SampledSoftmaxCrossEntropy
from tf_iclrec.objectives.softmax_cross_entropy import SoftmaxCrossEntropy
from tf_iclrec.run_directory import RunDirectory
from tf_iclrec.settings import AUTO, Setting, checked, settings_of
from tf_iclrec.systems.own_parts import check_can_be_loaded, check_kinds, check_options
from tf_iclrec.systems.sections import AFTER, BEFORE
from tf_iclrec.systems.system import Family, Section, System, Tree
from tf_iclrec.training.intent_clustering import (
    clustering_of_training_users,
    users_to_cluster,
)
from tf_iclrec.training.number_of_intents import choose_num_intents
from tf_iclrec.training.pretrain import pretrain
from tf_iclrec.training.replicas import Replicas, choose_replicas
from tf_iclrec.training.spectral_initialization import start_from_spectral_vectors
from tf_iclrec.training.take_over import take_over
from tf_iclrec.training.train_recommender import train_recommender

_AUTO_PARTS = (SoftmaxCrossEntropy, SampledSoftmaxCrossEntropy)
# The full softmax takes time in proportion to the items: at 10,000 a step already takes twice
# as long as one with samples (benchmarks/results/2026-11-22-speed.md).
MAX_SOFTMAX_ITEMS = 100_000


@checked
def encoder_of(
    kind: type[Encoder],
    catalogue: Catalogue,
    settings: Mapping[str, Any],
    num_members: Annotated[
        int,
        Setting(
            "encoders that learn side by side and whose scores are averaged, an ensemble",
            at_least=1,
        ),
    ] = 1,
    mixed_precision: Annotated[bool, Setting("compute in bfloat16 (for GPUs)")] = False,
) -> keras.layers.Layer:
    """A new, built encoder, or several as one.

    Raises:
        UserError: If the settings don't fit each other, or the encoder reads what is not known.
    """
    dtype = "mixed_bfloat16" if mixed_precision else None
    names = [f"member_{number}" for number in range(num_members)]
    try:
        members = [
            kind.for_catalogue(catalogue, name=name, dtype=dtype, **settings)
            for name in (names if num_members > 1 else ["encoder"])
        ]
    except UserError:
        raise
    except ValueError as error:
        raise UserError(str(error)) from error
    check_can_be_loaded(members[0], settings)
    return members[0] if num_members == 1 else EnsembleEncoder(members, name="encoder")


def contrasts_of(tree: Mapping[str, Mapping[str, Any]]) -> list[Objective]:
    """The contrasts with a weight above 0. The others are left out, not multiplied by 0, so that a
    model without them is the simpler model exactly."""
    return [
        kind(**tree[name])
        for name, kind in CONTRASTS.items()
        # One may have been entered since.
        if tree.get(name, {}).get("weight")
    ]


def _need_views(tree: Tree) -> bool:
    return any(term.needs_views for term in contrasts_of(tree))


def _need_intents(tree: Tree) -> bool:
    return any(term.needs_intents for term in contrasts_of(tree))


# What an encoder can learn before the next item.
PRETRAININGS = {"none": (), "segments": SegmentPretraining}
# What the vectors of items can start from: functions of encoders, a split, a seed and settings.
STARTS = {"random": (), "spectral": start_from_spectral_vectors}
_DEFAULT_ENCODER = "self_attentive"


def sections() -> tuple[Section, ...]:
    """What can be set; a contrast has a section when it has been entered in `CONTRASTS`.

    Raises:
        UserError: If something else than a class of the right kind has been entered, or one with
            settings that are another's.
    """
    check_kinds()
    contrasts = tuple(CONTRASTS.items())
    made = _sections(contrasts)
    _check_options(
        contrasts, *(tuple(one.alternatives.items()) for one in made if one.alternatives)
    )
    return made


# Once for what is registered: sections are asked for by the thousand.
@functools.cache
def _check_options(contrasts: tuple[tuple[str, type[Contrast]], ...], *_: tuple) -> None:
    check_options(_sections(contrasts))


# The same ones while there are the same contrasts: sections are told apart by identity.
@functools.cache
def _sections(contrasts: tuple[tuple[str, type[Contrast]], ...]) -> tuple[Section, ...]:
    return (
        *BEFORE,
        Section(
            "encoder",
            "Encoder",
            alternatives=ENCODERS,
            option="encoder",
            default=_DEFAULT_ENCODER,
            help="what turns histories into vectors",
        ),
        Section("ensemble", "Several encoders, and how they compute", (encoder_of,)),
        Section("scores", "Scores", (SequentialRecommender,)),
        Section(
            "next_item",
            "Loss of the next item",
            alternatives=ChainMap(NEXT_ITEM_LOSSES, {AUTO: _AUTO_PARTS}),
            option="loss",
            default=AUTO,
            help=f"auto: softmax up to {MAX_SOFTMAX_ITEMS} items, sampled_softmax above",
        ),
        *(
            Section(name, kind.title, (kind,), prefix=kind.prefix, switch="weight")
            for name, kind in contrasts
        ),
        Section("views", "Augmented views", (ViewRatios,), read_if=_need_views),
        Section(
            "intents",
            "Intents",
            (IntentPrototypes, clustering_of_training_users),
            read_if=_need_intents,
        ),
        Section(
            "pretraining",
            "Pre-training",
            alternatives=PRETRAININGS,
            option="pretraining",
            default="none",
            help="what the encoder learns before the next item",
        ),
        Section(
            "initialization",
            "Start of the item vectors",
            alternatives=STARTS,
            option="item_initialization",
            default="random",
            help="random, or spectral: from which items follow each other, or which providers",
        ),
        Section("warm_start", "Warm start", (take_over,)),
        Section("training", "Training", (train_recommender,)),
        Section("replicas", "Several devices or machines", (choose_replicas,)),
        *AFTER,
    )


def decide(config: Mapping[str, Any], split: Split) -> dict[str, Any]:
    """The settings that are left to the data, by option, as the training part has them."""
    if "intents" not in config or config.intents.num_intents != AUTO:
        return {}
    found = choose_num_intents(split)
    print(found, flush=True)
    return {"num_intents": (found.number,)}


def build(config: Mapping[str, Any], catalogue: Catalogue) -> SequentialRecommender:
    """A new, built model.

    Raises:
        UserError: If the model needs something that is not known of the log, or the encoder and
            the objectives don't fit each other.
    """
    kind = ENCODERS[config.encoder.name]
    contrasts = contrasts_of(config)
    _check_fit(config, kind, contrasts)
    encoder = encoder_of(kind, catalogue, config.encoder.arguments, **config.ensemble)
    objectives = [_next_item(config.next_item, catalogue), *contrasts]
    for term in objectives:
        check_can_be_loaded(term, settings_of(type(term)))
        term.build(catalogue, encoder.state_dim // config.ensemble.num_members)
    num_intents = config.intents.num_intents if "intents" in config else ()
    if num_intents == AUTO:
        raise UserError(
            "The number of intents is auto, and a model needs a number: num_intents=64, or that of "
            "tf_iclrec.choose_num_intents(split)."
        )
    model = SequentialRecommender(encoder, objectives, num_intents, **config.scores)
    model.build()
    return model


def _next_item(settings: Mapping[str, Any], catalogue: Catalogue) -> Objective:
    name = settings.name
    if name == AUTO:
        small = catalogue.num_items <= MAX_SOFTMAX_ITEMS
        name = "softmax" if small else "sampled_softmax"
        if not small:
            print(
                f"Loss: sampled softmax (samples: {settings.kind}), because there are more than "
                f"{MAX_SOFTMAX_ITEMS} items. --loss softmax is exact and slower.",
                flush=True,
            )
    kind = NEXT_ITEM_LOSSES[name]
    return kind(**{one: settings[one] for one in settings_of(kind)})


def _check_fit(config, kind: type[Encoder], contrasts: list[Objective]) -> None:
    of_sides = [term for term in contrasts if term.needs_sides]
    if of_sides and kind.num_streams < 2:
        option = f"{of_sides[0].prefix}weight".replace("_", "-")
        with_sides = [name for name, one in ENCODERS.items() if one.num_streams > 1]
        raise UserError(
            f"The contrast of --{option} needs a provider stream, which the encoder "
            f"{config.encoder.name} of {config.model} has not: use --encoder "
            f"{' or '.join(with_sides)}."
        )
    reads = {*kind.reads, *(name for term in contrasts for name in term.reads)}
    if config.data.item_attributes and "attributes" not in reads:
        readers = [name for name, one in ENCODERS.items() if "attributes" in one.reads]
        raise UserError(
            f"The encoder {config.encoder.name} of {config.model} does not read "
            f"--item-attributes: use --encoder {' or '.join(readers)}."
        )


def check(model: SequentialRecommender, split: Split, config: Mapping[str, Any]) -> None:
    """Fail before anything is written, not at the first E-step; say what is left out.

    Raises:
        UserError: If there are fewer users to train on than intents, or a batch or a pre-training
            can't be shared out among the replicas.
    """
    _check_shares(Replicas.of(model).count, config)
    if PRETRAININGS[config.pretraining.name] and model.encoder.num_queries > 1:
        raise UserError(
            f"The encoder {config.encoder.name} has several vectors of a user, and a pre-training "
            f"(--pretraining {config.pretraining.name}) is for those that have one."
        )
    trainable_users(split, model.encoder.task)  # Refuses a log without any.
    limits = [
        (
            len(split.test.users),
            config.evaluation.evaluation_users,
            "ranked in an evaluation (--evaluation-users)",
        )
    ]
    if model.needs_intents:
        # Of the E-step, whatever the encoder is trained on.
        most, usable = max(model.num_intents), len(trainable_users(split))
        if most > usable:
            raise UserError(
                f"{most} intents need at least as many users with training data; there are "
                f"{usable}. The largest K that works is {usable}: --num-intents {usable}."
            )
        limit = users_to_cluster(**config.intents)
        limits.append((usable, limit, "clustered (--clustered-users)"))
    for number, limit, what in limits:
        if number > limit:
            print(f"Of {number} users {limit} are {what}.", flush=True)


def _check_shares(replicas: int, config: Mapping[str, Any]) -> None:
    size = config.training.batch_size
    if size % replicas:
        raise UserError(
            f"{replicas} replicas can't share batches of {size} users: --batch-size must be a "
            f"multiple of {replicas}, such as {-(-size // replicas) * replicas}."
        )
    if replicas > 1 and PRETRAININGS[config.pretraining.name]:
        raise UserError(
            f"A pre-training (--pretraining {config.pretraining.name}) runs in one process on one "
            "device: train there."
        )


def train(
    model: SequentialRecommender,
    split: Split,
    config: Mapping[str, Any],
    directory: RunDirectory,
    epochs: int | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> int:
    """Train a new model, or go on where the run directory was left; see `train_recommender`."""

    def start() -> None:
        if config.warm_start.init_from:
            return
        _initialize(model, split, config)
        _pretrain(model, split, config, directory)

    return train_recommender(
        model,
        split,
        directory,
        views=ViewRatios(**config.views) if "views" in config else None,
        clustering=clustering_of_training_users(
            split,
            model.max_length,
            config.training.seed,
            **config.intents,
            share=Replicas.of(model).share,
        )
        if model.needs_intents
        else None,
        start=start,
        stop_after=epochs,
        callbacks=callbacks,
        evaluation=config.evaluation,
        **config.training,
    )


def _initialize(model: SequentialRecommender, split: Split, config: Mapping[str, Any]) -> None:
    start = STARTS[config.initialization.name]
    if not start:
        return
    if split.interactions.num_items > MAX_SOFTMAX_ITEMS:
        # At 100,000 items it takes most of a minute, and grows faster than the catalogue.
        print(
            f"Item vectors start at random: there are more than {MAX_SOFTMAX_ITEMS} items.",
            flush=True,
        )
        return
    start(model.members(), split, seed=config.training.seed, **config.initialization.arguments)


def _pretrain(model, split: Split, config: Mapping[str, Any], directory: RunDirectory) -> None:
    kind = PRETRAININGS[config.pretraining.name]
    if not kind:
        return
    pretraining = kind(**config.pretraining.arguments)
    for number, member in enumerate(model.members()):
        folder = directory.checkpoints / f"pretraining_{number}"
        seed = config.training.seed + number
        pretrain(pretraining, member, split, folder, directory.log, seed)


def reads(system: System) -> tuple[str, ...]:
    """What the encoder and the contrasts of a system read."""
    name = system.settings.get("encoder", _DEFAULT_ENCODER)
    if name not in ENCODERS:
        known = nearest(str(name), ENCODERS)
        raise UnknownNameError(f"Unknown encoder {name!r} of the model {system.name}: {known}")
    encoder = ENCODERS[name]
    contrasts = [kind for kind in CONTRASTS.values() if system.settings.get(f"{kind.prefix}weight")]
    found = [*encoder.reads, *(name for kind in contrasts for name in kind.reads)]
    return tuple(dict.fromkeys(found))


NEURAL = Family(sections, reads, build, check, train, decide)
