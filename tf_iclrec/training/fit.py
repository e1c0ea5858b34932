"""From settings to a finished run directory."""

import dataclasses
import sys
from pathlib import Path

import keras

from tf_iclrec.config import Config
from tf_iclrec.data.augmentation import ViewRatios
from tf_iclrec.data.batches import (
    evaluation_batches,
    num_training_steps,
    sampled_rows,
    sequence_batches,
    training_batches,
)
from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.item_attributes import read_item_attribute
from tf_iclrec.data.sources import load_interactions
from tf_iclrec.data.splits import drop_short_users, split_histories
from tf_iclrec.data.vocabulary import UNKNOWN_ID
from tf_iclrec.errors import UserError
from tf_iclrec.evaluation.report import evaluate_splits, metrics_table
from tf_iclrec.files import replace_file, write_json
from tf_iclrec.models.popularity import PopularityRecommender
from tf_iclrec.models.presets import MAX_SOFTMAX_ITEMS, build_model
from tf_iclrec.models.sequential_recommender import SequentialRecommender
from tf_iclrec.runs import Run, RunDirectory
from tf_iclrec.serving.saved_model import export_saved_model
from tf_iclrec.training.intent_clustering import IntentClustering, clustering_device
from tf_iclrec.training.lazy_adam import LazyAdam
from tf_iclrec.training.save_progress import SaveProgress
from tf_iclrec.training.spectral_initialization import start_from_spectral_vectors
from tf_iclrec.training.stop_on_non_finite import StopOnNonFinite
from tf_iclrec.training.tensorboard_log import TensorBoardLog

# What may differ when a run is continued.
_FREE_ON_RESUME = ("epochs", "patience")


def fit(config: Config, output: str | Path, resume: bool = False, overwrite: bool = False) -> Run:
    """Train, evaluate and export a model; everything is written to a run directory.

    Args:
        config: Settings; see `make_config`.
        output: The run directory.
        resume: Continue the run in ``output`` after its last complete epoch. Its settings
            must be the same, except for ``epochs`` and ``patience``.
        overwrite: Replace a run in ``output``.

    Returns:
        The finished run, with the best epoch's model.

    Raises:
        UserError: If the data or settings can't be used; nothing is written then.
        NonFiniteLossError: If a loss becomes NaN or infinite.
    """
    directory = RunDirectory(Path(output))
    if resume:
        _check_resumable(config, directory)
        interactions = Interactions.load(directory.data)
    else:
        directory.check_free(overwrite)
        interactions = read_data(config)
    keras.utils.set_random_seed(config.seed)
    model = build_model(
        config,
        interactions.items.size,
        interactions.providers,
        list(interactions.attributes.values()),
    )
    _check_num_intents(model, interactions)
    if config.loss == "auto" and model.sampling:
        print(
            f"Loss: sampled softmax (samples: {config.sampling}), because there are more than "
            f"{MAX_SOFTMAX_ITEMS} items. --loss softmax is exact and slower.",
            flush=True,
        )
    for limit, what in (
        (config.evaluation_users, "are ranked in an evaluation (--evaluation-users)"),
        (
            _clustered_users(config) if model.needs_intents else None,
            "are clustered (--clustered-users)",
        ),
    ):
        if limit and interactions.num_users > limit:
            print(f"Of {interactions.num_users} users {limit} {what}.", flush=True)
    if not resume:
        directory.start(config, interactions)
    model.compile(new_optimizer(model, config, interactions))
    progress = SaveProgress(directory.checkpoints, directory.history, config.patience, config.seed)
    progress.restore(model)
    if resume:
        print(f"Resuming after epoch {progress.epochs_done}.", flush=True)
    if progress.epochs_done == 0 and config.item_initialization == "spectral":
        _start_from_spectral_vectors(model, config, interactions)
    if not progress.stopped and progress.epochs_done < config.epochs:
        _train(model, config, interactions, directory, progress)
    progress.restore_best(model)
    return finish_run(model, config, interactions, directory)


def finish_run(
    model: SequentialRecommender,
    config: Config,
    interactions: Interactions,
    directory: RunDirectory,
) -> Run:
    """Save, evaluate and export a model, and print its test metrics beside popularity's."""
    with replace_file(directory.model) as path:
        model.save(path)
    metrics = evaluate_splits(model, interactions, config)
    popularity = PopularityRecommender.from_training_data(interactions)
    baseline = evaluate_splits(popularity, interactions, config, splits=("test",))
    export_saved_model(model, interactions, directory.saved_models / "1")
    write_json(directory.metrics, metrics)
    print("\nTest metrics, whole catalogue ranked")
    print(metrics_table({config.model: metrics["test"], "popularity": baseline["test"]}))
    print(f"Run directory: {directory.path}", flush=True)
    return Run(model, interactions, config, metrics)


def training_callbacks(
    config: Config, interactions: Interactions, model: SequentialRecommender
) -> list[keras.callbacks.Callback]:
    """The callbacks that belong to the method: the E-step, where the model has intents."""
    if not model.needs_intents:
        return []
    sequences = sequence_batches(
        interactions, max_length=config.max_length, max_users=_clustered_users(config)
    )
    return [
        IntentClustering(sequences, config.kmeans_iterations, config.warm_up_epochs, config.seed)
    ]


def new_optimizer(
    model: SequentialRecommender, config: Config, interactions: Interactions
) -> keras.optimizers.Optimizer:
    """Adam; for a loss over sampled items, `LazyAdam`, which leaves the other items alone."""
    kind = LazyAdam if model.sampling else keras.optimizers.Adam
    learning_rate = config.learning_rate
    if config.learning_rate_schedule == "cosine":
        steps = config.epochs * num_training_steps(interactions, config.batch_size)
        learning_rate = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    return kind(learning_rate)


def _train(model, config, interactions, directory, progress):
    train = training_batches(
        interactions,
        batch_size=config.batch_size,
        max_length=config.max_length,
        negatives=model.needs_negatives,
        sampling=model.sampling,
        views=ViewRatios(config.crop_ratio, config.mask_ratio, config.reorder_ratio)
        if model.needs_views
        else None,
        seed=config.seed,
        first_epoch=progress.epochs_done,
    )
    valid = evaluation_batches(
        interactions,
        "valid",
        max_length=config.max_length,
        filter_seen=config.filter_seen,
        max_users=config.evaluation_users,
    )
    clustering = training_callbacks(config, interactions, model)
    if clustering:
        print(f"Intents are clustered on: {clustering_device()}", flush=True)
    model.fit(
        train,
        validation_data=valid,
        initial_epoch=progress.epochs_done,
        epochs=config.epochs,
        callbacks=[
            StopOnNonFinite(),
            *clustering,
            TensorBoardLog(directory.tensorboard),
            progress,
        ],
        shuffle=False,
        verbose=1 if sys.stdout.isatty() else 2,
    )


def read_data(config: Config) -> Interactions:
    """The interactions that the settings name, without users too short to split; says what was
    found.

    Raises:
        UserError: If the data can't be used.
    """
    interactions = load_interactions(
        config.data,
        config.user_column,
        config.item_column,
        config.time_column,
        config.provider_column,
        config.core,
        config.header_names,
    )
    interactions, dropped = drop_short_users(interactions)
    missing = 0
    if config.items:
        table = read_item_attribute(config.items, config.item_column, config.provider_column)
        interactions = interactions.with_item_providers(table)
        missing = sum(item not in table for item in interactions.items.ids)
        for name in config.item_attribute_names:
            paths = read_item_attribute(config.items, config.item_column, name)
            values = {item: path.rpartition("|")[2] for item, path in paths.items()}
            interactions = interactions.with_item_attribute(name, values)
    elif interactions.providers is None and config.provider_column != Config.provider_column:
        raise UserError(f"{config.data} has no column {config.provider_column!r} of providers.")
    note = f"; {dropped} users with fewer than 3 dropped" if dropped else ""
    print(
        f"Data: {interactions.num_users} users, {interactions.num_items} items, "
        f"{interactions.num_actions} interactions{note}",
        flush=True,
    )
    if interactions.providers is not None:
        known = (interactions.provider_ids != UNKNOWN_ID).mean()
        note = f"; {missing} items are not in {config.items}" if missing else ""
        print(
            f"Providers: {len(interactions.providers.vocabulary)}, known for "
            f"{interactions.providers.num_known_items} of {interactions.num_items} items and "
            f"{known:.1%} of interactions{note}",
            flush=True,
        )
    for name, attribute in interactions.attributes.items():
        print(
            f"Values of {name}: {len(attribute.vocabulary)}, known for "
            f"{attribute.num_known_items} of {interactions.num_items} items",
            flush=True,
        )
    return interactions


def _start_from_spectral_vectors(model, config, interactions):
    # At 100,000 items it takes most of a minute, and grows faster than the catalogue.
    if interactions.num_items > MAX_SOFTMAX_ITEMS:
        print(
            f"Item vectors start at random: there are more than {MAX_SOFTMAX_ITEMS} items.",
            flush=True,
        )
        return
    users = sampled_rows(interactions.num_users, config.clustered_users)
    start_from_spectral_vectors(
        model.members(), interactions, config.spectral_members, users, config.seed
    )


def _clustered_users(config: Config) -> int:
    # Faiss asks for 39 vectors a cluster at least.
    return max(config.clustered_users, 39 * max(config.num_intents))


def _check_num_intents(model: SequentialRecommender, interactions: Interactions) -> None:
    """Fail before anything is written, not at the first E-step."""
    usable = len(split_histories(interactions, "train").longer_than(1).starts)
    if not usable:
        raise UserError("No user has more than three items: there is nothing to train on.")
    if model.needs_intents and max(model.num_intents) > usable:
        raise UserError(
            f"{max(model.num_intents)} intents need at least as many users with training "
            f"data; there are {usable}. The largest K that works is {usable}: "
            f"--num-intents {usable}."
        )


def _check_resumable(config: Config, directory: RunDirectory) -> None:
    if directory.model.is_file() and not any(directory.checkpoints.glob("*")):
        raise UserError(
            f"The run in {directory.path} was converted, not trained: there is nothing to "
            "continue. Train with another --output."
        )
    before = dataclasses.asdict(directory.read_config())
    now = dataclasses.asdict(config)
    changed = [name for name in now if now[name] != before[name] and name not in _FREE_ON_RESUME]
    if changed:
        raise UserError(
            f"The run in {directory.path} was started with another value of "
            f"{', '.join(changed)}. Only {' and '.join(_FREE_ON_RESUME)} may change on --resume."
        )
