"""The encoders as the tests of what holds for every one of them see them.

A line in `ENCODERS` is all it takes to be tested there: with the default settings, and with
embedded positions where there is a choice; with all that the encoder reads, and without users as
well. The tables below name further settings to test, and where an encoder's arithmetic or idea asks
for something else, with the reason.
"""

import dataclasses
import functools

import keras
import numpy as np
import pytest

from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.data.item_attributes import ItemAttribute, special_ids_and
from tf_iclrec.data.tasks import OwnItems
from tf_iclrec.data.vocabulary import Vocabulary
from tf_iclrec.encoders.registry import ENCODERS
from tf_iclrec.layers.id_embedding import IdEmbedding
from tf_iclrec.settings import settings_of

# Settings to test beside the default ones.
VARIANTS = {
    "gru": [{"num_layers": 2, "gru_dim": 12}],
    "convolutional": [{"window": 3}],
    "session_graph": [{"num_steps": 2}, {"num_steps": 3}],
    "hstu": [{"num_heads": 2}],
}
# How far states may lie apart that ought to be equal: what rounding does to states of their size.
ROUNDING = {"gru": 1e-6, "matrix_factorization": 1e-6, "cross_stream": 3e-6, "hstu": 5e-6}
# The same between bfloat16 and float32.
HALF_ROUNDING = {
    **{"gru": 0.02, "matrix_factorization": 0.005},
    **{"bidirectional": 0.07, "cross_stream": 0.1, "disentangled": 0.1, "hstu": 0.15},
}
# Weights, by the ends of their paths, that a softmax over the next items has no gradient for.
WITHOUT_GRADIENT = {
    "disentangled": (
        # Only `FutureContrast` reads a user's future.
        "future_intent_bias",
        # Of a shift that all intents share, the softmax over them sees nothing.
        "prototype_norm/beta",
    ),
}

ITEMS = [5, 9, 4, 9]
BATCH = np.array([[0, 0, *ITEMS], [*ITEMS, 0, 0], [7, 8, *ITEMS], [0, *ITEMS, 0]], dtype="int32")
REAL = BATCH != 0
NUMBERS = np.arange(27)
PROVIDERS, OTHER_PROVIDERS = (special_ids_and(3 + (k * NUMBERS + 1) % 9) for k in (5, 4))
CATALOGUE = Catalogue(
    num_items=27,
    num_users=4,
    providers=ItemAttribute(Vocabulary([*"abcdefghi"]), PROVIDERS),
    attributes={
        "category": ItemAttribute(Vocabulary([*"abcde"]), special_ids_and(3 + NUMBERS % 5))
    },
)
# Two that are known, one who is no row of the log, and an unknown one.
USERS = np.array([2, 0, 4, -1], dtype="int32")


@dataclasses.dataclass(frozen=True)
class Case:
    """An encoder by name, its settings, and whether it is called with items alone or with all that
    it reads: with users, and with providers that are others than those of the items."""

    name: str
    settings: tuple[tuple[str, object], ...] = ()
    alone: bool = False

    def __str__(self):
        settings = [f"{name}={value}" for name, value in self.settings]
        return "-".join([self.name, *settings, *(["items_alone"] if self.alone else [])])

    @property
    def encoder(self):
        return encoder_of(self.name, self.settings)

    @property
    def atol(self):
        return ROUNDING.get(self.name, 2e-6)

    def inputs(self, ids, first_user=0):
        """Sequences as the encoder reads them; the users take turns."""
        inputs = {"item_ids": np.atleast_2d(np.asarray(ids, dtype="int32"))}
        reads = () if self.alone else ENCODERS[self.name].reads
        if "users" in reads:
            inputs["users"] = np.resize(np.roll(USERS, -first_user), len(inputs["item_ids"]))
        if "providers" in reads:
            inputs["provider_ids"] = OTHER_PROVIDERS[inputs["item_ids"]]
        return inputs

    def encode(self, ids, first_user=0, encoder=None, **kwargs):
        """Hidden states ``(streams, batch, time, dim)`` float32."""
        states = (encoder or self.encoder)(self.inputs(ids, first_user), **kwargs)
        return np.stack([np.asarray(one).astype("float32") for one in keras.tree.flatten(states)])

    @functools.cache  # noqa: B019
    def encoded_batch(self):
        return self.encode(BATCH)

    @functools.cache  # noqa: B019
    def encoded_items(self):
        """One sequence without padding, of each user."""
        return self.encode([ITEMS] * len(USERS))

    def follows(self, rows):
        """``(rows,)``, whether states depend on the items at all: not those of users whose vectors
        are learned in place of a sequence's."""
        if self.alone or not isinstance(self.encoder.task, OwnItems):
            return np.full(rows, True)
        return np.resize((USERS < 0) | (CATALOGUE.num_users <= USERS), rows)


def new_encoder(name, settings, dtype="float32"):
    """An encoder whose every weight matters: position tables, biases and norms included."""
    keras.utils.set_random_seed(0)
    given = {"hidden_dim": 16, "dropout": 0.5, "max_length": 8, "dtype": dtype} | dict(settings)
    encoder = ENCODERS[name].for_catalogue(CATALOGUE, **given)
    rng = np.random.default_rng(0)
    tables = (one for one in encoder._flatten_layers() if isinstance(one, IdEmbedding))
    # Vectors of all tables are alike, however fast they learn.
    changes = {id(one.embeddings): one.add_to_vectors for one in tables}
    for weight in encoder.trainable_variables:
        changes.get(id(weight), weight.assign_add)(rng.normal(scale=0.2, size=weight.shape))
    return encoder


@functools.cache
def encoder_of(name, settings=(), dtype="float32"):
    """The same for all tests, which leave its weights as they are."""
    return new_encoder(name, settings, dtype)


def variants(name):
    positions = "relative_positions" in settings_of(ENCODERS[name])
    found = [{}, *([{"relative_positions": False}] if positions else []), *VARIANTS.get(name, [])]
    return [Case(name, tuple(settings.items())) for settings in found]


def ways(variant, without=("users",)):
    """The variant with all that it reads, and with items alone where one of these is missing then.
    Providers are looked up, so that mostly needs no further test."""
    reads = set(ENCODERS[variant.name].reads).intersection(without)
    return [variant, *([dataclasses.replace(variant, alone=True)] if reads else [])]


EACH_VARIANT = [variant for name in ENCODERS for variant in variants(name)]
in_each_case = pytest.mark.parametrize(
    "case", [case for variant in EACH_VARIANT for case in ways(variant)], ids=str
)
in_each_variant = pytest.mark.parametrize("variant", EACH_VARIANT, ids=str)
of_each_name = pytest.mark.parametrize("name", ENCODERS)
