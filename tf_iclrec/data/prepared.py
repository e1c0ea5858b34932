"""Prepared data: a log as a folder of arrays, of which only what is needed is in memory.

Whoever opens it reads all files once, a part at a time, to see that they are as they were written.

::

    metadata.json             format and statistics, and checksums of the other files
    item_ids.npy offsets.npy  the sequences, see `Interactions`
    times.npy ratings.npy own_provider_ids.npy    what else is known of each interaction
    users.json items.json     raw ids in the order of their internal ids
    providers.json providers_of_items.npy         where providers are known
    attributes.json attributes_of_items.npy       what else is known of the items
    labels.json labels_of_items.npy               what describes them to people
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from tf_iclrec.checksums import DamagedError, read_sealed, write_sealed
from tf_iclrec.data.interactions import PER_ACTION, Interactions
from tf_iclrec.data.item_attributes import ItemAttribute
from tf_iclrec.data.times import format_time
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, UNKNOWN_ID, Vocabulary
from tf_iclrec.errors import UserError
from tf_iclrec.files import read_json, replace_file

_METADATA = "metadata.json"
_FORMAT = 1
# Arrays are files of their own, so that they can be read a part at a time.
_PER_ITEM = ("attributes", "labels")
_ARRAYS = (*PER_ACTION, "offsets", "providers_of_items", *(f"{one}_of_items" for one in _PER_ITEM))
_USERS = "users.json"
_ITEMS = "items.json"
_PROVIDERS = "providers.json"


def write_prepared(
    log: Interactions, directory: str | Path, metadata: dict[str, Any] | None = None
) -> None:
    """Write a log to a folder, which is itself a valid ``--data`` source.

    Args:
        log: The log.
        directory: The folder; made if it is not there.
        metadata: What to note beside format and statistics, as JSON.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    ids = {_USERS: log.users.tolist(), _ITEMS: log.items.ids.tolist()}
    arrays = {name: getattr(log, name) for name in (*PER_ACTION, "offsets")}
    if log.providers is not None:
        ids[_PROVIDERS] = log.providers.vocabulary.ids.tolist()
        arrays["providers_of_items"] = log.providers.of_items
    for kind in _PER_ITEM:
        known = getattr(log, kind)
        if known:
            ids[f"{kind}.json"] = {n: one.vocabulary.ids.tolist() for n, one in known.items()}
            arrays[f"{kind}_of_items"] = np.stack([one.of_items for one in known.values()])
    for name, raw in ids.items():
        with replace_file(directory / name) as path:
            path.write_text(json.dumps(raw))
    for name in _ARRAYS:
        if arrays.get(name) is None:
            (directory / f"{name}.npy").unlink(missing_ok=True)
            continue
        with replace_file(directory / f"{name}.npy") as path, path.open("wb") as file:
            np.save(file, arrays[name])
    write_sealed(
        directory / _METADATA,
        {"format": _FORMAT, "statistics": statistics(log), **(metadata or {})},
        [*ids, *(f"{name}.npy" for name in _ARRAYS if arrays.get(name) is not None)],
    )


def read_prepared(directory: str | Path) -> Interactions:
    """Read what `write_prepared` wrote.

    What is there per interaction stays in its file, is looked through once and then read when it is
    needed.

    Raises:
        UserError: If the folder does not hold prepared data, or a file is damaged.
    """
    directory = Path(directory)
    files = {name: directory / f"{name}.npy" for name in _ARRAYS}
    there = {name for name, file in files.items() if file.is_file()}
    needed = [_USERS, _ITEMS] + [_PROVIDERS] * ("providers_of_items" in there)
    needed += [f"{kind}.json" for kind in _PER_ITEM if f"{kind}_of_items" in there]
    if not {"item_ids", "offsets"} <= there or not all(
        (directory / name).is_file() for name in needed
    ):
        raise UserError(
            f"{directory} holds no prepared data. Give a sequence file, a CSV or Parquet "
            "file, or a folder written by this program."
        )
    read_metadata(directory)
    try:
        arrays = {name: np.load(files[name], mmap_mode="r", allow_pickle=False) for name in there}
        raw_ids = {name: json.loads((directory / name).read_bytes()) for name in needed}
        log = _log_of(arrays, raw_ids)
        _check(log)
    except (ValueError, TypeError, AttributeError, LookupError, EOFError, OSError) as error:
        raise DamagedError(f"The prepared data in {directory} is damaged: {error}") from error
    except RecursionError as error:
        raise DamagedError(f"The prepared data in {directory} is damaged.") from error
    return log


def _log_of(arrays: dict[str, np.ndarray], raw_ids: dict[str, Any]) -> Interactions:
    providers = None
    if _PROVIDERS in raw_ids:
        of_items = np.array(arrays["providers_of_items"])
        providers = ItemAttribute(Vocabulary(raw_ids[_PROVIDERS]), of_items)
    known = {}
    for kind in _PER_ITEM:
        values = raw_ids.get(f"{kind}.json", {})
        known[kind] = {
            name: ItemAttribute(Vocabulary(raw), np.array(arrays[f"{kind}_of_items"][row]))
            for row, (name, raw) in enumerate(values.items())
        }
    return Interactions(
        offsets=np.array(arrays["offsets"]),
        users=np.asarray(raw_ids[_USERS], dtype=object),
        items=Vocabulary(raw_ids[_ITEMS]),
        providers=providers,
        **known,
        **{name: arrays.get(name) for name in PER_ACTION},
    )


def _check(log: Interactions) -> None:
    """Make sure that the parts of a log fit each other, whoever wrote them.

    Raises:
        ValueError: If they don't.
    """
    import pandas as pd

    offsets, of_items = log.offsets, [log.providers, *log.attributes.values(), *log.labels.values()]
    of_items = [one for one in of_items if one is not None]
    for raw in (log.users, log.items.ids, *(one.vocabulary.ids for one in of_items)):
        if raw.ndim != 1 or pd.api.types.infer_dtype(raw, skipna=False) not in ("string", "empty"):
            raise ValueError("ids that are no list of strings")
    if (
        offsets.shape != (log.num_users + 1,)
        or offsets.dtype.kind != "i"
        or offsets[0] != 0
        or (np.diff(offsets) < 0).any()
        or offsets[-1] != len(log.item_ids)
    ):
        raise ValueError("offsets that don't fit the users and interactions")
    _check_numbers("item_ids", log.item_ids, offsets[-1], log.items.size, NUM_SPECIAL_IDS)
    for one in of_items:
        _check_numbers("values of items", one.of_items, log.items.size, one.vocabulary.size)
    if log.own_provider_ids is not None:
        known = log.providers.vocabulary.size if log.providers else 0
        _check_numbers("own_provider_ids", log.own_provider_ids, offsets[-1], known)
    for name, kind in (("times", "i"), ("ratings", "f")):
        array = getattr(log, name)
        if array is not None and (array.shape != log.item_ids.shape or array.dtype.kind != kind):
            raise ValueError(f"{name} that don't fit the interactions")
    if log.times_fall():
        raise ValueError("times that fall within a user")


def _check_numbers(name: str, ids: np.ndarray, length: int, size: int, least: int = 0) -> None:
    if ids.shape != (length,) or ids.dtype.kind != "i":
        raise ValueError(f"{name} of another shape or type")
    if length and not least <= ids.min() <= ids.max() < size:
        raise ValueError(f"{name} that are not in the vocabulary")


def is_prepared(directory: str | Path) -> bool:
    """Whether a folder holds prepared data, at least in part."""
    names = (*(f"{name}.npy" for name in _ARRAYS), _USERS, _ITEMS, _METADATA)
    return any((Path(directory) / name).is_file() for name in names)


def read_metadata(directory: str | Path) -> dict[str, Any]:
    """What `write_prepared` noted; empty for a folder without notes. All files are read for it.

    Raises:
        DamagedError: If this or another file of the folder is damaged.
    """
    path = Path(directory) / _METADATA
    return read_sealed(path) if path.is_file() else {}


def noted(directory: str | Path, name: str) -> Any:
    """What `write_prepared` noted under a name, None if there is no such note. Only the notes are
    read for it."""
    notes = read_json(Path(directory) / _METADATA)
    return notes.get(name) if isinstance(notes, dict) else None


def is_same_log(one: Interactions, other: Interactions) -> bool:
    """Whether two logs have the same users, items, interactions and all that is known of them.

    Example:
    >>> one, other = ["tea", "jam"], ["jam", "tea"]
    >>> logs = [Interactions.from_sequences({"ann": items}) for items in (one, one, other)]
    >>> is_same_log(logs[0], logs[1]), is_same_log(logs[0], logs[2])
    (True, False)
    """
    names = [*PER_ACTION, "offsets", "users"]
    pairs = [(getattr(one, name), getattr(other, name)) for name in names]
    pairs.append((one.items.ids, other.items.ids))
    ours, theirs = (_known_of_items(log) for log in (one, other))
    if ours.keys() != theirs.keys():
        return False
    for name, known in ours.items():
        pairs.append((known.of_items, theirs[name].of_items))
        pairs.append((known.vocabulary.ids, theirs[name].vocabulary.ids))
    return all(
        first is second if first is None or second is None else _are_equal(first, second)
        for first, second in pairs
    )


def _known_of_items(log: Interactions) -> dict[tuple[str, str], ItemAttribute]:
    known = {(kind, name): one for kind in _PER_ITEM for name, one in getattr(log, kind).items()}
    return known if log.providers is None else known | {("providers", ""): log.providers}


def _are_equal(one: np.ndarray, other: np.ndarray) -> bool:
    return np.array_equal(one, other, equal_nan=one.dtype.kind == other.dtype.kind == "f")


def statistics(log: Interactions) -> dict[str, Any]:
    """Figures of a log, as JSON.

    Example:
    >>> log = Interactions.from_sequences({"ann": ["tea", "jam"], "bob": ["jam"]})
    >>> statistics(log)["actions"]
    3
    """
    found: dict[str, Any] = {
        "users": log.num_users,
        "items": log.num_items,
        "actions": log.num_actions,
    }
    if log.providers is not None:
        found["providers"] = len(log.providers.vocabulary)
        known = int(np.count_nonzero(log.provider_ids != UNKNOWN_ID))
        found["actions_with_provider"] = known
    if log.attributes:
        found["attributes"] = {name: len(one.vocabulary) for name, one in log.attributes.items()}
    if log.times is not None and log.num_actions:
        found["first_time"] = format_time(log.times.min())
        found["last_time"] = format_time(log.times.max())
    return found
