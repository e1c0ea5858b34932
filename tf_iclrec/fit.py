"""From settings to a finished run: read, split, model, training, evaluation, export."""

from pathlib import Path

import keras

from tf_iclrec.config import Config
from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.prepared import read_prepared
from tf_iclrec.data.reading import read_log
from tf_iclrec.data.splits.split import Split
from tf_iclrec.errors import UserError
from tf_iclrec.evaluation.report import evaluate_held_out, metrics_table
from tf_iclrec.files import replace_file, write_json
from tf_iclrec.models.recommender import Recommender
from tf_iclrec.run_directory import RunDirectory
from tf_iclrec.runs import Run, read_config, split_of, start_run
from tf_iclrec.serving.saved_model import export_saved_model
from tf_iclrec.systems.registry import SYSTEMS
from tf_iclrec.systems.yardsticks import yardsticks

# Options that may differ when a run is continued.
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
    directory, family = RunDirectory(Path(output)), SYSTEMS[config.model].family
    if resume:
        _check_resumable(config, directory)
        interactions = read_prepared(directory.data)
    else:
        directory.check_free(overwrite)
        interactions = read_log(**config.data).log
    split = split_of(config, interactions)
    _say_left_out(interactions, split)
    if "training" in config:
        keras.utils.set_random_seed(config.training.seed)
    model = build_model(config, split.catalogue)
    family.check(model, split, config)
    if not resume:
        start_run(directory, config, split.interactions)
    family.train(model, split, config, directory)
    return finish_run(model, split, config, directory)


def build_model(config: Config, catalogue: Catalogue) -> Recommender:
    """A new, built model.

    Args:
        config: Settings; see `make_config`.
        catalogue: What is known of the log: `Interactions.catalogue`.

    Raises:
        UserError: If the model needs something that is not known.

    Example:
    >>> from tf_iclrec import Catalogue, make_config
    >>> model = build_model(make_config(model="cl4srec"), Catalogue(num_items=100))
    >>> [term.name for term in model.objectives]
    ['next_item', 'sequence_contrast']
    """
    return SYSTEMS[config.model].family.build(config, catalogue)


def finish_run(model: Recommender, split: Split, config: Config, directory: RunDirectory) -> Run:
    """Save, evaluate and export a model, and print its test metrics beside those of yardsticks."""
    with replace_file(directory.model) as path:
        model.save(path)
    metrics = evaluate_held_out(model, split, **config.evaluation)
    export_saved_model(model, split, directory.saved_models / "1", **config.serving)
    write_json(directory.metrics, metrics)
    rows = {config.model: metrics["test"]} | yardsticks(split, config.evaluation, config.model)
    print("\nTest metrics, whole catalogue ranked")
    print(metrics_table(rows))
    print(f"Run directory: {directory.path}", flush=True)
    return Run(model, split, config, metrics)


def _say_left_out(interactions: Interactions, split: Split) -> None:
    left_out = interactions.num_users - split.interactions.num_users
    if left_out:
        print(f"{left_out} users have too few items to be split and are left out.", flush=True)


def _check_resumable(config: Config, directory: RunDirectory) -> None:
    before = read_config(directory)
    if directory.model.is_file() and not any(directory.checkpoints.glob("*")):
        raise UserError(
            f"The run in {directory.path} was converted, not trained: there is nothing to "
            "continue. Train with another --output."
        )
    then, now = before.options(), config.options()
    changed = [
        option
        for option in sorted(then.keys() | now.keys())
        if then.get(option) != now.get(option) and option not in _FREE_ON_RESUME
    ]
    if before.model != config.model:
        changed.insert(0, "model")
    if changed:
        raise UserError(
            f"The run in {directory.path} was started with another value of "
            f"{', '.join(changed)}. Only {' and '.join(_FREE_ON_RESUME)} may change on --resume."
        )
