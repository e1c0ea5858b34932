import dataclasses
import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec import (
    Interactions,
    SequentialRecommender,
    Split,
    build_model,
    export_saved_model,
    leave_one_out,
    make_config,
)
from tf_iclrec.data.synthetic import planted_intents

from .clients import compiled

MAX_LENGTH = 50


@dataclasses.dataclass(frozen=True)
class Served:
    """A model, what it was trained on, and the folder that it was exported to."""

    model: SequentialRecommender
    split: Split
    folder: str

    @property
    def log(self) -> Interactions:
        return self.split.interactions

    def random_histories(self, num_users, length):
        random = np.random.default_rng(length)
        return random.choice(self.log.items.ids, size=(num_users, length)).tolist()

    @functools.cached_property
    def _scores_of_one(self):
        """The model as a graph: layer by layer it takes a hundred times as long."""
        one_history = tf.TensorSpec([1, None], tf.int32)
        return tf.function(
            lambda item_ids: self.model({"item_ids": item_ids}), input_signature=[one_history]
        )

    def scores(self, history):
        """What the Python model says of all items: by popularity without a known item."""
        ids = self.log.items.encode(history)
        ids = ids[ids >= 3]
        if not len(ids):
            return self.split.training_counts.astype("float32")
        return self._scores_of_one(ids[None, -MAX_LENGTH:]).numpy()[0]

    def best(self, history, k, left_out=()):
        """The best items and their scores, by sorting all of them."""
        scores = self.scores(history)
        out = self.log.items.encode(list(left_out))
        scores[out[out >= 3] - 3] = -np.inf
        best = np.argsort(-scores, kind="stable")[:k]
        best = best[np.isfinite(scores[best])]
        return self.log.items.ids[best].tolist(), scores[best]


def built(name, log, num_members=1):
    keras.utils.set_random_seed(1)
    settings = {"num_members": num_members, "hidden_dim": 16, "max_length": MAX_LENGTH}
    if "num_blocks" in make_config(model=name).options():
        settings["num_blocks"] = 1
    if name.startswith("iclrec"):
        settings["num_intents"] = (3,)
    model = build_model(make_config(model=name, **settings), log.catalogue)
    # As drawn, the weights are so small that all scores are nearly the same.
    random = np.random.default_rng(1)
    for weight in model.encoder.trainable_weights:
        weight.assign_add(random.normal(scale=0.2, size=weight.shape))
    if model.intents is not None:
        some_users = {"item_ids": random.integers(3, log.items.size, size=(3, 6))}
        model.intents.update([np.asarray(model.mean_vectors(some_users))])
    return model


@pytest.fixture(scope="session")
def log():
    log, _ = planted_intents(num_users=100, num_items=90, num_intents=3)
    log = log.with_item_providers({item: f"brand {int(item) % 7}" for item in log.items.ids[:70]})
    return log.with_item_attribute("category", {item: item[-1] for item in log.items.ids[10:]})


@pytest.fixture(scope="session")
def split(log):
    return leave_one_out(log)


@pytest.fixture(scope="session")
def served(log, split, tmp_path_factory):
    """ICLRec, an ensemble."""
    model = built("iclrec", log, num_members=2)
    folder = tmp_path_factory.mktemp("served") / "shop" / "1"
    export_saved_model(model, split, folder, k=5, max_k=40)
    return Served(model, split, str(folder))


@pytest.fixture(scope="session")
def served_to_users(log, split, tmp_path_factory):
    """Matrix factorization, which knows its users."""
    model = built("bpr_mf", log)
    folder = tmp_path_factory.mktemp("served_to_users") / "1"
    export_saved_model(model, split, folder, k=5)
    return Served(model, split, str(folder))


def request(history, k=5, exclude=None, filter_seen=True, only=None, without=None):
    """What the signature `recommend` takes; nothing is left out or filtered unless told."""
    nothing = [[""]] * len(history)
    lists = {"exclude": exclude, "only": only, "without": without}
    lists = {name: nothing if value is None else value for name, value in lists.items()}
    return {"history": history, "k": k, "filter_seen": filter_seen, **lists}


@pytest.fixture(scope="session")
def signatures(served):
    """The signatures of the loaded model: from arrays by name to arrays by name."""
    loaded = tf.saved_model.load(served.folder)

    def call(name, **inputs):
        answer = loaded.signatures[name](**{key: tf.constant(v) for key, v in inputs.items()})
        return {key: value.numpy() for key, value in answer.items()}

    return call


@pytest.fixture(scope="session")
def c_program(tmp_path_factory):
    """A client of TensorFlow's C library; see `clients.ask`."""
    program, why_not = compiled(tmp_path_factory.mktemp("c"))
    return program or pytest.skip(why_not)
