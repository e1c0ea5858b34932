"""What a training ends with, left out where a test does not look at it."""

import contextlib
import importlib

import pytest

# What a training ends with, and what takes its place.
AFTERWARDS = {
    "export_saved_model": lambda *arguments, **settings: None,
    "yardsticks": lambda *arguments: {},
}


@contextlib.contextmanager
def training_without(*afterwards):
    """Nothing that is trained here ends with these; for fixtures of a wider scope than a test, for
    which there are `not_exported` and `not_compared`."""
    module = importlib.import_module("tf_iclrec.fit")
    with pytest.MonkeyPatch.context() as patch:
        for name in afterwards:
            patch.setattr(module, name, AFTERWARDS[name])
        yield
