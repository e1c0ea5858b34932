"""What a training ends with, left out where a test does not look at it."""

import contextlib
import importlib

import pytest

# What a training ends with, and what takes its place.
AFTERWARDS = {
    "export_saved_model": lambda *arguments, **settings: None,
    "yardsticks": lambda *arguments: {},
}


def leave_out(patch, *afterwards):
    """Nothing that is trained under a ``MonkeyPatch`` ends with these."""
    module = importlib.import_module("tf_iclrec.fit")
    for name in afterwards:
        patch.setattr(module, name, AFTERWARDS[name])


@contextlib.contextmanager
def training_without(*afterwards):
    """As `leave_out`, for fixtures of a wider scope than a test; a test has `not_exported` and
    `not_compared`."""
    with pytest.MonkeyPatch.context() as patch:
        leave_out(patch, *afterwards)
        yield
