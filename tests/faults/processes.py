"""Commands in processes of their own, as `server` runs them."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

from .server import CRASHED

_ROOT = Path(__file__).parents[2]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of a command: its exit code, or minus the signal that killed it, how long it
    took, what it wrote, and its steps."""

    code: int
    seconds: float
    output: str
    errors: str
    steps: list[str]

    @property
    def crashed(self) -> bool:
        """Whether it ended as no command may: by a traceback, or by a signal that nobody sent."""
        unsent = self.code < 0 and self.code != -9
        return self.code == CRASHED or unsent or "Traceback" in self.errors

    @property
    def refused(self) -> bool:
        """Whether it said in one line what is wrong."""
        return self.code in (1, 2) and self.errors.count("\n") == 1 and not self.crashed


class Processes:
    """Runs commands, one at a time; to be closed."""

    def __init__(self):
        environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(_ROOT)}
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.server"],
            cwd=_ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def run(self, function: str, arguments, **fault) -> Outcome:
        """See `server.run`."""
        request = {"function": function, "arguments": arguments, **fault}
        print(json.dumps(request), file=self._server.stdin, flush=True)
        return Outcome(**json.loads(self._server.stdout.readline()))

    def close(self) -> None:
        """End the program that runs them."""
        self._server.stdin.close()
        self._server.wait()
        self._server.stdout.close()
