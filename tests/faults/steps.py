"""The moments at which a program changes what is on the disk under a name."""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from unittest import mock

from tf_iclrec import files

_CALLS = [
    *((os, name) for name in ("fsync", "replace", "rename", "unlink", "mkdir")),
    (shutil, "rmtree"),
    (files, "_swapped"),
]


@contextlib.contextmanager
def watched(on_step: Callable[[str, tuple], None]) -> Iterator[None]:
    """Call ``on_step`` before and after each flush, rename and removal, with its name, such as
    ``"before fsync"``, and its arguments."""
    with contextlib.ExitStack() as stack:
        for module, name in _CALLS:
            real = getattr(module, name)
            stack.enter_context(mock.patch.object(module, name, _watched(real, name, on_step)))
        yield


def _watched(real, name, on_step):
    def call(*arguments, **settings):
        on_step(f"before {name.strip('_')}", arguments)
        result = real(*arguments, **settings)
        on_step(f"after {name.strip('_')}", arguments)
        return result

    return call


def flushed_path(descriptor: int) -> str:
    """What an open file is called."""
    return os.readlink(f"/proc/self/fd/{descriptor}")
