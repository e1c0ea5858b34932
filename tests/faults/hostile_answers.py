"""Hostile requests to a SavedModel, and good ones after them."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np

from tf_iclrec import export_saved_model, leave_one_out
from tf_iclrec.data.synthetic import planted_intents

from ..serving.clients import ask, compiled, connected, predict, served_by_grpc
from ..serving.conftest import Served, built
from ..serving.example_requests import requests_to
from .hostile_requests import hostile_requests

Row = tuple[str, int, list[str]]


def ask_all(folder: Path, number: int) -> Iterator[Row]:
    """Ask each signature over gRPC and through the C program, in processes of their own."""
    served = _served(folder / "shop" / "1")
    hostile = hostile_to(served, number)
    with _host(served.folder) as port, connected(port) as stub:
        for name, good in requests_to(served).items():
            answers = [_by_grpc(stub, name, one) for one in hostile[name]]
            problems = _wrong(served, stub, name, good, answers)
            yield f"{name}: hostile requests over gRPC, {_counts(answers)}", len(answers), problems
    program, why_not = compiled(folder)
    if program is None:
        yield f"not asked through C: {why_not}", 0, []
        return
    for name, (answers, problems) in through_c(program, served, hostile).items():
        yield f"{name}: the same through C, {_counts(answers)}", len(answers), problems


def hostile_to(served: Served, number: int) -> dict[str, list]:
    """So many hostile requests to each signature."""
    return {
        name: list(hostile_requests(good, number, seed=len(name)))
        for name, good in requests_to(served).items()
    }


def through_c(program, served: Served, hostile: dict[str, list]) -> dict[str, tuple]:
    """For each signature the C program's answers to hostile requests, each of which was followed
    by a good one, and what is wrong."""
    good = requests_to(served)
    # What its lines can hold.
    sent = {name: [one for one in bad if not _has_line_ends(one)] for name, bad in hostile.items()}
    asked = [
        (name, one) for name, bad in sent.items() for each in bad for one in (each, good[name])
    ]
    first = len(good)
    answers = ask(program, served.folder, [*good.items(), *asked])
    expected, found = dict(zip(good, answers, strict=False)), {}
    for name, bad in sent.items():
        own = answers[first : first + 2 * len(bad)]
        first += 2 * len(bad)
        lost = sum(not _same(answer, expected[name]) for answer in own[1::2])
        problems = [f"{name}: {lost} good requests got another answer afterwards"] * bool(lost)
        found[name] = own[::2], problems + _strange(served, name, own[::2])
    return found


def _has_line_ends(request) -> bool:
    return any(
        value.dtype.kind == "U" and any("\n" in text or "\x00" in text for text in value.ravel())
        for value in request.values()
    )


def _wrong(served, stub, name: str, good, answers) -> list[str]:
    expected = _by_grpc(stub, name, good)
    crashed = [one for one in answers if one == "the server is gone"]
    if isinstance(expected, str):
        return [f"{name}: a good request is not answered: {expected}"]
    return crashed + _strange(served, name, answers)


def _strange(served, name: str, answers) -> list[str]:
    """Answers with items that there are not, or scores that are no numbers."""
    known = {"", *served.log.items.ids}
    problems = []
    for answer in answers:
        if isinstance(answer, str):
            continue
        items = {_text(one) for one in np.ravel(answer.get("item_ids", []))}
        if items - known:
            problems.append(f"{name}: items {sorted(items - known)[:3]}")
        if any(np.isnan(value).any() for value in answer.values() if value.dtype.kind == "f"):
            problems.append(f"{name}: scores that are no numbers")
    return problems


def _by_grpc(stub, name: str, inputs):
    try:
        return predict(stub, name, inputs)
    except grpc.RpcError as error:
        gone = error.code() == grpc.StatusCode.UNAVAILABLE
        return "the server is gone" if gone else f"error {error.details()}"


def _counts(answers) -> str:
    errors = sum(isinstance(answer, str) for answer in answers)
    return f"{len(answers) - errors} answered, {errors} refused"


def _same(answer, expected) -> bool:
    return not isinstance(answer, str) and all(
        np.array_equal(answer[name], value) for name, value in expected.items()
    )


def _text(value) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _served(folder: Path) -> Served:
    log, _ = planted_intents(num_users=100, num_items=90, num_intents=3)
    log = log.with_item_providers({item: f"brand {int(item) % 7}" for item in log.items.ids[:70]})
    log = log.with_item_attribute("category", {item: item[-1] for item in log.items.ids[10:]})
    model, split = built("iclrec", log, num_members=2), leave_one_out(log)
    export_saved_model(model, split, folder, k=5, max_k=40)
    return Served(model, split, str(folder))


@contextlib.contextmanager
def _host(folder: str) -> Iterator[int]:
    """The gRPC server in a process of its own; yields its port."""
    command = [sys.executable, "-m", "tests.faults.hostile_answers", folder]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        yield int(process.stdout.readline())
        process.stdin.close()


if __name__ == "__main__":
    with served_by_grpc(sys.argv[1]) as (_, _port):
        print(_port, flush=True)
        sys.stdin.read()
