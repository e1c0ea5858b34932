"""Seconds per training step of one process and of two, and how much of it is communication.

    python benchmarks/replicas.py [--items 10000] [--users 20000] [--steps 60]

A random log (`random_log.py`), batches of 256 users. Each of the models is trained

- by one process;
- by two processes that know nothing of each other, each on batches of 128: the work of two
  replicas without any communication, with the same load on the machine;
- by two processes together, each with half of every batch of 256.

What the third takes longer than the second is communication: sending, waiting for each other, and
the rows of contrasts that each replica compares again.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

BATCH_SIZE = 256
FIRST_STEPS = 10  # Those before tracing and threads have settled.
MODELS = {
    "sasrec, softmax": {"model": "sasrec"},
    "sasrec, sampled softmax": {"model": "sasrec", "loss": "sampled_softmax"},
    "iclrec_published": {"model": "iclrec_published"},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--one", nargs=2, metavar=("FOLDER", "SETTINGS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(seconds_per_step(*options.one, options.steps)))
        return
    with tempfile.TemporaryDirectory() as folder:
        sizes = [str(options.users), str(options.items)]
        here = Path(__file__).parent
        subprocess.run([sys.executable, "-c", _PREPARE, folder, *sizes], check=True, cwd=here)
        print("| model | one process | two apart | two together | communication |")
        print("|---|---|---|---|---|")
        for name, settings in MODELS.items():
            alone, apart, together = (
                statistics.mean(run(folder, settings | {"batch_size": size}, options.steps, *how))
                for size, *how in (
                    (BATCH_SIZE, 1, False),
                    (BATCH_SIZE // 2, 2, False),
                    (BATCH_SIZE, 2, True),
                )
            )
            cells = [name, *(f"{seconds * 1000:.0f} ms" for seconds in (alone, apart, together))]
            print(f"| {' | '.join(cells)} | {1 - apart / together:.0%} |", flush=True)


_PREPARE = """
import sys
from random_log import random_log
from tf_iclrec.data.prepared import write_prepared
write_prepared(random_log(int(sys.argv[2]), int(sys.argv[3])), sys.argv[1])
"""


def run(folder: str, settings: dict, steps: int, processes: int, connected: bool) -> list[float]:
    """Seconds per step of each process."""
    workers = [f"localhost:{port}" for port in free_ports(processes)]
    started = []
    for index in range(processes):
        environment = dict(os.environ)
        if connected:
            task = {"type": "worker", "index": index}
            environment["TF_CONFIG"] = json.dumps({"cluster": {"worker": workers}, "task": task})
        command = [
            sys.executable,
            __file__,
            "--steps",
            str(steps),
            "--one",
            folder,
            json.dumps(settings),
        ]
        started.append(
            subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        )
    outputs = [process.communicate()[0] for process in started]
    if any(process.returncode for process in started):
        raise SystemExit("A process failed; see above.")
    return [float(output.splitlines()[-1]) for output in outputs]


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("localhost", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def seconds_per_step(folder: str, settings: str, steps: int) -> float:
    """The median over steps, in this process."""
    from step_times import StepTimes

    import tf_iclrec
    from tf_iclrec.training.replicas import choose_replicas
    from tf_iclrec.training.train_recommender import new_optimizer

    replicas = choose_replicas()
    settings = {"hidden_dim": 64, "max_length": 50} | json.loads(settings)
    config = tf_iclrec.make_config(**settings)
    split = tf_iclrec.leave_one_out(tf_iclrec.load_interactions(folder))
    with replicas.strategy.scope():
        model = tf_iclrec.build_model(config, split.catalogue)
        model.compile(new_optimizer(model, 1e-3, "constant", steps))
        model.build_optimizer()
    batches = tf_iclrec.training_batches(
        split,
        config.training.batch_size,
        task=model.encoder.task,
        negatives=model.needs_negatives,
        sampling=model.sampling,
        views=tf_iclrec.ViewRatios() if model.needs_views else None,
        share=replicas.share,
    )
    times = StepTimes()
    arguments = replicas.fitted(batches.repeat() if replicas.count == 1 else batches)
    model.fit(
        **{**arguments, "steps_per_epoch": FIRST_STEPS + steps},
        callbacks=[times],
        shuffle=False,
        verbose=0,
    )
    return statistics.median(times.of_last(steps))


if __name__ == "__main__":
    main()
