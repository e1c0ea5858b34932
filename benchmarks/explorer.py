"""Answers of the page to try a run (`tf_iclrec.explore`), over HTTP, at the size of Beauty.

    python benchmarks/explorer.py [--items 12101 --users 22363 --requests 200]

The model is not trained: speed does not depend on that. Each request differs from the others:
another user, another filter, another text. CPU time is that of the server and the client together,
over all cores; it says what the times would be without other programs beside.
"""

import argparse
import http.client
import itertools
import json
import threading
import time
from urllib.parse import urlencode

import numpy as np

import tf_iclrec
from tf_iclrec.data.synthetic import planted_intents
from tf_iclrec.explorer.explorer import Explorer
from tf_iclrec.explorer.server import listening, server_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=12_101)
    parser.add_argument("--users", type=int, default=22_363)
    parser.add_argument("--requests", type=int, default=200)
    options = parser.parse_args()
    start = time.perf_counter()
    explorer = Explorer(untrained(options.items, options.users))
    explorer.warm_up()
    print(f"ready after {time.perf_counter() - start:.1f} s\n")
    with listening(0) as listener:
        server = server_of(explorer)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        print("| request | p50, ms | p99, ms | CPU time, mean, ms |\n|---|---|---|---|")
        for name, requests in requests_to(explorer).items():
            connection = http.client.HTTPConnection(*listener.getsockname())
            report(name, connection, itertools.islice(requests, options.requests))
        server.should_exit = True
        thread.join()


def untrained(num_items: int, num_users: int) -> tf_iclrec.Run:
    """A run of the recipe on a log with providers, categories and titles."""
    log, _ = planted_intents(num_users, num_items, 64, mean_length=9.0)
    items = log.items.ids
    log = log.with_item_providers({item: f"brand {int(item) % 500}" for item in items})
    log = log.with_item_attribute("category", {item: f"kind {int(item) % 50}" for item in items})
    log = log.with_item_label("title", {item: f"Number {item} of the shop" for item in items})
    config = tf_iclrec.make_config(num_intents=(64,))
    split = tf_iclrec.leave_one_out(log)
    model = tf_iclrec.build_model(config, split.catalogue)
    some_users = {"item_ids": np.arange(3, 643).reshape(64, 10)}
    model.intents.update([np.asarray(model.mean_vectors(some_users))])
    return tf_iclrec.Run(model, split, config, {})


def requests_to(explorer: Explorer) -> dict:
    """Endless requests, by name, each a path and a body or None."""
    random = np.random.default_rng(0)
    users, items = explorer.log.users, explorer.items.ids

    def recommend(length=0, **more):
        while True:
            whose = {"user": str(random.choice(users))}
            if length:
                whose = {"history": random.choice(items, length).astype(str).tolist()}
            asked = {name: value() for name, value in more.items()}
            yield "/api/recommend", {**whose, "k": 20, **asked}

    def get(path, name, draw):
        while True:
            yield f"/api/{path}?{urlencode({name: draw()})}", None

    brand = lambda: {"provider": [f"brand {random.integers(500)}"]}  # noqa: E731
    return {
        "recommend, a user": recommend(),
        "recommend, 50 items": recommend(50),
        "recommend, a user, only a provider": recommend(only=brand),
        "recommend, a user, without a provider": recommend(without=brand),
        "recommend, a user, 3 reasons": recommend(because=lambda: 3),
        "recommend, 50 items, 3 reasons": recommend(50, because=lambda: 3),
        "similar items": get("similar", "item", lambda: random.choice(items)),
        "search of items": get("items", "q", lambda: f"{random.integers(1000)} of"),
        "one intent": get("intent", "id", lambda: random.integers(64)),
    }


def report(name: str, connection: http.client.HTTPConnection, requests) -> None:
    """Ask, and print a row."""
    times, cpu = [], time.process_time()
    for path, body in requests:
        start = time.perf_counter()
        method, body = ("GET", None) if body is None else ("POST", json.dumps(body))
        connection.request(method, path, body)
        answer = connection.getresponse()
        content = answer.read()
        times.append(time.perf_counter() - start)
        assert answer.status == 200, content
    cpu = (time.process_time() - cpu) / len(times) * 1e3
    p50, p99 = np.percentile(times, [50, 99]) * 1e3
    print(f"| {name} | {p50:.1f} | {p99:.1f} | {cpu:.1f} |", flush=True)


if __name__ == "__main__":
    main()
