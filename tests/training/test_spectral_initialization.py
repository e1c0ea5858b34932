import numpy as np
import pytest

from tf_iclrec import Interactions, build_model, leave_one_out, make_config
from tf_iclrec.data.batches import sampled_rows
from tf_iclrec.data.splits.training_share import train_on_share
from tf_iclrec.data.synthetic import planted_intents
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS
from tf_iclrec.training import spectral_initialization
from tf_iclrec.training.spectral_initialization import (
    spectral_vectors,
    start_from_spectral_vectors,
)


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
    vectors = spectral_vectors(leave_one_out(log), dim, attribute=attribute)
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
    vectors = spectral_vectors(leave_one_out(log), 4, attribute=attribute)
    assert vectors.shape == (len(attribute.vocabulary), 4)
    assert not vectors.any()


def test_items_of_an_intent_lie_close_together():
    log, _ = planted_intents(num_users=300, num_items=60, num_intents=6)
    vectors = spectral_vectors(leave_one_out(log), 8)
    nearest = np.argsort(-(vectors @ vectors.T), axis=1)[:, 1:6]
    intents = log.items.ids.astype(int) // 10
    assert (intents[nearest] == intents[:, None]).mean() > 0.9


def test_only_the_training_part_of_the_drawn_users_counts(monkeypatch):
    monkeypatch.setattr(spectral_initialization, "_MOST_USERS", 2)
    # Who is drawn of three users: the other one has items of both worlds.
    drawn = sampled_rows(3, 2).tolist()
    sequences = dict.fromkeys(range(3), "adbebd")
    sequences |= dict(zip(drawn, ["abcxy", "defyx"], strict=True))
    log = Interactions.from_sequences(sequences)
    vectors = spectral_vectors(leave_one_out(log), 6)
    met = [item for item, row in zip(log.items.ids, vectors, strict=True) if row.any()]
    assert met == list("abcdef")
    together = vectors @ vectors.T
    assert np.abs(together[:3, 3:6]).max() < 1e-3


def test_wider_vectors_than_items_and_items_alone():
    log = Interactions.from_sequences({"ann": "abab??", "bob": "cxy"})
    vectors = spectral_vectors(leave_one_out(log), 10)
    assert (vectors.shape, vectors.dtype) == ((6, 10), np.float32)
    assert not vectors[log.items.ids.tolist().index("c")].any()
    assert np.isfinite(vectors).all()


@pytest.mark.parametrize("model", ["sasrec", "ipsrec_s", "ipsrec_c", "provider_sum"])
@pytest.mark.parametrize("spectral_members", [1, 2, 9])
def test_first_encoders_start_from_items_and_the_others_from_what_is_known_of_them(
    model, spectral_members
):
    log, _ = planted_intents(num_users=100, num_items=60, num_intents=6)
    log = log.with_item_providers({item: item[0] for item in log.items.ids})
    log = log.with_item_attribute("last digit", {item: item[-1] for item in log.items.ids})
    config = make_config(model=model, num_members=3, hidden_dim=16)
    known = (log.providers, log.attributes["last digit"])
    members = build_model(config, log.catalogue).members()

    def tables(member):
        embeddings = (member.item_embedding, *member.value_embeddings)
        return [embedding.embeddings.numpy() * embedding.scale for embedding in embeddings]

    before = [tables(member) for member in members]
    start_from_spectral_vectors(members, leave_one_out(log), spectral_members)
    of_values = [
        spectral_vectors(leave_one_out(log), 16, attribute=attribute) for attribute in known
    ]
    for number, (member, old) in enumerate(zip(members, before, strict=True)):
        items, *values = (new - one for new, one in zip(tables(member), old, strict=True))
        first = number < spectral_members
        expected = spectral_vectors(leave_one_out(log), 16) * (0.03 * 4 * first)
        np.testing.assert_allclose(items[NUM_SPECIAL_IDS:], expected, atol=1e-6)
        assert not items[:NUM_SPECIAL_IDS].any()
        assert len(values) == (0 if model == "sasrec" else 2)
        for added, vectors in zip(values, of_values, strict=False):
            expected = vectors * (0.03 * 4 * (not first))
            np.testing.assert_allclose(added[NUM_SPECIAL_IDS:], expected, atol=1e-6)


def test_a_sample_is_of_users_that_are_trained_on(monkeypatch):
    log = Interactions.from_sequences({f"u{user}": "abcde" for user in range(12)})
    split = train_on_share(leave_one_out(log), training_share=0.25)
    expected = spectral_initialization.co_occurrences(split).toarray()
    monkeypatch.setattr(spectral_initialization, "_MOST_USERS", 3)
    np.testing.assert_array_equal(spectral_initialization.co_occurrences(split).toarray(), expected)
