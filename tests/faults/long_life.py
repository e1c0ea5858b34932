"""Processes that live long: what grows in them."""

import json
import os
import resource
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import numpy as np
import tensorflow as tf

from tf_iclrec import train
from tf_iclrec.training.save_progress import SaveProgress


def size() -> tuple[float, int]:
    """Megabytes of memory, and open files, of this process."""
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[1])
    return pages * resource.getpagesize() / 2**20, len(os.listdir("/proc/self/fd"))


def train_long(arguments: list[str]) -> None:
    """Train, and print `size` after each epoch."""
    tf.config.run_functions_eagerly(False)
    sizes, real = [], SaveProgress.on_epoch_end

    def on_epoch_end(self, epoch, logs=None):
        real(self, epoch, logs)
        sizes.append(size())

    with mock.patch.object(SaveProgress, "on_epoch_end", on_epoch_end):
        train.main(arguments)
    print(json.dumps(sizes))


def serve_long(request: dict) -> None:
    """Ask a SavedModel from several threads; prints `size` on the way, and wrong answers."""
    tf.config.run_functions_eagerly(False)
    recommend = tf.saved_model.load(request["folder"]).signatures["serving_default"]
    random = np.random.default_rng(0)
    histories = [
        tf.constant(random.choice(request["items"], size=(1, int(length))))
        for length in random.integers(1, 12, size=50)
    ]

    def ask(number: int) -> bytes:
        answer = recommend(history=histories[number % len(histories)])
        return b"".join(answer[name].numpy().tobytes() for name in ("scores",)) + b" ".join(
            answer["item_ids"].numpy().ravel()
        )

    expected = [ask(number) for number in range(len(histories))]
    sizes, wrong = [], 0
    with ThreadPoolExecutor(request["threads"]) as threads:
        for first in range(0, request["number"], request["number"] // 10):
            numbers = range(first, first + request["number"] // 10)
            for number, answer in zip(numbers, threads.map(ask, numbers), strict=True):
                wrong += answer != expected[number % len(histories)]
            sizes.append(size())
    print(json.dumps({"sizes": sizes, "wrong": wrong}))
