"""Whether one version of the library trains slower than another: epochs by turns.

    python benchmarks/by_turns.py --data Beauty.txt --checkouts OLD NEW [--row "SASRec, softmax"]

A machine drifts by more than versions differ, and so do two processes of one version, by where
their memory happens to lie. So there are several processes of each version, all of them live at
once, and in each round every process trains one epoch, in random order, while the others wait. A
difference counts if it is beyond that between processes of one version.

OLD and NEW are folders with the library and its benchmarks; each version is measured by its own
`speed.py`. Versions before 0.6.10 can't be asked for single epochs.
"""

import argparse
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
from pathlib import Path

from speed import ROWS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path, help="sequence file")
    parser.add_argument("--checkouts", required=True, type=Path, nargs="+", metavar="DIR")
    parser.add_argument("--row", default="SASRec, softmax", choices=ROWS)
    parser.add_argument("--processes", type=int, default=3, help="of each version")
    parser.add_argument("--rounds", type=int, default=8)
    options = parser.parse_args()
    checkouts = [folder.resolve() for folder in options.checkouts]
    processes = [
        started(checkout, options.data.resolve(), options.row)
        for _ in range(options.processes)
        for checkout in checkouts
    ]
    seconds = [[] for _ in processes]
    for _ in range(options.rounds):
        for at in random.sample(range(len(processes)), len(processes)):
            seconds[at].append(epoch_of(processes[at]))
        print(*(f"{own[-1]:.2f}" for own in seconds), file=sys.stderr, flush=True)
    for process in processes:
        process.stdin.close()
    print("| version | seconds an epoch, median | of each process |\n|---|---|---|")
    medians = []
    for place, checkout in enumerate(checkouts):
        own = seconds[place :: len(checkouts)]
        medians.append(statistics.median(itertools.chain(*own)))
        each = ", ".join(f"{statistics.median(times):.2f}" for times in own)
        print(f"| {checkout} | {medians[-1]:.2f} | {each} |")
    print(f"\nlast / first: {medians[-1] / medians[0]:.3f}")


def started(checkout: Path, data: Path, row: str) -> subprocess.Popen:
    """A process that has compiled the model and waits for its turn."""
    script = checkout / "benchmarks" / "speed.py"
    process = subprocess.Popen(
        [sys.executable, script, "--data", data, "--on-demand", json.dumps(ROWS[row])],
        env=os.environ | {"PYTHONPATH": str(checkout), "TF_CPP_MIN_LOG_LEVEL": "3"},
        **{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True},
    )
    while process.stdout.readline() != "ready\n":
        if process.poll() is not None:
            sys.exit(f"{script} ended without training: exit code {process.returncode}")
    return process


def epoch_of(process: subprocess.Popen) -> float:
    """Seconds of one more epoch."""
    print("one more", file=process.stdin, flush=True)
    return float(process.stdout.readline())


if __name__ == "__main__":
    main()
