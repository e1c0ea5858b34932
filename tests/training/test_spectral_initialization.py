import numpy as np
import pytest

from tf_iclrec import Interactions, Vocabulary, build_model, make_config
from tf_iclrec.data.item_attributes import ItemAttribute
from tf_iclrec.data.synthetic import planted_intents
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS
from tf_iclrec.training.spectral_initialization import add_to_item_vectors, spectral_item_vectors


def information_by_hand(sequences, items):
    """Positive pointwise mutual information by loops."""
    met = np.zeros((len(items), len(items)))
    for sequence in sequences:
        history = sequence[:-2]
        for first, item in enumerate(history):
            for second in range(first + 1, min(first + 4, len(history))):
                for pair in ((item, history[second]), (history[second], item)):
                    met[tuple(map(items.index, pair))] += 1 / (second - first)
    often = met.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        information = np.log(met * often.sum() / np.outer(often, often))
    return np.where(met > 0, np.maximum(information, 0), 0)


def test_products_are_the_mutual_information_of_items():
    random = np.random.default_rng(0)
    sequences = ["".join(random.choice(list("abcdefgh"), n)) for n in random.integers(4, 12, 30)]
    log = Interactions.from_sequences(dict(enumerate(sequences)))
    items = log.items.ids.tolist()
    expected = information_by_hand(sequences, items)
    vectors = spectral_item_vectors(log, 7)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    # Of the matrix's eigenvectors, scaled: the same directions up to signs.
    values, directions = np.linalg.eigh(expected)
    largest = np.argsort(-np.abs(values))[:7]
    rows = directions[:, largest] * np.sqrt(np.abs(values[largest]))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    np.testing.assert_allclose(vectors @ vectors.T, rows @ rows.T, atol=1e-4)


def test_items_of_an_intent_lie_close_together():
    log, _ = planted_intents(num_users=300, num_items=60, num_intents=6)
    vectors = spectral_item_vectors(log, 8)
    nearest = np.argsort(-(vectors @ vectors.T), axis=1)[:, 1:6]
    intents = log.items.ids.astype(int) // 10
    assert (intents[nearest] == intents[:, None]).mean() > 0.9


def test_only_the_training_part_of_the_given_users_counts():
    log = Interactions.from_sequences({"ann": "abcxy", "bob": "defyx", "cat": "adbebd"})
    vectors = spectral_item_vectors(log, 6, users=np.array([0, 1]))
    met = [item for item, row in zip(log.items.ids, vectors, strict=True) if row.any()]
    assert met == list("abcdef")
    together = vectors @ vectors.T
    assert np.abs(together[:3, 3:6]).max() < 1e-3


def test_wider_vectors_than_items_and_items_alone():
    log = Interactions.from_sequences({"ann": "abab??", "bob": "cxy"})
    vectors = spectral_item_vectors(log, 10)
    assert (vectors.shape, vectors.dtype) == ((6, 10), np.float32)
    assert not vectors[log.items.ids.tolist().index("c")].any()
    assert np.isfinite(vectors).all()


@pytest.mark.parametrize("name", ["sasrec", "ipsrec_s", "ipsrec_c", "provider_sum"])
def test_vectors_are_added_to_those_of_the_items(name):
    providers = ItemAttribute(Vocabulary(["acme"]), np.full(23, 3, dtype=np.int32))
    model = build_model(make_config(model=name, num_members=1, hidden_dim=16), 23, providers)
    before = model.encoder.item_embedding.embeddings.numpy()
    vectors = np.eye(20, 16, dtype="float32")
    add_to_item_vectors(model.encoder, vectors)
    added = model.encoder.item_embedding.embeddings.numpy() - before
    assert not added[:NUM_SPECIAL_IDS].any()
    np.testing.assert_allclose(added[NUM_SPECIAL_IDS:], vectors * 0.03 * 4, rtol=1e-4, atol=1e-6)
