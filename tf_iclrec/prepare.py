"""Prepare raw logs: ``python -m tf_iclrec.prepare --data SOURCE ... --output DIR``."""

import dataclasses
import functools
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tf_iclrec.checksums import DamagedError
from tf_iclrec.commands import Parser, add_settings, given_settings, run_command
from tf_iclrec.data.arrays import in_files
from tf_iclrec.data.preparation.additions import additions, files_alone, files_read
from tf_iclrec.data.preparation.append import append, num_identical
from tf_iclrec.data.preparation.prepare_log import Preparation, reduce_log
from tf_iclrec.data.preparation.registry import ENGINES
from tf_iclrec.data.preparation.selection import Selection
from tf_iclrec.data.prepared import is_prepared, read_metadata, read_prepared, write_prepared
from tf_iclrec.data.reading import read_log
from tf_iclrec.data.tfds_export import data_set_folder, write_tensorflow_dataset
from tf_iclrec.errors import UserError
from tf_iclrec.files import locked, replace_directory
from tf_iclrec.options import flag, resolved
from tf_iclrec.reports.data_report import write_data_report
from tf_iclrec.systems.sections import DATA
from tf_iclrec.systems.system import CHOICE, Section

ENGINE = Section(
    "engine",
    "Engine",
    alternatives=ENGINES,
    option="engine",
    default="duckdb",
    help="what reads and sorts tables",
)
# What an addition to prepared data says anew.
_PER_ADDITION = ("source", "since", "until")


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse arguments, read and write."""
    parser = Parser(
        prog="python -m tf_iclrec.prepare",
        description="Read raw logs once, keep what is wanted, and write it as a folder for --data, "
        "whose sequences are read from disk when they are needed.",
    )
    parser.add_argument("--output", metavar="DIR", help="folder to write")
    parser.add_argument(
        "--append", metavar="DIR", help="prepared folder to add newer logs to, with its options"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace what is in --output")
    parser.add_argument(
        "--tfds", metavar="DIR", help="also write a data set of TensorFlow Datasets to this folder"
    )
    add_settings(parser, [DATA, ENGINE])
    values = parser.parse(arguments)
    if bool(values.output) == bool(values.append):
        raise UserError("Name a folder to write with --output, or one to add to with --append.")
    given = given_settings(values, [DATA, ENGINE])
    tree, read = resolved([DATA, ENGINE], [given])
    unread = sorted(given.keys() - read)
    if unread:
        raise UserError(f"The engine {tree['engine'][CHOICE]} does not read {flag(unread[0])}.")
    make_engine = functools.partial(
        ENGINES[tree["engine"][CHOICE]],
        **{name: value for name, value in tree["engine"].items() if name != CHOICE},
    )
    folder = Path(values.append or values.output)
    # In full: where it is replaced, "." is no more.
    in_full = folder.resolve()
    data_set = data_set_folder(in_full.name, values.tfds) if values.tfds else None
    if data_set and data_set.exists() and not (folder.exists() or values.overwrite):
        raise UserError(f"{data_set} exists. Use --overwrite to replace it, or another --tfds.")
    with locked(folder):
        if values.append:
            written = _append(folder, tree["data"], given, make_engine)
        else:
            written = _prepare(folder, tree["data"], values.overwrite, make_engine)
    if data_set and (written or values.overwrite or not data_set.exists()):
        write_tensorflow_dataset(read_prepared(in_full), in_full.name, values.tfds)
        print(f"Data set of TensorFlow Datasets: {in_full.name} in {values.tfds}")
    elif data_set:
        print(f"{data_set} is kept as it is. To write it anew, use --overwrite.")


def _prepare(output: Path, data: dict[str, Any], overwrite: bool, make_engine) -> bool:
    """Write a new folder, unless what is asked for is there; returns whether it was written."""
    names = [*data["source"], *filter(None, [data["items"]])]
    sources = files_read(names, data["since"], data["until"])
    try:
        metadata = read_metadata(output)
    except DamagedError:  # Then it can be replaced all the same.
        metadata = {}
    before = metadata.get("options"), files_alone(metadata.get("sources", []))
    if sources and before == (_as_json(data), files_alone(sources)):
        print(f"Nothing to do: {output} holds this data, prepared with these options.")
        return False
    if output.exists() and not overwrite:
        raise UserError(f"{output} exists. Use --overwrite to replace it, or another --output.")
    if output.exists() and not is_prepared(output):
        raise UserError(f"{output} holds something else than prepared data: choose another folder.")
    with replace_directory(output) as folder:
        scratch = folder / "scratch"
        scratch.mkdir(parents=True)
        made = read_log(
            **data, make_engine=make_engine, allocate=in_files(scratch), scratch=scratch
        )
        _write(made, folder, data, sources)
    print(f"Prepared data: {output}")
    return True


def _append(folder: Path, data: dict[str, Any], given: Mapping[str, Any], make_engine) -> bool:
    """Add newer data to a prepared folder, unless it is in it."""
    if "data" not in given:
        raise UserError("Name the newer logs with --data.")
    metadata = read_metadata(folder)
    if "options" not in metadata:
        raise UserError(f"{folder} holds no data that was prepared by this command.")
    asked = _as_json(data)
    options = asked | metadata["options"] | {name: asked[name] for name in _PER_ADDITION}
    if "items" in given:
        options["items"] = asked["items"]
    changed = [name for name in asked if asked[name] != options[name] and name in given]
    if changed:
        raise UserError(
            f"{folder} was prepared with another value of {', '.join(changed)}; what is added to "
            "it must be read alike."
        )
    new, sources = additions(
        *(data["source"], data["since"], data["until"]), metadata["sources"], folder
    )
    if not new:
        print(f"Nothing to do: {folder} holds this data already.")
        return False
    # Core and groups are properties of what is there at the beginning: nothing that has an id may
    # go.
    everybody = {"min_user_count": 0, "min_item_count": 0, "users_by_length": ""}
    added = {**options, **everybody, "repeats": "keep", "source": tuple(new)}
    with replace_directory(folder) as new_folder:
        scratch = new_folder / "scratch"
        scratch.mkdir(parents=True)
        old = read_prepared(folder)
        made = read_log(
            **added,
            further_items=old.items.ids,
            make_engine=make_engine,
            allocate=in_files(scratch),
            scratch=scratch,
        )
        log = append(old, made.log)
        again = num_identical(log) - num_identical(old) - num_identical(made.log)
        reduced = reduce_log(log, Selection(repeats=options["repeats"]), in_files(scratch))
        dropped = dict(Counter(made.dropped) + Counter(reduced.dropped))
        made = dataclasses.replace(made, log=reduced.log, dropped=dropped)
        _write(made, new_folder, options, sources)
    print(
        f"Added to {folder}: {made.log.num_users - old.num_users} new users, "
        f"{made.log.num_items - old.num_items} new items, "
        f"{made.log.num_actions - old.num_actions} interactions"
    )
    if again and options["repeats"] == "keep":
        print(
            f"Warning: {again} of them were there already, with the same user, item and time, and "
            "count twice now: what is added must hold new rows alone."
        )
    if core := [flag(name) for name in everybody if options[name]]:
        print(f"{' and '.join(core)} cut down what was there first, not what is added.")
    return True


def _write(made: Preparation, folder: Path, data: Mapping[str, Any], sources: list) -> None:
    metadata = {"options": _as_json(data), "sources": sources, "preparation": made.as_json()}
    write_prepared(made.log, folder, metadata)
    # From the files: what the scratch folder held is gone.
    log = read_prepared(folder)
    files = dict.fromkeys(one["name"] for one in sources)
    preparation = made.as_json() | {"sources": list(files)}
    for warning in write_data_report(log, folder / "report.html", preparation):
        print(f"Warning: {warning}")
    shutil.rmtree(folder / "scratch")


def _as_json(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(one) if isinstance(one, tuple) else one for name, one in data.items()}


if __name__ == "__main__":
    run_command(main, "Nothing was written.")
