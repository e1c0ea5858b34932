"""Which rows and weights a new model takes from an older one."""

import dataclasses

import numpy as np
import pytest

from tf_iclrec import Interactions, build_model, make_config
from tf_iclrec.data.histories import Histories
from tf_iclrec.data.splits.everything import everything
from tf_iclrec.training.take_over import take_over

OLD = {f"u{user}": [f"i{(user + step) % 9}" for step in range(5)] for user in range(8)}
# Without the users u0 and u1, and so without an item; with others.
NEW = {user: items for user, items in OLD.items() if user not in ("u0", "u1")}
NEW |= {"a": ["i7", "new", "i8", "i5"], "y": ["other"], "z": ["i6", "new"]}

TINY = {"num_members": 2, "hidden_dim": 8, "max_length": 5, "num_intents": (3,)}


def log_of(sequences):
    log = Interactions.from_sequences(sequences)
    brands = {item: f"b{number % 4}" for number, item in enumerate(log.items.ids)}
    brands |= {"new": "b1", "other": "fresh"}
    log = log.with_item_providers(brands)
    kinds = {item: ("odd" if item in ("i1", "i3", "new") else "even") for item in log.items.ids}
    return log.with_item_attribute("kind", kinds | {"other": "strange"})


def scrambled(model, seed=1):
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        if weight.dtype == "float32":
            weight.assign(rng.normal(size=weight.shape))


def tiny(name):
    """Those of the settings that a model reads."""
    return {key: value for key, value in TINY.items() if key in make_config(name).options()}


def pair(name, settings, split=everything):
    old, new = log_of(OLD), log_of(NEW)
    before = split(old)
    config = make_config(model=name, **settings)
    known = build_model(config, before.catalogue)
    scrambled(known)
    return known, before, build_model(config, new.catalogue), new


def check_rows(new_rows, fresh, old_rows, new_names, old_names, special, trained=None, met=None):
    """Each row by its raw id; a new one is its random row, as far away as the known ones are, plus
    the mean of those that it met, each as often, or else of all that are known."""
    usable = [name for name in old_names if trained is None or name in trained]
    row_of = {name: old_rows[special + old_names.index(name)] for name in usable}
    known = {name: row_of[name] for name in new_names if name in row_of}
    strange = [special + row for row, name in enumerate(new_names) if name not in row_of]
    spread = np.std(list(known.values())) / np.std(fresh[strange]) if strange else None
    np.testing.assert_array_equal(new_rows[:special], old_rows[:special])
    for number, name in enumerate(new_names):
        weights = {} if met is None else {k: w for k, w in met.get(name, {}).items() if k in known}
        if name in known:
            expected = known[name]
        elif weights:
            mean = sum(w * known[k] for k, w in weights.items()) / sum(weights.values())
            expected = fresh[special + number] + mean
        else:
            expected = spread * fresh[special + number] + np.mean(list(known.values()), axis=0)
        np.testing.assert_allclose(new_rows[special + number], expected, rtol=1e-4, atol=1e-5)


def meetings_in(sequences):
    """How often each item met each other, at most three steps apart, one over the distance."""
    met = {}
    for items in sequences.values():
        for first in range(len(items)):
            for second in range(len(items)):
                distance = abs(first - second)
                if 1 <= distance <= 3:
                    of_item = met.setdefault(items[first], {})
                    of_item[items[second]] = of_item.get(items[second], 0) + 1 / distance
    return met


@pytest.mark.parametrize("name", ["iclrec", "bert4rec", "dssrec"])
def test_items_are_found_by_their_raw_ids_and_all_else_is_the_same(name, capsys):
    known, before, model, log = pair(name, tiny(name))
    fresh = [one.item_embedding.embeddings.numpy() for one in model.members()]
    take_over(model, everything(log), known, before, "runs/old")
    assert capsys.readouterr().out == (
        "Warm start from runs/old: 9 of 11 items are known, 2 are new, 0 of its items are gone.\n"
    )
    for number, (one, other) in enumerate(zip(model.members(), known.members(), strict=True)):
        check_rows(
            one.item_embedding.embeddings.numpy(),
            fresh[number],
            other.item_embedding.embeddings.numpy(),
            log.items.ids.tolist(),
            before.interactions.items.ids.tolist(),
            3,
            met=meetings_in(NEW),
        )
    tables = {id(one.item_embedding.embeddings) for one in model.members()}
    others = [
        (weight, old)
        for weight, old in zip(model.weights, known.weights, strict=True)
        if id(weight) not in tables and weight.dtype == "float32"
    ]
    assert others
    for weight, old in others:
        np.testing.assert_array_equal(weight, old)


def test_a_history_of_known_items_is_scored_as_before():
    known, before, model, log = pair("iclrec", tiny("iclrec"))
    take_over(model, everything(log), known, before, "runs/old")
    raw = ["i3", "i5", "i8"]
    scores = [
        one({"item_ids": items.encode(raw)[None]}).numpy()[0, items.encode(["i2", "i7"]) - 3]
        for one, items in ((model, log.items), (known, before.interactions.items))
    ]
    np.testing.assert_allclose(*scores, rtol=1e-5)
    assert float(model.intents.fitted) == float(known.intents.fitted)
    np.testing.assert_array_equal(model.intents.centroids[0], known.intents.centroids[0])


def test_providers_and_attributes_are_found_by_their_values():
    known, before, model, log = pair("iclrec_provider_sum", tiny("iclrec"))
    fresh = [
        [one.embeddings.numpy() for one in member.value_embeddings] for member in model.members()
    ]
    take_over(model, everything(log), known, before, "runs/old")
    for number, (one, other) in enumerate(zip(model.members(), known.members(), strict=True)):
        vocabularies = [
            [of.providers.vocabulary.ids.tolist(), of.attributes["kind"].vocabulary.ids.tolist()]
            for of in (log, before.interactions)
        ]
        for table in (0, 1):
            check_rows(
                one.value_embeddings[table].embeddings.numpy(),
                fresh[number][table],
                other.value_embeddings[table].embeddings.numpy(),
                vocabularies[0][table],
                vocabularies[1][table],
                3,
            )
        # The tables of which item has which are those of the new log.
        np.testing.assert_array_equal(one.embedding.item_providers, log.providers.of_items)


def test_vectors_that_learn_at_another_rate_are_the_same_vectors():
    settings = tiny("provider_sum")
    known, before, _, log = pair("provider_sum", settings)
    config = make_config("provider_sum", value_learning_rate=5.0, **settings)
    model = build_model(config, log.catalogue)
    take_over(model, everything(log), known, before, "runs/old")
    ids = log.providers.vocabulary.encode(["b1"])
    old = before.interactions.providers.vocabulary.encode(["b1"])
    np.testing.assert_allclose(
        model.members()[0].value_embeddings[0].vectors(ids),
        known.members()[0].value_embeddings[0].vectors(old),
        rtol=1e-5,
    )


def test_categories_as_intents_are_found_by_their_values():
    known, before, model, log = pair("iclrec_categories", {"hidden_dim": 8})
    fresh = model.objective_layers[0].embedding.embeddings.numpy()
    take_over(model, everything(log), known, before, "runs/old")
    check_rows(
        model.objective_layers[0].embedding.embeddings.numpy(),
        fresh,
        known.objective_layers[0].embedding.embeddings.numpy(),
        log.attributes["kind"].vocabulary.ids.tolist(),
        before.interactions.attributes["kind"].vocabulary.ids.tolist(),
        1,
    )


@pytest.mark.parametrize("name", ["bpr_mf", "caser"])
def test_users_are_found_by_their_raw_ids(name):
    known, before, model, log = pair(name, tiny(name))
    fresh = model.members()[0].user_embedding.embeddings.numpy()
    take_over(model, everything(log), known, before, "runs/old")
    check_rows(
        model.members()[0].user_embedding.embeddings.numpy(),
        fresh,
        known.members()[0].user_embedding.embeddings.numpy(),
        log.users.tolist(),
        before.interactions.users.tolist(),
        0,
    )


def test_items_that_were_never_trained_on_are_new(capsys):
    def firsts(log):
        split = everything(log)
        starts = split.train.starts
        return dataclasses.replace(split, train=Histories(log.item_ids, starts, starts + 1))

    known, before, model, log = pair("sasrec", {"hidden_dim": 8}, firsts)
    ids = before.interactions.items.ids
    trained = set(ids[before.training_counts > 0])
    assert len(trained) < len(ids)
    fresh = model.encoder.item_embedding.embeddings.numpy()
    take_over(model, everything(log), known, before, "runs/old")
    assert f"{len(trained & set(log.items.ids))} of 11 items are known" in capsys.readouterr().out
    check_rows(
        model.encoder.item_embedding.embeddings.numpy(),
        fresh,
        known.encoder.item_embedding.embeddings.numpy(),
        log.items.ids.tolist(),
        ids.tolist(),
        3,
        trained,
        meetings_in(NEW),
    )


@pytest.mark.parametrize(
    "other", [{"hidden_dim": 16}, {"num_members": 1}, {"num_intents": (4,)}, {"num_blocks": 1}]
)
def test_other_weights_are_refused(other):
    settings = tiny("iclrec")
    known, before, _, log = pair("iclrec", settings)
    model = build_model(make_config("iclrec", **settings | other), log.catalogue)
    with pytest.raises(ValueError, match="different weights"):
        take_over(model, everything(log), known, before, "runs/old")


def test_users_who_were_never_trained_on_are_new():
    def of_all_but_two(log):
        split = everything(log)
        ends = split.train.ends.copy()
        ends[[3, 4]] = split.train.starts[[3, 4]]
        return dataclasses.replace(split, train=dataclasses.replace(split.train, ends=ends))

    known, before, model, log = pair("bpr_mf", tiny("bpr_mf"), of_all_but_two)
    fresh = model.members()[0].user_embedding.embeddings.numpy()
    take_over(model, everything(log), known, before, "runs/old")
    users = before.interactions.users.tolist()
    assert {"u3", "u4"} <= set(log.users)
    check_rows(
        model.members()[0].user_embedding.embeddings.numpy(),
        fresh,
        known.members()[0].user_embedding.embeddings.numpy(),
        log.users.tolist(),
        users,
        0,
        trained=set(np.delete(users, [3, 4])),
    )
