"""Who gets recommendations from a run, and whether what they had is among them."""

import pandas as pd
import pytest
import tensorflow as tf

from tf_iclrec import Interactions, fit, load_run, make_config, recommend
from tf_iclrec.data.synthetic import planted_intents
from tf_iclrec.explorer.explorer import Explorer

from ..command_line import run_here

# Too few items to be split: of one of them the model knows none.
FEW = {"ann": ["3", "7"], "bob": ["rare"]}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A run that was evaluated with what users had before among the items."""
    folder = tmp_path_factory.mktemp("run") / "run"
    log, _ = planted_intents(num_users=40, num_items=20, num_intents=2)
    parts = zip(log.users, log.offsets[:-1], log.offsets[1:], strict=True)
    items = log.items.decode(log.item_ids)
    sequences = {user: items[start:end].tolist() for user, start, end in parts}
    log = Interactions.from_sequences(sequences | FEW)
    fit(make_config("transitions", filter_seen=False), folder, interactions=log)
    return folder


def test_users_with_too_few_items_get_lists_by_what_they_had(path):
    found = recommend(path, user_ids=["ann", "bob"], k=3, on_unknown="raise")
    of_ann = found[found["user_id"] == "ann"]
    expected = recommend(path, [FEW["ann"]], k=3)
    assert of_ann["item_id"].tolist() == expected["item_id"].tolist()
    assert not of_ann["from_popularity"].any()
    assert found[found["user_id"] == "bob"]["from_popularity"].all()
    without = recommend(path, user_ids=["ann"], k=20, filter_seen=False)
    assert set(FEW["ann"]) <= set(without["item_id"])
    without = recommend(path, user_ids=["ann"], k=20, filter_seen=True)
    assert not set(FEW["ann"]) & set(without["item_id"])


def test_all_users_of_the_log_are_in_the_file_and_in_the_explorer(path, tmp_path):
    result = run_here("recommend", path, "--output", tmp_path / "recs.parquet", "--k", 2)
    assert result.returncode == 0, result.stderr
    users = set(pd.read_parquet(tmp_path / "recs.parquet")["user_id"])
    assert {"ann", "bob"} <= users
    assert len(users) == 42
    explorer = Explorer(load_run(path))
    assert (explorer.facts()["users"], explorer.facts()["seen"]) == (42, True)
    assert explorer.find_users("ann") == [{"id": "ann", "count": 2}]
    assert explorer.find_users("bob") == [{"id": "bob", "count": 0}]


def test_what_is_served_is_what_was_evaluated(path, tmp_path):
    """With items of the history, as the run was; unless a request says otherwise."""
    history = ["3", "7", "3"]
    kept = recommend(path, [history], k=20)["item_id"].tolist()
    assert kept == recommend(path, [history], k=20, filter_seen=False)["item_id"].tolist()
    assert set(history) <= set(kept)
    for option, expected in (([], True), (["--no-keep-seen"], False), (["--keep-seen"], True)):
        output = tmp_path / f"{''.join(option)}.parquet"
        result = run_here("recommend", path, "--output", output, "--k", 20, *option)
        assert result.returncode == 0, result.stderr
        found = pd.read_parquet(output)
        assert ({*FEW["ann"]} <= {*found[found["user_id"] == "ann"]["item_id"]}) is expected
    result = run_here("export", path, "--output", tmp_path / "shop")
    assert result.returncode == 0, result.stderr
    for folder in (path / "saved_model" / "1", tmp_path / "shop" / "1"):
        serve = tf.saved_model.load(str(folder)).signatures["serving_default"]
        served = serve(history=tf.constant([history]))["item_ids"].numpy()[0]
        assert [item.decode() for item in served if item] == kept


@pytest.mark.usefixtures("not_exported", "not_compared")
def test_an_export_answers_as_many_as_the_run_was_trained_with(tmp_path):
    log, _ = planted_intents(num_users=20, num_items=15, num_intents=2)
    fit(make_config("transitions", k=3, max_k=4), tmp_path / "run", interactions=log)
    for options, (k, most) in (([], (3, 4)), (["--k", 2, "--max-k", 6], (2, 6))):
        arguments = ["export", tmp_path / "run", "--output", tmp_path / "shop", *options]
        folder = run_here(*arguments).stdout.split()[1]
        loaded = tf.saved_model.load(folder)
        answer = loaded.signatures["serving_default"](history=tf.constant([["1"]]))
        assert answer["item_ids"].shape[1] == k
        assert len(recommend(folder, [["1"]], k=most)) == most
        with pytest.raises(Exception, match=f"k must be from 1 to {most}"):
            recommend(folder, [["1"]], k=most + 1)
    result = run_here(*arguments[:4], "--k", 5)
    assert (result.returncode, result.stderr) == (
        2,
        "error: --k must be from 1 to --max-k (4), not 5.\n",
    )
