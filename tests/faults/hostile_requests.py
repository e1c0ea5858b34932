"""Requests that nobody should send."""

from collections.abc import Iterator, Mapping

import numpy as np

_TEXTS = ["", " ", "unknown", "=", "provider=", "=x", "../../etc/passwd", "%s%n", "\x00", "é" * 500]
_TEXTS += ["x" * 10_000, "-1", "1e999", "category=4", "\u202e\U0001f600"]
_NUMBERS = [0, -1, 1, 2, 3, 40, 41, 2**31 - 1, -(2**31)]
_FRACTIONS = [np.nan, np.inf, -np.inf, -1.0, 0.0, 0.3, 1.0, 2.0, 1e38]


def hostile_requests(
    good: Mapping[str, np.ndarray], number: int, seed: int
) -> Iterator[dict[str, np.ndarray]]:
    """Variations of a good request: other values, shapes and types, and inputs that are missing."""
    random = np.random.default_rng(seed)
    while number > 0:
        request = {name: np.asarray(value) for name, value in good.items()}
        for name in random.choice(list(request), size=random.integers(1, 3)):
            if name in request:
                change = _CHANGES[random.integers(len(_CHANGES))]
                changed = change(request.pop(name), random)
                if changed is not None:
                    request[name] = np.asarray(changed)
        if request:
            number -= 1
            yield request


def _other_values(value, random):
    pool = {"U": _TEXTS, "i": _NUMBERS, "f": _FRACTIONS, "b": [False, True]}[value.dtype.kind]
    drawn = np.array(pool)[random.integers(len(pool), size=value.shape)]
    kept = random.random(value.shape) < 0.5
    changed = np.where(kept, value, drawn)
    return changed if value.dtype.kind == "U" else changed.astype(value.dtype)


def _other_length(value, random):
    if not value.ndim:
        return value.reshape(1)
    axis, length = random.integers(value.ndim), random.choice([0, 1, 2, 5, 300])
    return np.resize(value, [length if at == axis else n for at, n in enumerate(value.shape)])


def _other_rank(value, random):
    if value.ndim and value.size and random.random() < 0.5:
        return value[0]
    return value[..., np.newaxis]


def _other_type(value, random):
    kind = random.choice(["str", "int32", "float32", "bool"])
    if kind == "str":
        return value.astype(str)
    return random.integers(0, 5, size=value.shape).astype(kind)


def _missing(value, random):
    return None


_CHANGES = (_other_values, _other_values, _other_length, _other_length, _other_rank, _other_type)
_CHANGES += (_missing,)
