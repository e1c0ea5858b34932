"""Kills a command, at any moment or at a chosen step, and looks at what is left."""

import dataclasses
import random
import shutil
from collections.abc import Sequence
from pathlib import Path

from .processes import Outcome, Processes
from .scenarios import Scenario
from .states import UNFINISHED

# Commands are killed so often in a row before they may finish.
_IN_A_ROW = 5


@dataclasses.dataclass
class Killing:
    """A scenario, run as a whole once and then killed.

    Args:
        scenario: What is killed.
        processes: Where it runs.
        folder: A folder for it.

    Attributes:
        kills: How often it was killed.
        looks: At how many steps it was looked at what is there.
        problems: What was wrong afterwards.
        reference: The whole run.
    """

    scenario: Scenario
    processes: Processes
    folder: Path
    kills: int = 0
    looks: int = 0
    problems: list[str] = dataclasses.field(default_factory=list)

    def __post_init__(self):
        output = self.scenario.begin(self.folder)
        self._before = self.scenario.state(output)
        self.reference: Outcome = self.scenario.run(self.processes, output)
        assert self.reference.code == 0, self.reference.errors
        self._after = self.scenario.state(output)
        assert self._after != self._before
        self._left = sorted(path.name for path in self.folder.iterdir())

    def at_random(self, number: int, seed: int) -> None:
        """Kill at random moments, so often."""
        moments = random.Random(seed)
        while number > 0:
            output = self.scenario.begin(self.folder)
            for _ in range(min(number, _IN_A_ROW)):
                moment = moments.uniform(0, self.reference.seconds)
                if not self._kill(output, f"after {moment:.3f} s", kill_after=moment):
                    break
                number -= 1
            self._finish(output)

    def look_at_every_step(self) -> None:
        """Look at what a kill would leave at each step: copies of it, made at that moment."""
        copies = self.folder.with_name("copies")
        shutil.rmtree(copies, ignore_errors=True)
        copies.mkdir()
        output = self.scenario.begin(self.folder)
        outcome = self.scenario.run(self.processes, output, copies=[str(self.folder), str(copies)])
        self._expect(outcome.code == 0, f"copied: {outcome.errors}")
        for number, step in enumerate(outcome.steps):
            self._look(copies / str(number) / output.name, f"at step {number}, {step}")
        self.looks += len(outcome.steps)
        shutil.rmtree(copies)

    def at_steps(self, steps: Sequence[int]) -> None:
        """Kill at some of the steps of the reference."""
        for first in range(0, len(steps), _IN_A_ROW):
            output = self.scenario.begin(self.folder)
            for step in steps[first : first + _IN_A_ROW]:
                what = f"at step {step}, {self.reference.steps[step]}"
                if not self._kill(output, what, kill_at=step):
                    break
            self._finish(output)

    def _kill(self, output: Path, when: str, **fault) -> bool:
        """Returns whether it was killed, not done before."""
        outcome = self.scenario.run(self.processes, output, **fault)
        if outcome.code != -9:
            self._expect(outcome.code == 0, f"{when}: code {outcome.code}: {outcome.errors}")
            return False
        self.kills += 1
        self._look(output, when)
        return True

    def _look(self, output: Path, when: str) -> None:
        allowed = [self._before, self._after] + [UNFINISHED] * self.scenario.says_unfinished
        try:
            state = self.scenario.state(output)
        except Exception as error:
            self.problems.append(f"{self.scenario.name}, killed {when}: {error!r}")
        else:
            self._expect(state in allowed, f"killed {when}: neither the old nor the new state")

    def _finish(self, output: Path) -> None:
        outcome = self.scenario.run(self.processes, output)
        self._expect(outcome.code == 0, f"again: code {outcome.code}: {outcome.errors}")
        self._expect(not outcome.crashed, f"again: {outcome.errors}")
        self._expect(self.scenario.state(output) == self._after, "again: another result")
        left = sorted(path.name for path in self.folder.iterdir())
        self._expect(left == self._left, f"again: left {left}")
        unfinished = [str(path) for path in self.folder.rglob(".writing.*")]
        self._expect(not unfinished, f"again: left {unfinished}")

    def _expect(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.problems.append(f"{self.scenario.name}, {otherwise}")
