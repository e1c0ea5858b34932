"""Are intents of ICLRec better than those of other vectors of users?

    python benchmarks/intents.py --runs DIR [--data Beauty=Beauty.txt:Beauty.tsv ...]
                                 [--seeds 0 1] [--epochs N] [--models iclrec sasrec]
    python benchmarks/intents.py --planted

For each data set, with a number of intents that fits it (`tf_iclrec.choose_num_intents`), users are
grouped in four ways, each for several seeds:

* iclrec: the intents of the model, as its last E-step left them;
* iclrec, states and sasrec, states: K-means over the users' mean hidden states, of ICLRec and of
  the same model without intents;
* spectral: K-means over the means of the items' spectral vectors, with the same width. That is what
  item2vec would give: skip-grams with negative sampling factorise the same matrix of shifted
  pointwise mutual information (Levy and Goldberg, NIPS 2014).

Shown is the adjusted mutual information (0: chance, 1: the same groups) of two seeds, and of the
groups with what users have most of: the first and the last part of their items' category, and the
brand. A user whose most frequent value is not the only one counts for the first in the alphabet.
Runs that are in DIR already are not repeated. With --planted it is shown instead which number of
intents is found in logs where it is known.
"""

import argparse
import itertools
import json
from pathlib import Path

import keras
import numpy as np
from sklearn.metrics import adjusted_mutual_info_score

import tf_iclrec
from tf_iclrec.analysis.intents.assignment import Assignment, encoded
from tf_iclrec.data.synthetic import planted_intents
from tf_iclrec.run_directory import RunDirectory
from tf_iclrec.training.intent_clustering import kmeans
from tf_iclrec.training.spectral_initialization import spectral_vectors

STARTS = 3
# Of all vectors that are compared.
WIDTH = 128
# Number of intents, users, items, mean length of a history.
PLANTED = (
    *((4, 300, 60, 8.0), (4, 2000, 600, 8.0)),
    *((6, 300, 60, 8.0), (6, 1000, 300, 6.0)),
    *((10, 600, 300, 8.0), (10, 1500, 1500, 7.0)),
    *((16, 2000, 600, 8.0), (16, 5000, 2000, 8.0)),
    *((30, 1500, 600, 8.0), (30, 3000, 600, 8.0), (30, 8000, 3000, 8.0)),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, help="folder for run directories")
    parser.add_argument("--planted", action="store_true", help="only find numbers that are known")
    parser.add_argument(
        "--data",
        nargs="+",
        default=["completejourney=completejourney"],
        help="NAME=LOG or NAME=LOG:ITEMS, with a table of items with provider and categories",
    )
    parser.add_argument("--models", nargs="+", default=["iclrec", "sasrec"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--epochs", type=int, default=2)
    values = parser.parse_args()
    if values.planted:
        find_planted(values.seeds)
        return
    for one in values.data:
        name, _, source = one.partition("=")
        log, _, items = source.partition(":")
        study(name, log, items, values)


def find_planted(seeds: list[int]) -> None:
    print("| planted | users | items | mean length | found, by seed of the log |")
    print("|---|---|---|---|---|")
    for intents, users, items, length in PLANTED:
        logs = [planted_intents(users, items, intents, length, seed=seed)[0] for seed in seeds]
        found = [tf_iclrec.choose_num_intents(tf_iclrec.leave_one_out(log)).number for log in logs]
        shown = " ".join(map(str, found))
        print(f"| {intents} | {users} | {items} | {length:g} | {shown} |", flush=True)


def study(name: str, source: str, items: str, values: argparse.Namespace) -> None:
    split = tf_iclrec.leave_one_out(tf_iclrec.load_interactions(source))
    number = tf_iclrec.choose_num_intents(split)
    print(f"\n{name}: {number}", flush=True)
    k, users = number.number, np.arange(len(split.train.starts))
    known = main_values(split, items) if items else {}
    groups: dict[str, list[np.ndarray]] = {}

    def add(kind: str, assigned: np.ndarray) -> None:
        groups.setdefault(kind, []).append(assigned)
        row = {other: agreement(assigned, labels) for other, labels in known.items()}
        print(f"{name}, {kind}, seed {len(groups[kind]) - 1}: {row}", flush=True)

    for seed in values.seeds:
        vectors = spectral_vectors(split, WIDTH, seed, tolerance=0.01)
        histories = split.train.joined()
        owners = np.repeat(users, histories.lengths)
        sums = np.zeros((len(users), WIDTH))
        np.add.at(sums, owners, vectors[histories.item_ids - 3])
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        add("spectral", clusters(sums / np.maximum(lengths, 1e-9), k, seed))
        for model in values.models:
            found = trained(values, name, split, model, seed, k)
            if "intents" in found:
                add(model, found["intents"])
            add(f"{model}, states", clusters(found["states"], k, seed))
    seeds = {
        kind: [agreement(one, other) for one, other in itertools.combinations(of_seeds, 2)]
        for kind, of_seeds in groups.items()
    }
    table = {
        kind: {
            "two seeds": seeds[kind],
            **{
                other: [agreement(one, labels) for one in groups[kind]]
                for other, labels in known.items()
            },
        }
        for kind in groups
    }
    (values.runs / f"{name}.json").write_text(json.dumps({"K": k, "ami": table}, indent=2) + "\n")
    show(name, k, table)


def trained(
    values: argparse.Namespace, name: str, split: tf_iclrec.Split, model: str, seed: int, k: int
) -> dict[str, np.ndarray]:
    """Mean hidden states of all users, and their intents if the model has any."""
    folder = values.runs / f"{name}-{model}-{seed}"
    if (folder / "users.npz").is_file():
        return dict(np.load(folder / "users.npz"))
    intents = {"num_intents": (k,)} if model == "iclrec" else {}
    settings = {"hidden_dim": WIDTH, "epochs": values.epochs, "evaluation_users": 2000}
    config = tf_iclrec.make_config(model=model, **settings, **intents, seed=seed)
    keras.utils.set_random_seed(seed)
    recommender = tf_iclrec.build_model(config, split.catalogue)
    directory = RunDirectory(folder)
    directory.checkpoints.mkdir(parents=True, exist_ok=True)
    tf_iclrec.SYSTEMS[model].family.train(recommender, split, config, directory)
    users = np.arange(len(split.train.starts))
    [states] = encoded(recommender, split, users, split.train)
    found = {"states": states}
    if recommender.intents is not None:
        found["intents"] = Assignment.of(recommender, split, users, split.train).intents
    np.savez(folder / "users.npz", **found)
    return found


def clusters(vectors: np.ndarray, k: int, seed: int) -> np.ndarray:
    """The best of several clusterings."""
    vectors = vectors.astype("float32")
    found = [kmeans(vectors, k, 20, seed=seed * STARTS + start) for start in range(STARTS)]
    return min(found, key=lambda one: one.inertia).assignments


def main_values(split: tf_iclrec.Split, items: str) -> dict[str, np.ndarray]:
    """What each user has most of in training, ``(users,)``, -1 where nothing is known."""
    paths = tf_iclrec.read_item_attribute(items, "item_id", "categories")
    known = {
        "category": {item: path.split("|")[0] for item, path in paths.items()},
        "narrowest category": {item: path.split("|")[-1] for item, path in paths.items()},
        "brand": tf_iclrec.read_item_attribute(items),
    }
    histories = split.train.joined()
    found = {}
    for name, values in known.items():
        attribute = tf_iclrec.ItemAttribute.from_values(split.interactions.items, values)
        ids = attribute.of_items[histories.item_ids]
        size = attribute.vocabulary.size
        pairs, counts = np.unique((histories.owners * size + ids)[ids >= 3], return_counts=True)
        order = np.lexsort((pairs, -counts, pairs // size))
        users, first = np.unique(pairs[order] // size, return_index=True)
        found[name] = np.full(len(histories.starts), -1)
        found[name][users] = pairs[order][first] % size
    return found


def agreement(one: np.ndarray, other: np.ndarray) -> float:
    """Of the users of whom both are known."""
    both = (one >= 0) & (other >= 0)
    return float(adjusted_mutual_info_score(one[both], other[both]))


def show(name: str, k: int, table: dict[str, dict[str, list[float]]]) -> None:
    columns = list(next(iter(table.values())))
    print(f"\n| {name}, K={k} | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    for kind, row in table.items():
        cells = [" ".join(f"{value:.3f}" for value in row[column]) for column in columns]
        print(f"| {kind} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
