import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec import build_model, export_saved_model, make_config
from tf_iclrec.data.synthetic import planted_intents


@pytest.fixture(scope="module")
def log():
    return planted_intents(num_users=100, num_items=60, num_intents=3)[0]


@pytest.fixture(scope="module")
def model(log):
    keras.utils.set_random_seed(0)
    config = make_config(hidden_dim=16, max_length=10, num_intents=(3,))
    return build_model(config, log.items.size)


@pytest.fixture(scope="module")
def serve(model, log, tmp_path_factory):
    folder = tmp_path_factory.mktemp("served") / "1"
    export_saved_model(model, log.items, folder, k=5)
    # The module must outlive its signature, which holds it only weakly.
    loaded = tf.saved_model.load(str(folder))
    signature = loaded.signatures["serving_default"]
    return lambda histories: (
        loaded,
        {name: value.numpy() for name, value in signature(history=to_tensor(histories)).items()},
    )[1]


def to_tensor(histories):
    return tf.ragged.constant(histories, dtype=tf.string).to_tensor("")


def expected(model, log, history, k=5):
    """What the Python model says, seen items removed."""
    ids = log.items.encode(history)
    scores = model({"item_ids": ids[None, -10:]}).numpy()[0]
    scores[ids - 3] = -np.inf
    best = np.argsort(-scores)[:k]
    return log.items.ids[best].tolist(), scores[best]


@pytest.mark.parametrize("batch_size", [1, 33])
def test_answers_equal_the_python_models(serve, model, log, batch_size):
    random = np.random.default_rng(batch_size)
    histories = [
        random.choice(log.items.ids, size=length, replace=False).tolist()
        for length in random.integers(1, 30, size=batch_size)
    ]
    answer = serve(histories)
    assert answer["item_ids"].shape == answer["scores"].shape == (batch_size, 5)
    for row, history in enumerate(histories):
        ids, scores = expected(model, log, history)
        assert [item.decode() for item in answer["item_ids"][row]] == ids
        np.testing.assert_allclose(answer["scores"][row], scores, atol=1e-5)


def test_unknown_items_are_ignored(serve, log):
    known = log.items.ids[:3].tolist()
    with_strangers = [known[0], "no such item", *known[1:], "nor this"]
    plain, strange = serve([known]), serve([with_strangers])
    np.testing.assert_array_equal(plain["item_ids"], strange["item_ids"])


def test_seen_items_never_come_back(serve, log):
    history = log.items.ids[:40].tolist()
    answer = serve([history])
    assert not {item.decode() for item in answer["item_ids"][0]} & set(history)


def test_a_user_who_has_seen_nearly_all_gets_the_rest(serve, log):
    answer = serve([log.items.ids[:-2].tolist()])
    returned = [item.decode() for item in answer["item_ids"][0]]
    assert set(returned[:2]) == set(log.items.ids[-2:])
    assert returned[2:] == ["", "", ""]


@pytest.mark.parametrize("history", [[""], ["unknown"], []])
def test_an_empty_history_gets_an_answer(serve, history):
    answer = serve([history])
    assert answer["item_ids"].shape == (1, 5)
    assert np.isfinite(answer["scores"]).all()


def test_k_is_at_most_the_catalogue(model, log, tmp_path):
    export_saved_model(model, log.items, tmp_path / "1", k=1000)
    loaded = tf.saved_model.load(str(tmp_path / "1"))
    answer = loaded.signatures["serving_default"](history=tf.constant([["1"]]))
    assert answer["item_ids"].shape == (1, log.num_items)


@pytest.fixture(scope="module", params=["iclrec_ips_c", "ipsrec_s", "provider_sum"])
def served_with_providers(request, log, tmp_path_factory):
    keras.utils.set_random_seed(1)
    table = {item: f"brand {int(item) % 7}" for item in log.items.ids[:50]}
    log = log.with_item_providers(table)
    config = make_config(model=request.param, hidden_dim=16, max_length=10, num_intents=(3,))
    model = build_model(config, log.items.size, log.providers)
    # As drawn, the weights are so small that providers hardly count.
    random = np.random.default_rng(1)
    for weight in model.encoder.trainable_weights:
        weight.assign_add(random.normal(scale=0.2, size=weight.shape))
    folder = tmp_path_factory.mktemp("served") / "1"
    export_saved_model(model, log.items, folder)
    return model, log, tf.saved_model.load(str(folder))


@pytest.mark.parametrize("batch_size", [1, 33])
def test_a_model_with_providers_needs_items_only(served_with_providers, batch_size):
    model, log, loaded = served_with_providers
    random = np.random.default_rng(batch_size)
    histories = [
        random.choice(log.items.ids, size=length, replace=False).tolist()
        for length in random.integers(1, 30, size=batch_size)
    ]
    serve = loaded.signatures["serving_default"]
    assert list(serve.structured_input_signature[1]) == ["history"]
    answer = serve(history=to_tensor(histories))
    for row, history in enumerate(histories):
        ids = log.items.encode(history)
        providers = log.providers.of_items[ids]
        inputs = {"item_ids": ids[None, -10:], "provider_ids": providers[None, -10:]}
        scores = model(inputs).numpy()[0]
        scores[ids - 3] = -np.inf
        best = np.argsort(-scores, kind="stable")[:20]
        returned = [item.decode() for item in answer["item_ids"][row].numpy()]
        assert returned == log.items.ids[best].tolist()
        np.testing.assert_allclose(answer["scores"][row], scores[best], atol=1e-5)


def test_the_served_models_depend_on_providers(served_with_providers):
    """Otherwise the test before would show nothing."""
    model, log, _ = served_with_providers
    ids = log.items.encode(log.items.ids[:8])[None]
    looked_up = model({"item_ids": ids}).numpy()
    unknown = model({"item_ids": ids, "provider_ids": np.ones_like(ids)}).numpy()
    assert np.abs(looked_up - unknown).max() > 1e-2
