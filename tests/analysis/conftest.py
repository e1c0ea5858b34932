"""Runs that nothing is trained for: their item vectors are spectral, their intents the planted."""

import dataclasses

import keras
import numpy as np
import pytest

from tf_iclrec import Run, build_model, leave_one_out, make_config
from tf_iclrec.analysis.intents.assignment import encoded
from tf_iclrec.data.synthetic import planted_intents
from tf_iclrec.files import write_json
from tf_iclrec.run_directory import RunDirectory
from tf_iclrec.runs import start_run
from tf_iclrec.training.spectral_initialization import start_from_spectral_vectors

AISLES = ("tea", "jam", "oil", "salt")
TINY = {"hidden_dim": 16, "num_blocks": 1, "max_length": 20, "dropout": 0.0}


@pytest.fixture(scope="session")
def planted():
    """A log in which every intent has an aisle of its own, and the intents of its users. A tenth
    of what users take is from anywhere."""
    log, intents = planted_intents(
        num_users=240, num_items=80, num_intents=4, mean_length=10.0, seed=1
    )
    items = log.items.ids
    log = log.with_item_attribute("aisle", {item: AISLES[int(item) // 20] for item in items})
    log = log.with_item_label("title", {item: f"The <{item}>" for item in items})
    return log.with_item_providers({item: f"brand {int(item) % 5}" for item in items}), intents


def run_of(log, intents, model="iclrec", **settings):
    """A run whose centroids are the means of the planted groups."""
    chosen = {**TINY, **({"num_intents": (4,)} if model == "iclrec" else {}), **settings}
    config = make_config(model=model, **chosen)
    split = leave_one_out(log)
    keras.utils.set_random_seed(2)
    recommender = build_model(config, split.catalogue)
    start_from_spectral_vectors(recommender.members(), split)
    if recommender.intents is not None:
        users = np.arange(len(split.train.starts))
        [vectors] = encoded(recommender, split, users, split.train)
        means = [vectors[intents == intent].mean(axis=0) for intent in range(4)]
        recommender.intents.update([np.stack(means)])
    return Run(recommender, split, config, {"valid": {}, "test": {}})


def written(run, folder):
    """The run as a training leaves it."""
    directory = RunDirectory(folder)
    start_run(directory, run.config, run.interactions)
    run.model.save(directory.model)
    write_json(directory.metrics, run.metrics)
    return folder


@pytest.fixture(scope="session")
def run(planted):
    return run_of(*planted)


@pytest.fixture(scope="session")
def finished(run, tmp_path_factory):
    return written(run, tmp_path_factory.mktemp("runs") / "finished")


@pytest.fixture(scope="session")
def renamed(planted):
    """The same users' ids in other data: what they have is something else."""
    log, intents = planted
    other = dataclasses.replace(log, item_ids=(log.item_ids - 3 + 40) % 80 + 3)
    return run_of(other, intents)
