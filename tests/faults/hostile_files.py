"""Files that are damaged or made to do harm, and what becomes of those who read them."""

import collections
import copy
import io
import json
import os
import shutil
import zipfile
from pathlib import Path

import numpy as np

from tf_iclrec.data.prepared import read_prepared
from tf_iclrec.errors import UserError
from tf_iclrec.runs import _load_model, load_run

_VALUES = [None, True, -1, 0, 3, 1e308, "", "x" * 1000, "../../../etc/passwd", [], {}, [[[]]]]


class Trap:
    """What, unpickled, makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.makedirs, (str(self.path),)


def damaged(content: bytes, random: np.random.Generator) -> bytes:
    """Some bytes changed, lost or repeated."""
    changed = bytearray(content)
    place, length = (int(one) for one in random.integers(0, max(len(content), 1), size=2))
    kind = random.integers(5)
    if kind == 0 and changed:
        changed[place] ^= 1 << int(random.integers(8))
    elif kind == 1:
        return content[:place]
    elif kind == 2:
        changed[place : place + length] = random.bytes(min(length, 100))
    elif kind == 3:
        changed[place:place] = changed[:length]
    else:
        changed[place : place + 20] = bytes(len(changed[place : place + 20]))
    return bytes(changed)


def with_other_values(value, random: np.random.Generator, traps: list):
    """A JSON value in which something has another value, perhaps one of the traps."""
    value = copy.deepcopy(value)
    places = list(_places(value))
    if not places:
        return value
    parent, key = places[random.integers(len(places))]
    pool = [*_VALUES, *traps]
    parent[key] = copy.deepcopy(pool[random.integers(len(pool))])
    return value


def _places(value):
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, one in list(pairs):
        yield value, key
        if isinstance(one, dict | list):
            yield from _places(one)


def traps_of_keras(trap: Path) -> list[dict]:
    """Configurations of objects that would make a file, if what they name were run."""
    command, code = f"mkdir {trap}", f"__import__('os').mkdir({str(trap)!r})"

    def of(module, name, config, registered=None):
        found = {"module": module, "class_name": name, "config": config}
        return found | {"registered_name": registered}

    return [
        of("os", "system", {"command": command}),
        of("os", "mkdir", {"path": str(trap)}),
        of("builtins", "eval", {"source": code}),
        of("builtins", "function", "eval", "eval"),
        of("subprocess", "Popen", {"args": command, "shell": True}),
        of("subprocess", "Popen", {"args": command, "shell": True}, "Popen"),
        of("keras.src.saving.saving_lib", "load_model", {"filepath": str(trap)}),
        of("keras.utils", "get_file", {"fname": "x", "origin": f"file://{trap}"}),
        of("tests.faults.hostile_files", "Trap", {"path": str(trap)}),
        of("keras.layers", "Lambda", {"name": "x", "function": of("builtins", "eval", code)}),
        {"class_name": "__lambda__", "config": {"value": ["x", None, None]}},
        {"class_name": "__tensor__", "config": {"value": [1], "dtype": code}},
    ]


def check_prepared(request: dict) -> None:
    """Read prepared folders that are damaged, or changed and given no checksums."""
    _check(request, _harm_prepared, lambda path: _as_bytes(read_prepared(path)))


def check_runs(request: dict) -> None:
    """Read run directories, likewise."""

    def read(path):
        run = load_run(path)
        return json.dumps(run.metrics), [one.numpy().tobytes() for one in run.model.weights]

    _check(request, _harm_run, read)


def check_models(request: dict) -> None:
    """Read ``.keras`` files, likewise."""

    def read(path):
        return [one.numpy().tobytes() for one in _load_model(path).weights]

    _check(request, _harm_model, read)


def _check(request: dict, harm, read) -> None:
    """Harm copies of a source, read them, and print what happened how often.

    What is damaged must be refused in one line, or be read as it was; what was made by someone who
    also made the checksums must be refused, or be read.
    """
    source, folder = Path(request["source"]), Path(request["folder"])
    trap = folder / "trap"
    expected, counts = read(source), collections.Counter()
    for number in range(request["first"], request["first"] + request["number"]):
        random = np.random.default_rng(number)
        path = folder / "in" / source.name
        shutil.rmtree(path.parent, ignore_errors=True)
        path.parent.mkdir(parents=True)
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, path)
        is_made = harm(path, random, trap)
        try:
            right = read(path) == expected or is_made
            counts["read" if right else f"WRONG {number}"] += 1
        except UserError as error:
            one_line = "\n" not in str(error)
            counts["refused" if one_line else f"SEVERAL LINES {number}"] += 1
        except Exception as error:
            counts[f"TRACEBACK {number}: {error!r}"[:300]] += 1
        if trap.exists() or sorted(one.name for one in folder.iterdir()) != ["in"]:
            counts[f"ESCAPED {number}"] += 1
    print(json.dumps(counts))


def _harm_prepared(folder: Path, random, trap: Path) -> bool:
    path = _one_of(folder, random, ".npy", ".json")
    is_made = random.random() < 0.5
    if is_made:
        (folder / "metadata.json").unlink()
    if is_made and path.suffix == ".npy":
        _change_array(path, random, trap)
    elif is_made and path.suffix == ".json" and path.exists():
        path.write_text(json.dumps(with_other_values(json.loads(path.read_text()), random, [])))
    else:
        path.write_bytes(damaged(path.read_bytes() if path.exists() else b"", random))
    return is_made


def _change_array(path: Path, random, trap: Path) -> None:
    array = np.load(path)
    kind = random.integers(5)
    if kind == 0:
        array = np.array([Trap(trap)] * max(len(array), 1), dtype=object)
    elif kind == 1:
        array = np.resize(array, random.integers(0, 2 * array.size, size=random.integers(1, 3)))
    elif kind == 2:
        array = array.astype(random.choice(["float32", "int8", "U5", "complex64", "bool"]))
    else:
        limits = [-1, -(2**31), 2**31 - 1, 10**6, 0, 1, 3]  # The first item, too.
        places = random.integers(array.size, size=2)
        array = np.array(array)
        array.flat[places] = random.choice(limits)
    with path.open("wb") as file:
        np.save(file, array, allow_pickle=True)


def _harm_run(folder: Path, random, trap: Path) -> bool:
    path = _one_of(folder, random, ".npy", ".json", ".keras")
    is_made = random.random() < 0.5
    if not is_made:
        path.write_bytes(damaged(path.read_bytes(), random))
        return False
    for one in ("checksums.json", "data/metadata.json"):
        (folder / one).unlink(missing_ok=True)
    if path.suffix == ".npy":
        _change_array(path, random, trap)
    elif path.suffix == ".keras":
        _harm_model(path, random, trap)
    elif path.exists():
        path.write_text(json.dumps(with_other_values(json.loads(path.read_text()), random, [])))
    return True


def _harm_model(path: Path, random, trap: Path) -> bool:
    if random.random() < 0.4:
        path.write_bytes(damaged(path.read_bytes(), random))
        return False
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = random.choice(["config.json", "model.weights.h5", "other"], p=[0.7, 0.2, 0.1])
    if name == "config.json":
        config = with_other_values(json.loads(parts[name]), random, traps_of_keras(trap))
        parts[name] = json.dumps(config).encode()
    elif name == "other":
        evil = random.choice(
            ["../../trap", "/tmp/trap", "assets/../../../trap", "model.weights.npz"]
        )
        parts[str(evil)] = _pickled_array(trap)
    else:
        parts[name] = damaged(parts[name], random)
    with zipfile.ZipFile(path, "w") as archive:
        for one, content in parts.items():
            archive.writestr(one, content)
    return True


def _pickled_array(trap: Path) -> bytes:
    content = io.BytesIO()
    np.savez(content, x=np.array([Trap(trap)], dtype=object))
    return content.getvalue()


def _one_of(folder: Path, random, *suffixes: str) -> Path:
    skipped = {"saved_model", "tensorboard", "checkpoints"}
    found = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix in suffixes and not skipped & set(path.relative_to(folder).parts)
    )
    return found[random.integers(len(found))]


def _as_bytes(log) -> tuple:
    arrays = [log.item_ids, log.offsets, log.times, log.ratings, log.own_provider_ids]
    return (
        [None if one is None else (one.dtype.str, one.tobytes()) for one in arrays],
        log.users.tolist(),
        log.items.ids.tolist(),
    )
