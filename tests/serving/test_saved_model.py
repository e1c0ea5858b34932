from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from tf_iclrec import BatchRecommender, PopularityRecommender, UserError, export_saved_model
from tf_iclrec.serving.versions import new_version, next_version

from .conftest import Served, built, request

NOTHING = -np.inf


def texts(array):
    return [[item.decode() for item in row] for row in array]


def in_one_batch(histories):
    return tf.ragged.constant(histories, dtype=tf.string).to_tensor("").numpy()


def recommend(signatures, history, k=5, exclude=None, filter_seen=True):
    return signatures("recommend", **request(history, k, exclude, filter_seen))


@pytest.fixture(scope="module")
def calls(served, tmp_path_factory):
    """Of methods of the model, whether inside a graph, during an export."""
    made = {"encode": [], "mean_vectors": []}

    def counted(name, method):
        return lambda *given: made[name].append(tf.inside_function()) or method(*given)

    with pytest.MonkeyPatch.context() as patch:
        for name in made:
            patch.setattr(served.model, name, counted(name, getattr(served.model, name)))
        export_saved_model(served.model, served.split, tmp_path_factory.mktemp("counted") / "1")
    return made


def test_the_encoder_is_traced_once_for_all_signatures(calls):
    assert sum(calls["encode"]) == 1


def test_intents_that_no_training_has_found_are_not_served(log, split, tmp_path):
    """As where it ended while it warmed up: they were number 0 for everybody."""
    model = built("iclrec", log)
    model.intents.fitted.assign(0.0)
    export_saved_model(model, split, tmp_path / "1", k=5)
    signatures = tf.saved_model.load(str(tmp_path / "1")).signatures
    assert "items_of_intent" not in signatures
    history = tf.constant([[log.items.ids[4]]])
    assert set(signatures["serving_default"](history=history)) == {
        *("item_ids", "scores", "from_popularity")
    }
    assert set(signatures["encode"](history=history)) == {"user_vectors"}


def test_the_intents_of_items_are_found_once_for_all_who_ask(served, calls, monkeypatch):
    assert len(calls["mean_vectors"]) == 1
    asked, mean_vectors = [], served.model.mean_vectors

    def counted(*given):
        asked.append(given)
        return mean_vectors(*given)

    monkeypatch.setattr(served.model, "mean_vectors", counted)
    recommender = BatchRecommender(served.model, served.split)
    reranker = recommender.diversified(recommender.search(), 0.5, "intents").reranker
    assert len(asked) == 1
    # The same tensor: a SavedModel holds it once.
    assert recommender.explainer.intents_of_items is reranker.intents_of_items


@pytest.mark.parametrize("batch_size", [1, 64])
@pytest.mark.parametrize("length", [1, 50, 500])
def test_the_best_items_are_the_python_models(served, signatures, batch_size, length):
    histories = served.random_histories(batch_size, length)
    answer = signatures("serving_default", history=histories)
    assert answer["item_ids"].shape == answer["scores"].shape == (batch_size, 5)
    assert not answer["from_popularity"].any()
    for row, history in enumerate(histories):
        ids, scores = served.best(history, 5, left_out=history)
        padding = 5 - len(ids)
        assert texts(answer["item_ids"])[row] == ids + [""] * padding
        np.testing.assert_allclose(
            answer["scores"][row], [*scores, *[NOTHING] * padding], rtol=1e-4, atol=1e-4
        )


@pytest.mark.parametrize("k", [1, 7, 40])
@pytest.mark.parametrize("filter_seen", [True, False])
def test_a_request_can_say_how_many_and_what_not(served, signatures, k, filter_seen):
    histories = served.random_histories(3, 8)
    exclude = [served.best(history, 3)[0] for history in histories]
    answer = recommend(signatures, histories, k, exclude, filter_seen)
    for row, history in enumerate(histories):
        left_out = exclude[row] + (history if filter_seen else [])
        ids, scores = served.best(history, k, left_out)
        assert texts(answer["item_ids"])[row] == ids
        np.testing.assert_allclose(answer["scores"][row], scores, rtol=1e-4, atol=1e-4)


def test_unknown_items_and_padding_are_ignored(signatures, log):
    known = log.items.ids[:3].tolist()
    histories = [known, [known[0], "no such item", *known[1:], ""], ["", *known, "nor this"]]
    answer = signatures("serving_default", history=in_one_batch(histories))
    for row in (1, 2):
        np.testing.assert_array_equal(answer["item_ids"][row], answer["item_ids"][0])
        np.testing.assert_allclose(answer["scores"][row], answer["scores"][0], rtol=1e-5)


@pytest.mark.parametrize("history", [[""], ["unknown"], []])
def test_without_a_known_item_the_answer_is_by_popularity(served, signatures, history):
    popular, counts = served.best([], 5)
    answer = signatures("serving_default", history=np.array([history], dtype=object).astype("S"))
    assert answer["from_popularity"].tolist() == [True]
    assert answer["intent"].tolist() == [-1]
    assert texts(answer["item_ids"]) == [popular]
    np.testing.assert_array_equal(answer["scores"], [counts])
    answer = recommend(signatures, [["unknown"]], 2, exclude=[popular[:1]])
    assert texts(answer["item_ids"]) == [popular[1:3]]


def test_users_with_and_without_history_share_a_batch(served, signatures, log):
    item = log.items.ids[0]
    answer = signatures("serving_default", history=[[item], [""]])
    assert answer["from_popularity"].tolist() == [False, True]
    assert texts(answer["item_ids"])[0] == served.best([item], 5, left_out=[item])[0]


def test_a_user_who_has_seen_nearly_all_gets_the_rest(signatures, log):
    answer = signatures("serving_default", history=[log.items.ids[:-2].tolist()])
    (returned,) = texts(answer["item_ids"])
    assert set(returned[:2]) == set(log.items.ids[-2:])
    assert returned[2:] == ["", "", ""]
    assert (answer["scores"][0, 2:] == NOTHING).all()


def test_rank_scores_candidates_in_their_places(served, signatures):
    histories = served.random_histories(4, 9)
    # The first is seen, the second unknown.
    candidates = [[history[0], "unknown", *served.log.items.ids[7:12]] for history in histories]
    answer = signatures("rank", history=histories, candidates=candidates)
    for row, history in enumerate(histories):
        ids = served.log.items.encode(candidates[row])
        expected = np.where(ids == 1, NOTHING, served.scores(history)[ids - 3])
        np.testing.assert_allclose(answer["scores"][row], expected, rtol=1e-4, atol=1e-4)
        np.testing.assert_array_equal(answer["order"][row], np.argsort(-expected, kind="stable"))


def test_rank_falls_back_to_popularity(served, signatures):
    popular, counts = served.best([], 3)
    answer = signatures("rank", history=[[""]], candidates=[popular[::-1]])
    assert answer["from_popularity"].tolist() == [True]
    np.testing.assert_array_equal(answer["scores"], [counts[::-1]])


def test_encode_gives_vectors_and_intents(served, signatures):
    histories = [*served.random_histories(3, 9), [""] * 9]
    answer = signatures("encode", history=histories)
    ids = served.log.items.encode(np.ravel(histories[:3])).reshape(3, 9)
    vectors, means = (np.asarray(part) for part in served.model.encode({"item_ids": ids}))
    np.testing.assert_allclose(answer["user_vectors"][:3], vectors, rtol=1e-4, atol=1e-5)
    assert (answer["user_vectors"][3] == 0).all()
    centroids = served.model.intents.centroids[0].numpy()
    distances = ((means[:, None] - centroids) ** 2).sum(axis=-1)
    assert answer["intent"].tolist() == [*distances.argmin(axis=1), -1]
    closeness = 1 / (1 + distances)
    np.testing.assert_allclose(
        answer["intent_affinities"][:3],
        closeness / closeness.sum(axis=1, keepdims=True),
        rtol=1e-3,
    )


def test_the_best_items_come_with_the_intent_of_the_history(served, signatures):
    histories = served.random_histories(20, 6)
    intents = signatures("encode", history=histories)["intent"]
    assert len(set(intents)) > 1
    answers = [
        signatures("serving_default", history=histories),
        recommend(signatures, histories),
    ]
    for answer in answers:
        np.testing.assert_array_equal(answer["intent"], intents)


def test_similar_items_are_nearest_by_cosine(served, signatures):
    ids = served.log.items.ids
    vectors = np.asarray(served.model.item_vectors())
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    answer = signatures("similar_items", item_ids=[ids[4], "unknown", ids[60]])
    for row, item in [(0, 4), (2, 60)]:
        cosines = vectors @ vectors[item]
        cosines[item] = NOTHING
        nearest = np.argsort(-cosines)[:5]
        assert texts(answer["item_ids"])[row] == ids[nearest].tolist()
        np.testing.assert_allclose(answer["scores"][row], cosines[nearest], rtol=1e-4)
    assert texts(answer["item_ids"])[1] == [""] * 5


def test_items_of_an_intent_score_best_for_its_centroid(served, signatures):
    answer = signatures("items_of_intent", intents=np.array([2, 0], dtype="int32"))
    vectors = np.asarray(served.model.item_vectors())
    for row, intent in [(0, 2), (1, 0)]:
        scores = vectors @ served.model.intents.centroids[0].numpy()[intent]
        best = np.argsort(-scores)[:5]
        assert texts(answer["item_ids"])[row] == served.log.items.ids[best].tolist()
        np.testing.assert_allclose(answer["scores"][row], scores[best], rtol=1e-4)


def test_provider_affinities_are_sums_over_their_items(served, signatures):
    (history,) = served.random_histories(1, 6)
    answer = signatures("provider_affinities", history=[history, [""] * 6])
    scores = served.scores(history).astype("float64")
    probabilities = np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()
    counts = served.scores([])
    providers = served.log.providers
    for row, of_items in enumerate([probabilities, counts / counts.sum()]):
        sums = np.array(
            [
                of_items[providers.of_items[3:] == p + 3].sum()
                for p in range(len(providers.vocabulary))
            ]
        )
        best = np.argsort(-sums, kind="stable")[:5]
        assert texts(answer["provider_ids"])[row] == providers.vocabulary.ids[best].tolist()
        np.testing.assert_allclose(answer["affinities"][row], sums[best], rtol=1e-3)


@pytest.mark.parametrize("k", [0, -1, 41])
def test_k_out_of_range_is_an_error_and_the_next_request_is_answered(signatures, log, k):
    item = log.items.ids[0]
    with pytest.raises(tf.errors.InvalidArgumentError, match=rf"from 1 to 40, not\] \[{k}"):
        recommend(signatures, [[item]], k)
    assert recommend(signatures, [[item]], 3)["item_ids"].shape == (1, 3)


@pytest.mark.parametrize(
    ("name", "inputs", "message"),
    [
        ("rank", {"history": [["1"]], "candidates": [["x", ""]]}, "None of the candidates is an"),
        ("rank", {"history": [["1"]], "candidates": [["1"]] * 2}, "one row for each history"),
        ("items_of_intent", {"intents": np.array([3], "int32")}, "from 0 to 2, not"),
        ("items_of_intent", {"intents": np.array([-1], "int32")}, "from 0 to 2, not"),
    ],
)
def test_bad_requests_say_what_was_wrong(signatures, name, inputs, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        signatures(name, **inputs)


def test_k_is_at_most_the_catalogue(split, log, tmp_path):
    model = PopularityRecommender.from_training_data(split)
    export_saved_model(model, split, tmp_path / "1", k=1000)
    loaded = tf.saved_model.load(str(tmp_path / "1"))
    answer = loaded.signatures["serving_default"](history=tf.constant([["1"]]))
    assert answer["item_ids"].shape == (1, log.num_items)


@pytest.mark.parametrize("name", ["iclrec_ips_c", "ipsrec_s", "provider_sum", "sasrec"])
def test_every_model_is_served_with_items_alone(name, log, split, tmp_path):
    served = Served(built(name, log), split, str(tmp_path / "1"))
    export_saved_model(served.model, served.split, served.folder)
    loaded = tf.saved_model.load(served.folder)
    assert ("items_of_intent" in loaded.signatures) == name.startswith("iclrec")
    serve = loaded.signatures["serving_default"]
    assert list(serve.structured_input_signature[1]) == ["history"]
    histories = served.random_histories(9, 30)
    answer = serve(history=tf.constant(histories))
    assert ("intent" in answer) == name.startswith("iclrec")
    for row, history in enumerate(histories):
        ids, scores = served.best(history, 20, left_out=history)
        assert texts(answer["item_ids"].numpy())[row] == ids
        np.testing.assert_allclose(answer["scores"][row], scores, rtol=1e-4, atol=1e-4)


def test_the_served_models_depend_on_providers_and_attributes(log):
    """Otherwise the test before would show nothing."""
    model = built("iclrec_ips_c", log)
    ids = log.items.encode(log.items.ids[:8])[None]
    looked_up = model({"item_ids": ids}).numpy()
    unknown = model({"item_ids": ids, "provider_ids": np.ones_like(ids)}).numpy()
    assert np.abs(looked_up - unknown).max() > 1e-2
    for member in model.members():
        member.set_item_attributes([np.ones(log.items.size, dtype="int32")])
    assert np.abs(looked_up - model({"item_ids": ids})).max() > 1e-2


def test_there_are_no_python_functions_and_no_custom_operations(served):
    content = (Path(served.folder) / "saved_model.pb").read_bytes()
    graph = saved_model_pb2.SavedModel.FromString(content).meta_graphs[0].graph_def
    nodes = [*graph.node, *(node for f in graph.library.function for node in f.node_def)]
    operations = {node.op for node in nodes}
    assert "TopKV2" in operations
    assert not {name for name in operations if "PyFunc" in name}
    known = set(tf.raw_ops.__dict__) | {f.signature.name for f in graph.library.function}
    assert operations - known <= {"_Retval", "_Arg"}


def test_versions_count_on(tmp_path):
    assert next_version(tmp_path / "none").name == "1"
    for name in ("1", "9", "notes", ".123.11"):
        (tmp_path / name).mkdir()
    assert next_version(tmp_path).name == "10"


def test_no_two_commands_take_the_same_version(tmp_path):
    with new_version(tmp_path / "shop") as version:
        with pytest.raises(UserError, match="Another command is writing"):
            new_version(tmp_path / "shop").__enter__()
        version.mkdir(parents=True)
    with new_version(tmp_path / "shop") as version:
        assert version.name == "2"


def test_a_failed_export_leaves_nothing(split, tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr("tf_iclrec.serving.saved_model.write_warm_up_requests", fail)
    model = PopularityRecommender.from_training_data(split)
    with pytest.raises(OSError, match="disk full"):
        export_saved_model(model, split, tmp_path / "1")
    assert list(tmp_path.iterdir()) == []
