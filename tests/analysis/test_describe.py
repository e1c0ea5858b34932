"""Intents that are known are described as what they are."""

import dataclasses
import itertools

import numpy as np
import pytest

from tf_iclrec import UserError, describe_intents
from tf_iclrec.analysis.intents.assignment import Assignment
from tf_iclrec.analysis.intents.descriptions import descriptions, typical_of
from tf_iclrec.analysis.intents.moves import PARTS, moves_of

from .conftest import AISLES, run_of


@pytest.fixture(scope="module")
def report(run):
    return describe_intents(run, run, map_users=100)


@pytest.fixture(scope="module")
def vectors(run):
    """The mean hidden state of each user's training part, all in one batch."""
    histories = run.split.train
    return run.model.mean_vectors({"item_ids": histories.padded(np.arange(240))}).numpy()


def test_users_have_the_intents_of_their_whole_training_part(run, planted, report, vectors):
    centroids = run.model.intents.centroids[0].numpy()
    distances = np.square(vectors[:, None] - centroids).sum(axis=-1)
    closeness = 1 / (1 + distances)
    assert report.users["user_id"].to_pylist() == run.interactions.users.tolist()
    intents = report.users["intent"].to_numpy()
    np.testing.assert_array_equal(intents, distances.argmin(axis=1))
    assert (intents == planted[1]).mean() > 0.95
    found = np.stack(report.users["affinities"].to_numpy())
    np.testing.assert_allclose(found, closeness / closeness.sum(axis=1, keepdims=True), rtol=2e-3)
    np.testing.assert_array_equal(report.users["affinity"].to_numpy(), found.max(axis=1))


def test_what_is_typical_is_what_was_planted(report):
    for intent, aisle in enumerate(AISLES):
        one = report.intents[intent]
        assert (one.id, one.name) == (intent, aisle)
        [value] = one.values
        assert (value.kind, value.value, value.title) == ("aisle", aisle, aisle)
        assert value.lift > 2.5
        assert value.p_value < 1e-6
        assert len(one.items) == 10
        assert {int(item.value) // 20 for item in one.items} == {intent}
        assert {item.title for item in one.items} == {f"The <{one.value}>" for one in one.items}


def test_sizes_and_shares(report):
    intents = report.users["intent"].to_numpy()
    assert [one.users for one in report.intents] == np.bincount(intents).tolist()
    assert sum(one.share for one in report.intents) == pytest.approx(1)
    for one in report.intents:
        assert [item.share for item in one.items] == [item.users / one.users for item in one.items]


def test_examples_are_nearest_to_the_centroid(run, report, vectors):
    centroids = run.model.intents.centroids[0].numpy()
    intents = report.users["intent"].to_numpy()
    for one in report.intents:
        own = np.flatnonzero(intents == one.id)
        distances = np.linalg.norm(vectors[own] - centroids[one.id], axis=1)
        nearest = own[np.argsort(distances)[:5]]
        assert one.examples == run.interactions.users[nearest].tolist()


def test_neighbours_are_nearest_by_cosine(run, report):
    centroids = run.model.intents.centroids[0].numpy()
    directions = centroids / np.linalg.norm(centroids, axis=1, keepdims=True)
    for one in report.intents:
        cosines = {other: directions[one.id] @ directions[other] for other in range(4)}
        del cosines[one.id]
        assert [other.id for other in one.neighbours] == sorted(cosines, key=lambda x: -cosines[x])
        assert one.neighbours[0].cosine == pytest.approx(cosines[one.neighbours[0].id], abs=1e-5)


def test_moves_are_those_of_prefixes_one_by_one(run):
    histories = run.split.train.rows(np.arange(40))
    centroids = run.model.intents.centroids[0].numpy()
    split = dataclasses.replace(run.split, train=histories)
    moves = moves_of(run.model, split, Assignment.of_users(run.model, split))
    at = []
    for part in PARTS:
        ends = histories.starts + np.ceil(part * histories.lengths).astype(int)
        found = [
            run.model.mean_vectors({"item_ids": histories.item_ids[None, first:last]})[0]
            for first, last in zip(histories.starts, ends, strict=True)
        ]
        distances = np.linalg.norm(np.stack(found)[:, None] - centroids, axis=-1)
        at.append(distances.argmin(axis=1))
    counts = np.zeros((3, 4, 4), dtype=int)
    long_enough = histories.lengths >= len(PARTS)
    for step, (before, after) in enumerate(itertools.pairwise(at)):
        np.add.at(counts[step], (before[long_enough], after[long_enough]), 1)
    np.testing.assert_array_equal(moves.counts, counts)
    table = moves.table().to_pandas()
    assert table["users"].sum() == counts.sum()
    first = table.iloc[0]
    assert (first["from_part"], first["to_part"]) == (0.25, 0.5)


def test_a_planted_intent_is_for_life(report):
    # A quarter of a short history hardly shows it.
    assert report.moves.stay[-1] > 0.8 > 2 * report.moves.stay_by_chance[-1]


def test_too_short_histories_do_not_move(run):
    nobody = dataclasses.replace(run.split.train, ends=run.split.train.starts + 3)
    split = dataclasses.replace(run.split, train=nobody)
    moves = moves_of(run.model, split, Assignment.of_users(run.model, split))
    assert (moves.num_users, moves.stay.tolist(), moves.table().num_rows) == (0, [0.0] * 3, 0)


def test_the_map_puts_an_intent_in_one_place(report):
    assert report.map.shape == (100, 2)
    assert report.map.dtype == np.float32
    distances = np.linalg.norm(report.map[:, None] - report.map, axis=-1)
    np.fill_diagonal(distances, np.inf)
    nearest = report.map_intents[distances.argmin(axis=1)]
    assert (nearest == report.map_intents).mean() > 0.7


def test_a_run_compared_with_itself_stayed(report):
    assert [one.fate for one in report.comparison.changes] == ["stayed"] * 4
    assert report.comparison.agreement == 1.0
    assert report.names_before == list(AISLES)
    assert report.to_dict()["comparison"]["matches"][1] == {"before": 1, "after": 1, "overlap": 1.0}


def test_values_can_be_chosen(run):
    report = describe_intents(run, values=["provider"], top=2)
    assert all(one.kind == "provider" for intent in report.intents for one in intent.values)
    # Brands are everywhere alike, so the names are of items.
    assert all(one.name.count("The <") == len(one.items) == 2 for one in report.intents)


def test_providers_are_those_of_the_interactions_where_they_are_recorded(run):
    log = run.interactions
    assignment = Assignment.of_users(run.model, run.split)
    vocabulary = log.providers.vocabulary
    # Whatever the item, users of intent 2 bought it from one provider, the others from another.
    own = np.where(assignment.intents[log.owners] == 2, 3, 4).astype("int32")
    found = typical_of(log.with_own_providers(vocabulary, own), assignment, "provider", 5)
    assert [[one.value for one in some] for some in found] == [
        *([["brand 1"]] * 2),
        ["brand 0"],
        ["brand 1"],
    ]


def test_an_intent_without_users_is_described_too(run):
    assignment = Assignment.of_users(run.model, run.split)
    affinities = np.pad(assignment.affinities, [(0, 0), (0, 1)])
    centroids = np.eye(5, 16)
    found = descriptions(
        run.interactions, dataclasses.replace(assignment, affinities=affinities), centroids, []
    )
    assert (found[4].name, found[4].users, found[4].items, found[4].examples) == (
        *("Intent 4", 0, []),
        [],
    )
    assert found[0].name.startswith("The <")


def test_other_data_are_not_compared(run, planted, renamed):
    with pytest.raises(UserError, match=r"of what these users did .* is the same"):
        describe_intents(run, renamed)
    log, intents = planted
    strangers = dataclasses.replace(log, users=log.users + "x")
    with pytest.raises(UserError, match=r"of 240 users of one, 0\.0% are users of the other"):
        describe_intents(run, run_of(strangers, intents))


def test_an_earlier_log_is_compared(run, planted):
    """Of half of the users, with half of what they did, under other numbers."""
    log, intents = planted
    kept = np.ones(log.num_actions, dtype=bool)
    kept[log.offsets[120] :] = False
    earlier = run_of(log.select(kept), intents[:120][::-1])
    report = describe_intents(run, earlier)
    assert report.comparison.num_users == 120


def test_intents_that_were_never_found_are_no_intents(planted):
    run = run_of(*planted)
    run.model.intents.fitted.assign(0.0)
    with pytest.raises(UserError, match=r"no intents yet.*--warm-up-epochs"):
        describe_intents(run)
