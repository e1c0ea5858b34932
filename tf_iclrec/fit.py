"""From settings to a finished run: read, split, model, training, evaluation, export."""

import contextlib
import dataclasses
import datetime
import io
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from tf_iclrec.checksums import resealed
from tf_iclrec.config import Config
from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.preparation.fingerprint import fingerprint
from tf_iclrec.data.preparation.source import GIVEN
from tf_iclrec.data.prepared import is_same_log, noted, read_prepared
from tf_iclrec.data.reading import how_read, read_log
from tf_iclrec.data.splits.everything import split_to_serve
from tf_iclrec.data.splits.split import Split
from tf_iclrec.errors import UserError
from tf_iclrec.evaluation.full_report import full_report
from tf_iclrec.evaluation.held_out import evaluate_held_out
from tf_iclrec.evaluation.tables import metrics_table
from tf_iclrec.evaluation.user_values import LIST_LENGTH
from tf_iclrec.files import read_json, replace_file, write_json
from tf_iclrec.models.item_facts import item_facts
from tf_iclrec.models.recommender import Recommender
from tf_iclrec.options import marked
from tf_iclrec.reports.run_report import write_run_report
from tf_iclrec.reports.run_sections.reported_run import ReportedRun
from tf_iclrec.run_directory import RunDirectory
from tf_iclrec.runs import (
    Run,
    check_same_split,
    of_given_log,
    read_config,
    split_of,
    start_run,
)
from tf_iclrec.serving.saved_model import export_saved_model
from tf_iclrec.settings import AUTO
from tf_iclrec.systems.registry import SYSTEMS
from tf_iclrec.systems.yardsticks import yardsticks
from tf_iclrec.training.cluster import Cluster
from tf_iclrec.training.replicas import Replicas, choose_replicas
from tf_iclrec.warm_start import start_from_run


@dataclasses.dataclass(frozen=True)
class Trained:
    """What a training ends with; the fields are the arguments of `finish_run`."""

    model: Recommender
    split: Split
    config: Config
    directory: RunDirectory
    final: tuple[Recommender, Split] | None


def fit(
    config: Config,
    output: str | Path,
    resume: bool = False,
    overwrite: bool = False,
    interactions: Interactions | None = None,
    verbose: bool = True,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> Run | None:
    """Train, evaluate and export a model; everything is written to a run directory.

    Args:
        config: Settings; see `make_config`.
        output: The run directory.
        resume: Continue the run in ``output`` after its last complete epoch, if there is one. Its
            settings must be the same, except for ``epochs``, ``patience`` and ``strategy``.
        overwrite: Replace a run in ``output``, when the new one is finished.
        interactions: The log, where it is read already; of ``config.data`` nothing is applied to it
            then.
        verbose: Whether to print what is done. The figures of the epochs are in ``train.log`` and
            ``history.csv`` of the run in any case.
        callbacks: Further ones of Keras for the epochs of the model that is evaluated, such as
            those that send figures elsewhere. They begin anew where a run goes on.

    Returns:
        The finished run, with the best epoch's model. Where several processes train it together
        (``TF_CONFIG``), each calls this; the first returns and writes the run, the others None.

    Raises:
        UserError: If the data or settings can't be used; nothing is written then.
        NonFiniteLossError: If a loss becomes NaN or infinite.
        LostProcessError: If one of several processes has ended.

    Example: what followed what, counted, beats popularity.
    >>> import tempfile
    >>> from tf_iclrec import load_run, make_config
    >>> days = ["tea", "jam", "oil", "rye", "fig"] * 2
    >>> log = Interactions.from_sequences({f"user {n}": days[n : n + 4] for n in range(5)})
    >>> folder = tempfile.mkdtemp() + "/run"
    >>> run = fit(make_config("transitions"), folder, interactions=log, verbose=False)
    >>> run.metrics["test"]["MRR@5"], run.metrics["yardsticks"]["popularity"]["test"]["MRR@5"]
    (1.0, 0.5)
    >>> load_run(folder).metrics == run.metrics
    True
    """
    if interactions is not None:
        config = of_given_log(config, interactions)
    quiet = contextlib.nullcontext() if verbose else contextlib.redirect_stdout(io.StringIO())
    with quiet:
        return fit_log(config, output, resume, overwrite, interactions, callbacks)


def fit_log(
    config: Config,
    output: str | Path,
    resume: bool = False,
    overwrite: bool = False,
    interactions: Interactions | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> Run | None:
    """`fit` where the log that is given was read from ``config.data``."""
    replicas = _replicas(config)
    with replicas.output(RunDirectory.at(output).path, resume) as path:
        output = RunDirectory(path)
        with output.written(resume, overwrite) as directory:
            resume = resume and directory.config.is_file()
            start = _init_from(config)
            if not resume and start and Path(start).resolve() == output.path.resolve():
                raise UserError(
                    f"{output.path} can't be started from and written to: name two folders."
                )
            trained = train(config, directory, resume, replicas, interactions, callbacks)
            if not replicas.is_chief:
                return None
            run = finish_run(**vars(trained))
        write_page(run, output)
    return run


def _replicas(config: Config) -> Replicas:
    if "replicas" in config:
        return choose_replicas(**config.replicas)
    if len(Cluster.of_environment()) > 1:
        raise UserError(
            f"The model {config.model} is not trained in steps, so that several processes can't "
            "share them: train it in one, without TF_CONFIG."
        )
    return Replicas()


def train(
    config: Config,
    directory: RunDirectory,
    resume: bool,
    replicas: Replicas | None = None,
    interactions: Interactions | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> Trained:
    """The first part of `fit`: the best epoch's model is not evaluated or exported yet, nor saved
    beyond its checkpoints.

    Args:
        config: Settings.
        directory: A folder that no other command writes to: see `RunDirectory.written`.
        resume: Whether to go on with the run that is there.
        replicas: What trains it. Defaults to one device.
        interactions: See `fit`, as for ``callbacks``.

    Raises:
        UserError: See `fit`.
        NonFiniteLossError: See `fit`.
    """
    replicas = replicas or Replicas()
    family = SYSTEMS[config.model].family
    notes: dict[str, Any] = {"how_read": how_read(config.data)}
    if resume:
        config = _as_before(config, directory)
        given, interactions = interactions, read_prepared(directory.data)
        _say_what_is_newer(config, directory, given, interactions)
    elif interactions is None:
        # Before it is read: what changes meanwhile is newer.
        notes["sources"] = fingerprint(config.data.source)
        interactions = read_log(**config.data).log
    split = split_of(config, interactions)
    if resume:
        check_same_split(split, config, directory)
    else:
        notes["split"] = split.digest()
    print(split.summary(), flush=True)
    config = config.replace(**replicas.agreed(lambda: family.decide(config, split)))
    started = resume and directory.state.is_file()
    model = _new_model(config, split, replicas, started)
    family.check(model, split, config)
    if replicas.is_chief and not resume:
        start_run(directory, config, interactions, notes)
    elif replicas.is_chief and config != read_config(directory):
        with resealed(directory.checksums, directory.config.name):
            write_json(directory.config, config.to_dict())
    directory.checkpoints.mkdir(parents=True, exist_ok=True)
    best_epoch = family.train(model, split, config, directory, callbacks=callbacks)
    final_split, final = split_to_serve(split, **config.final), None
    if final_split is not split:
        final = _train_final(config, final_split, replicas, directory.final, best_epoch)
        final = replicas.alone(final), final_split
    return Trained(replicas.alone(model), split, config, directory, final)


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


def finish_run(
    model: Recommender,
    split: Split,
    config: Config,
    directory: RunDirectory,
    final: tuple[Recommender, Split] | None = None,
) -> Run:
    """Save, evaluate and export a model, and print its test metrics beside those of yardsticks.

    Args:
        model: What is evaluated.
        split: What it was trained on.
        config: Its settings.
        directory: The run directory.
        final: What is exported, if it is another model, and what that was trained on.
    """
    served, served_split = final or (model, split)
    facts = item_facts(model, split)
    metrics = evaluate_held_out(model, split, ("valid",), **config.evaluation)
    metrics |= full_report(model, split, facts, **config.evaluation)
    metrics["yardsticks"] = yardsticks(split, facts, config.evaluation, config.model)
    export_saved_model(
        served,
        served_split,
        directory.saved_models / "1",
        filter_seen=config.evaluation.filter_seen,
        **config.serving,
    )
    # Last and one after the other: between the first and the last of them the run is neither what
    # it was nor what it becomes, which the checksums tell.
    saved = [(model, directory.model)] + [(served, directory.final.model)] * bool(final)
    for one, file in saved:
        with replace_file(file) as path:
            one.save(path)
    write_json(directory.metrics, metrics)
    # The times of files become others when they are copied.
    directory.seal(trained=datetime.datetime.now(datetime.UTC).date().isoformat())
    _print_metrics({config.model: metrics} | metrics["yardsticks"])
    if final:
        print(
            f"These are of {directory.model.name}. Trained on everything, and served: "
            f"{directory.final.path.name}/{directory.final.model.name}, "
            f"{directory.saved_models.name}/1"
        )
    return Run(model, split, config, metrics, noted(directory.data, "how_read"))


def write_page(run: Run, directory: RunDirectory) -> None:
    """Make the page of a finished run, and say where it and the run are."""
    try:
        write_run_report([ReportedRun.of(run, directory)], directory.report)
    except Exception as error:
        # Of any kind: the run is finished, and no picture of it is worth hours of training.
        print(
            f"No page could be made of the run: {error!r}. To try again: python -m "
            f"tf_iclrec.report {directory.path}"
        )
    else:
        print(f"Page: {directory.report}")
    print(f"Run directory: {directory.path}", flush=True)


def _print_metrics(models: Mapping[str, Mapping[str, Mapping[str, float]]]) -> None:
    """A short table of what models are like, and another of their lists."""
    print("\nTest metrics, whole catalogue ranked")
    print(metrics_table({name: metrics["test"] for name, metrics in models.items()}))
    print(f"Lists of {LIST_LENGTH}: share of the catalogue, bits per item, mean distance")
    shown = [f"{name}@{LIST_LENGTH}" for name in ("Coverage", "Novelty", "Diversity")]
    print(metrics_table({name: metrics["lists"] for name, metrics in models.items()}, shown))


def _new_model(config: Config, split: Split, replicas: Replicas, started: bool) -> Recommender:
    """A new model with the first weights of its training, unless there are later ones."""
    if "training" in config:
        keras.utils.set_random_seed(config.training.seed)
    with replicas.strategy.scope():
        model = build_model(config, split.catalogue)
        if _init_from(config) and not started:
            start_from_run(model, split, config)
    return model


def _init_from(config: Config) -> str:
    return config.warm_start.init_from if "warm_start" in config else ""


def _train_final(
    config: Config,
    split: Split,
    replicas: Replicas,
    directory: RunDirectory,
    best_epoch: int | None,
) -> Recommender:
    """Train a new model for as many epochs as were best, or go on with it."""
    print(f"\n{split.summary()}", flush=True)
    training = dict(config.get("training", {}))
    training.pop("patience", None)  # Nothing is validated.
    plan = {"epochs": best_epoch, "training": training}
    if read_json(directory.plan) != plan:
        # Of a training that was continued since: the learning rates were others. What is served
        # stays until there is another.
        directory.plan.unlink(missing_ok=True)
        shutil.rmtree(directory.checkpoints, ignore_errors=True)
        directory.checkpoints.mkdir(parents=True)
        write_json(directory.plan, plan)
    model = _new_model(config, split, replicas, started=directory.state.is_file())
    SYSTEMS[config.model].family.train(model, split, config, directory, best_epoch)
    return model


def _say_what_is_newer(
    config: Config, directory: RunDirectory, given: Interactions | None, kept: Interactions
) -> None:
    if given is not None:
        is_newer = not is_same_log(given, kept)
        what = "The log that is given is not"
    else:
        before = noted(directory.data, "sources")
        try:
            is_newer = bool(before) and fingerprint(config.data.source) != before
        except UserError:
            return  # It need not be there any more.
        what = f"By size or date, {', '.join(config.data.source)} is not"
    if is_newer:
        print(
            f"{what} what the run in {directory.path} was started with; the run goes on with the "
            f"data of then. A newer log is another run: --init-from {directory.path}.",
            flush=True,
        )


def _as_before(config: Config, directory: RunDirectory) -> Config:
    """The configuration of a run that is continued: what is left to the data was decided then.

    Raises:
        UserError: If it has been started with other settings.
    """
    before = read_config(directory)
    if directory.metrics.is_file() and not directory.state.is_file():
        raise UserError(
            f"The run in {directory.path} was not trained in epochs: there is nothing to "
            "continue. Train with another --output."
        )
    then, free = before.options(), marked("may_change")
    left_open = {option for option, value in config.options().items() if value == AUTO}
    left_open -= free
    if (GIVEN,) in (then["data"], config.data.source):
        left_open.add("data")  # What is kept with the run counts.
    config = config.replace(**{option: then[option] for option in left_open & then.keys()})
    now = config.options()
    changed = [
        option
        for option in sorted(then.keys() | now.keys())
        if then.get(option) != now.get(option) and option not in free
    ]
    if before.model != config.model:
        changed.insert(0, "model")
    if changed:
        raise UserError(
            f"The run in {directory.path} was started with another value of "
            f"{', '.join(changed)}. Only {', '.join(sorted(free))} may change on --resume; with "
            "other settings, train with --overwrite or another --output."
        )
    done = (read_json(directory.state) or {}).get("epochs_done", 0)
    if "training" in config and done > config.training.epochs:
        raise UserError(
            f"The run in {directory.path} has trained {done} epochs, more than --epochs "
            f"{config.training.epochs}: name at least as many, or train with another --output."
        )
    return config
