"""How vectors of users lie: figures against scikit-learn's, and ``python -m tf_iclrec.vectors``."""

import dataclasses
import json
from collections import Counter

import numpy as np
import pytest

from tf_iclrec import Interactions, Run, UserError, leave_one_out, make_config
from tf_iclrec import vectors as vectors_command
from tf_iclrec.analysis.vectors.structure import (
    purities,
    silhouettes,
    structures,
    vector_structure,
)
from tf_iclrec.analysis.vectors.tsne import tsne_map
from tf_iclrec.analysis.vectors.user_vectors import UserVectors, main_values, user_vectors
from tf_iclrec.data.histories import Histories
from tf_iclrec.models.popularity import PopularityRecommender

from ..command_line import refused, run_here


@pytest.fixture(scope="module")
def by_aisle(run):
    return user_vectors(run, "aisle")


def clouds(seed=0, number=300, dim=6, values=5):
    """Vectors around a middle each, of values that are not equally frequent."""
    rng = np.random.default_rng(seed)
    groups = np.minimum(rng.geometric(0.5, size=number) - 1, values - 1)
    middles = rng.normal(size=(values, dim))
    return (middles[groups] + rng.normal(size=(number, dim))).astype(np.float32), groups


@pytest.mark.parametrize("at_once", [7, 1024])
def test_figures_agree_with_scikit_learn(at_once, monkeypatch):
    from sklearn.metrics import silhouette_samples
    from sklearn.neighbors import NearestNeighbors

    monkeypatch.setattr("tf_iclrec.analysis.vectors.structure._AT_ONCE", at_once)
    vectors, groups = clouds()
    # One is alone with its value.
    groups[0] = groups.max() + 1
    expected = silhouette_samples(vectors.astype(np.float64), groups, metric="cosine")
    np.testing.assert_allclose(silhouettes(vectors, groups), expected, atol=1e-9)
    search = NearestNeighbors(n_neighbors=10, metric="cosine").fit(vectors)
    nearest = search.kneighbors(return_distance=False)
    same = (groups[nearest] == groups[:, np.newaxis]).mean(axis=1)
    np.testing.assert_allclose(purities(vectors, groups, 10), same)


def test_purity_by_chance_is_what_values_that_are_dealt_out_have():
    vectors, groups = clouds(number=400)
    rng = np.random.default_rng(1)
    dealt = [purities(vectors, rng.permutation(groups), 10).mean() for _ in range(20)]
    names = np.array(list("abcde"))
    users = UserVectors(vectors, vectors[::-1], groups, names)
    found = structures(users)
    assert found["last"].chance == pytest.approx(np.mean(dealt), abs=0.01)
    # The mean states, here in the wrong order, are measured too.
    assert found["last"].purity > 0.5 > found["mean"].purity
    assert (found["last"].users, found["last"].values) == (400, 5)


def test_two_users_have_one_neighbour():
    assert purities(np.eye(2), np.array([0, 0]), 10).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_main_values_agree_with_counting(seed):
    rng = np.random.default_rng(seed)
    ids = rng.integers(3, 40, size=300).astype(np.int32)
    of_items = np.concatenate([[0, 1, 2], rng.integers(1, 9, size=37)])
    of_items[of_items == 2] = 1
    ends = np.sort(rng.choice(np.arange(1, 300), 49, replace=False))
    histories = Histories(ids, np.concatenate([[0], ends]), np.concatenate([ends, [300]]))
    expected = []
    for start, end in zip(histories.starts, histories.ends, strict=True):
        counts = Counter(value for value in of_items[ids[start:end]].tolist() if value >= 3)
        most = max(counts.values(), default=0)
        expected.append(min((v for v in counts if counts[v] == most), default=2) - 3)
    assert -1 in expected
    assert main_values(histories, of_items).tolist() == expected


def test_vectors_are_those_of_the_model(run, planted, by_aisle):
    (log, _), found = planted, by_aisle
    # Of all users a main value is known.
    assert len(found.values) == log.num_users == 240
    for row in (0, 17, 239):
        items = log.item_ids[log.offsets[row] : log.offsets[row + 1] - 2]
        batch = {"item_ids": items[np.newaxis], "provider_ids": None}
        batch["provider_ids"] = log.providers.of_items[items][np.newaxis]
        last, mean = run.model.encode(batch)
        np.testing.assert_allclose(found.last[row], last[0], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(found.mean[row], mean[0], rtol=1e-4, atol=1e-5)
        aisles = log.attributes["aisle"]
        counts = Counter(aisles.value_of(item) for item in items)
        assert counts[found.names[found.values[row]]] == max(counts.values())


def test_planted_intents_lie_together(run, by_aisle):
    for one in structures(by_aisle).values():
        assert one.purity > 2 * one.chance
        assert one.silhouette > 0
    # Brands are dealt out at random over the items.
    by_brand = vector_structure(run, "provider")["mean"]
    assert by_brand.purity < 1.7 * by_brand.chance
    assert by_brand.silhouette < 0


def test_some_users_can_be_chosen(run, by_aisle):
    found = by_aisle
    some = found.having(["tea", "oil"])
    assert set(some.names[some.values]) == {"tea", "oil"}
    rows = np.isin(found.names[found.values], ["tea", "oil"])
    np.testing.assert_array_equal(some.mean, found.mean[rows])
    few = found.having(["tea"], most=10)
    assert len(few.values) == len(few.last) == 10
    assert few.last.tolist() == found.having(["tea"], most=10).last.tolist()
    assert len(user_vectors(run, "aisle", most_users=50).values) == 50
    with pytest.raises(UserError, match="No user has 'sand' as main value; most have '"):
        found.having(["tea", "sand"])


def test_what_has_no_vectors_or_values_is_refused(run, by_aisle):
    with pytest.raises(UserError, match=r"no attribute or label 'color' .*: known are .*aisle"):
        user_vectors(run, "color")
    log = Interactions.from_sequences({"ann": "abcd", "bob": "abcd"})
    split = leave_one_out(log.with_item_attribute("kind", {"a": "x", "b": "x"}))
    model = PopularityRecommender(num_items=4)
    popular = Run(model, split, make_config(model="transitions"), {})
    with pytest.raises(UserError, match="The model transitions has no vectors of users"):
        user_vectors(popular, "kind")
    alike = dataclasses.replace(by_aisle, values=np.zeros(240, dtype=int))
    with pytest.raises(UserError, match="All users have the same main value"):
        structures(alike)


def test_a_map_keeps_neighbours_together():
    pytest.importorskip("openTSNE", reason="needs the extra: plots")
    vectors, groups = clouds(number=120, values=3, dim=20)
    places = tsne_map(3 * vectors, perplexity=10.0, seed=4)
    assert places.shape == (120, 2)
    assert places.dtype == np.float32
    distances = np.linalg.norm(places[:, np.newaxis] - places, axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (groups[distances.argmin(axis=1)] == groups).mean() > 0.9
    np.testing.assert_array_equal(places, tsne_map(3 * vectors, perplexity=10.0, seed=4))
    with pytest.raises(UserError, match="four users or more, not 3"):
        tsne_map(vectors[:3])


def test_a_missing_package_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    message = r"pip install 'tf_iclrec\[plots\]'"
    with pytest.raises(UserError, match=message):
        tsne_map(np.eye(5))
    # Before anything is read.
    page = tmp_path / "page.html"
    with pytest.raises(UserError, match=message):
        vectors_command.main([str(tmp_path / "no run"), "--output", str(page)])


def test_the_command_prints_the_figures(finished, by_aisle):
    printed = run_here("vectors", finished, "--by", "aisle", "--json")
    assert printed.returncode == 0, printed.stderr
    first = json.loads(printed.stdout)["finished"]
    # In the model that was read again.
    for kind, one in structures(by_aisle).items():
        assert first[kind] == pytest.approx(dataclasses.asdict(one), abs=1e-4)
    lines = run_here("vectors", finished, "--by", "aisle", "--neighbours", 3).stdout.splitlines()
    assert lines[0] == "finished: 240 users by aisle, of 4 values"
    assert lines[1].split() == ["Silhouette", "by", "chance", "Purity@3"]
    assert lines[2].startswith(f"finished, last state  {first['last']['silhouette']:.4f}")


def test_the_page_has_maps_and_is_replaced_only_when_that_is_asked_for(finished, tmp_path):
    pytest.importorskip("openTSNE", reason="needs the extra: plots")
    page = tmp_path / "vectors.html"
    arguments = ["vectors", finished, "--by", "aisle", "--output", page, "--map-values", "tea, jam"]
    result = run_here(*arguments, "--map-users", 40)
    assert result.returncode == 0, result.stderr
    assert f"Page: {page}" in result.stdout
    text = page.read_text()
    for kind in ("last state", "mean state"):
        assert f"finished: map of 40 users, {kind}" in text
    assert "those of 1, 2 in a color" in text
    assert ">tea</span>" in text
    before = page.read_bytes()
    refused(f"{page} exists. Use --overwrite", *arguments)
    assert page.read_bytes() == before
    nowhere = tmp_path / "no such folder" / "page.html"
    some = ("--by", "aisle", "--map-users", 8, "--output", nowhere)
    refused("No such folder: ", "vectors", finished, *some)
    other = tmp_path / "other.html"
    sand = ("--by", "aisle", "--output", other, "--map-values", "sand")
    refused("No user has 'sand' as main value", "vectors", finished, *sand)
    assert not other.exists()


def test_bad_options_are_refused(finished):
    refused("no attribute or label 'category'", "vectors", finished)
    refused("--neighbours must be at least 1", "vectors", finished, "--neighbours", 0)
