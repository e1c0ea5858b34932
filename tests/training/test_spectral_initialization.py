import numpy as np
import pytest

from tf_iclrec import Interactions, build_model, make_config
from tf_iclrec.data.synthetic import planted_intents
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS
from tf_iclrec.layers.id_embedding import IdEmbedding
from tf_iclrec.training.fit import _start_from_spectral_vectors
from tf_iclrec.training.spectral_initialization import add_to_embedding, spectral_vectors


def information_by_hand(sequences, items):
    """Positive pointwise mutual information by loops; ``?`` = unknown."""
    met = np.zeros((len(items), len(items)))
    for sequence in sequences:
        history = sequence[:-2]
        for first, item in enumerate(history):
            for second in range(first + 1, min(first + 4, len(history))):
                if "?" in (item, history[second]):
                    continue
                for pair in ((item, history[second]), (history[second], item)):
                    met[tuple(map(items.index, pair))] += 1 / (second - first)
    often = met.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        information = np.log(met * often.sum() / np.outer(often, often))
    return np.where(met > 0, np.maximum(information, 0), 0)


@pytest.mark.parametrize("of", ["items", "values"])
def test_products_are_the_mutual_information(of):
    random = np.random.default_rng(0)
    sequences = [
        "".join(random.choice(list("abcdefghijkl"), n)) for n in random.integers(4, 12, 50)
    ]
    log = Interactions.from_sequences(dict(enumerate(sequences)))
    names, attribute = log.items.ids.tolist(), None
    if of == "values":
        value_of = dict(zip("abcdefghijkl", "ppqqrrsstt??", strict=True))
        values = {item: value.replace("?", "") for item, value in value_of.items()}
        attribute = log.with_item_attribute("kind", values).attributes["kind"]
        sequences = ["".join(map(value_of.get, sequence)) for sequence in sequences]
        names = list("pqrst")
    expected = information_by_hand(sequences, names)
    dim = len(names) - 1
    vectors = spectral_vectors(log, dim, attribute=attribute)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    # Of the matrix's eigenvectors, scaled: the same directions up to signs.
    values, directions = np.linalg.eigh(expected)
    largest = np.argsort(-np.abs(values))[:dim]
    rows = directions[:, largest] * np.sqrt(np.abs(values[largest]))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    np.testing.assert_allclose(vectors @ vectors.T, rows @ rows.T, atol=1e-4)


@pytest.mark.parametrize("values", [{}, {"a": "p", "b": "p"}, {"a": "p"}])
def test_values_that_tell_nothing_have_no_direction(values):
    log = Interactions.from_sequences({"ann": "abab??", "bob": "baab??"})
    log = log.with_item_attribute("kind", {"a": "", **values})
    attribute = log.attributes["kind"]
    vectors = spectral_vectors(log, 4, attribute=attribute)
    assert vectors.shape == (len(attribute.vocabulary), 4)
    assert not vectors.any()


def test_items_of_an_intent_lie_close_together():
    log, _ = planted_intents(num_users=300, num_items=60, num_intents=6)
    vectors = spectral_vectors(log, 8)
    nearest = np.argsort(-(vectors @ vectors.T), axis=1)[:, 1:6]
    intents = log.items.ids.astype(int) // 10
    assert (intents[nearest] == intents[:, None]).mean() > 0.9


def test_only_the_training_part_of_the_given_users_counts():
    log = Interactions.from_sequences({"ann": "abcxy", "bob": "defyx", "cat": "adbebd"})
    vectors = spectral_vectors(log, 6, users=np.array([0, 1]))
    met = [item for item, row in zip(log.items.ids, vectors, strict=True) if row.any()]
    assert met == list("abcdef")
    together = vectors @ vectors.T
    assert np.abs(together[:3, 3:6]).max() < 1e-3


def test_wider_vectors_than_items_and_items_alone():
    log = Interactions.from_sequences({"ann": "abab??", "bob": "cxy"})
    vectors = spectral_vectors(log, 10)
    assert (vectors.shape, vectors.dtype) == ((6, 10), np.float32)
    assert not vectors[log.items.ids.tolist().index("c")].any()
    assert np.isfinite(vectors).all()


def test_vectors_are_added_to_an_embedding():
    embedding = IdEmbedding(23, 16)
    embedding.build()
    before = embedding.embeddings.numpy()
    vectors = np.eye(20, 16, dtype="float32")
    add_to_embedding(embedding, vectors)
    added = embedding.embeddings.numpy() - before
    assert not added[:NUM_SPECIAL_IDS].any()
    np.testing.assert_allclose(added[NUM_SPECIAL_IDS:], vectors * 0.03 * 4, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("model", ["sasrec", "ipsrec_s", "ipsrec_c", "provider_sum"])
@pytest.mark.parametrize("spectral_members", [1, 2, 9])
def test_the_first_encoders_start_from_the_items_and_the_others_from_what_is_known_of_them(
    model, spectral_members
):
    log, _ = planted_intents(num_users=100, num_items=60, num_intents=6)
    log = log.with_item_providers({item: item[0] for item in log.items.ids})
    log = log.with_item_attribute("last digit", {item: item[-1] for item in log.items.ids})
    settings = {"num_members": 3, "hidden_dim": 16, "spectral_members": spectral_members}
    config = make_config(model=model, **settings)
    built = build_model(config, log.items.size, log.providers, list(log.attributes.values()))
    before = [weight.numpy() for weight in built.encoder.weights]
    _start_from_spectral_vectors(built, config, log)
    changed = {
        weight.path
        for weight, old in zip(built.encoder.weights, before, strict=True)
        if (weight.numpy() != old).any()
    }
    for number, member in enumerate(built.members()):
        items, values = member.item_embedding, getattr(member, "value_embeddings", ())
        assert (items.embeddings.path in changed) == (number < spectral_members)
        for embedding in values:
            assert (embedding.embeddings.path in changed) == (number >= spectral_members)
    rows = spectral_vectors(log, 16) * (0.03 * 4)
    first = next(
        old
        for weight, old in zip(built.encoder.weights, before, strict=True)
        if weight is built.members()[0].item_embedding.embeddings
    )
    now = built.members()[0].item_embedding.embeddings.numpy()
    np.testing.assert_allclose((now - first)[NUM_SPECIAL_IDS:], rows, atol=1e-6)
