import numpy as np
import pytest

from tf_iclrec import (
    Interactions,
    PopularityRecommender,
    Run,
    UserError,
    evaluate_run,
    leave_one_out,
    make_config,
)
from tf_iclrec.evaluation.groups import (
    GROUPINGS,
    MOSTLY_KNOWN,
    MOSTLY_UNKNOWN,
    Grouping,
    length_groups,
    popularity_groups,
    provider_coverage_groups,
)


@pytest.mark.parametrize(
    ("part", "expected"),
    [("test", [True, True, False, True]), ("valid", [True, False, True, True])],
)
def test_by_hand(part, expected):
    # Capitals have a provider.
    sequences = {"all": "ABCD", "half at last": "xyABz", "half at first": "AxyB", "short": "Axy"}
    log = Interactions.from_sequences(sequences)
    log = log.with_item_providers(dict.fromkeys("ABCD", "acme"))
    groups = provider_coverage_groups(leave_one_out(log), part)
    assert list(groups) == [MOSTLY_KNOWN, MOSTLY_UNKNOWN]
    assert groups[MOSTLY_KNOWN].tolist() == expected
    assert groups[MOSTLY_UNKNOWN].tolist() == [not known for known in expected]


@pytest.mark.parametrize(("part", "held_out"), [("valid", 2), ("test", 1)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_agrees_with_counting_on_random_data(seed, part, held_out):
    rng = np.random.default_rng(seed)
    sequences = {
        f"u{user}": [f"i{item}" for item in rng.integers(50, size=length)]
        for user, length in enumerate(rng.integers(3, 12, size=80))
    }
    table = {f"i{item}": "acme" if item < 25 else "" for item in range(40)}
    log = Interactions.from_sequences(sequences).with_item_providers(table)
    expected = []
    for items in sequences.values():
        visible = items[:-held_out]
        known = [item for item in visible if table.get(item)]
        expected.append(2 * len(known) >= len(visible))
    assert 10 < sum(expected) < 70
    groups = provider_coverage_groups(leave_one_out(log), part)
    assert groups[MOSTLY_KNOWN].tolist() == expected


def test_log_without_providers_has_no_groups():
    split = leave_one_out(Interactions.from_sequences({"a": "xyz"}))
    assert provider_coverage_groups(split, "test") == {}


def groups_of(masks):
    """The name of the group of each held-out item; each is in one."""
    assert (np.sum(list(masks.values()), axis=0) == 1).all()
    return [name for at in zip(*masks.values(), strict=True) for name in np.array([*masks])[[*at]]]


def test_lengths_are_those_of_the_visible_history():
    sequences = {f"{length}": ["x"] * length for length in (3, 6, 7, 21, 22, 52, 200)}
    split = leave_one_out(Interactions.from_sequences(sequences))
    assert groups_of(length_groups(split, "test")) == [
        *("1 to 4", "5 to 9", "5 to 9", "20 to 49", "20 to 49", "50 to 99", "100 and more")
    ]
    assert groups_of(length_groups(split, "valid"))[1:3] == ["1 to 4", "5 to 9"]


def test_popularity_counts_training_interactions_of_the_target():
    # Of 15 interactions a third is full with a, two thirds are with b.
    sequences = {"1": "aabcdae", "2": "aabbca", "3": "aaabb", "4": "adccc"}
    split = leave_one_out(Interactions.from_sequences(sequences))
    counts = dict(zip("abcde", split.training_counts.tolist(), strict=True))
    assert counts == {"a": 8, "b": 3, "c": 2, "d": 2, "e": 0}
    assert groups_of(popularity_groups(split, "test")) == ["0", "8 and more", "3 to 7", "1 to 2"]
    assert list(popularity_groups(split, "test")) == ["0", "1 to 2", "3 to 7", "8 and more"]


def test_items_that_are_all_as_popular_are_one_group():
    split = leave_one_out(Interactions.from_sequences({"1": "abyx", "2": "abxy"}))
    assert list(popularity_groups(split, "test")) == ["0", "1", "2 and more"]


@pytest.mark.parametrize("name", GROUPINGS)
@pytest.mark.parametrize("part", ["valid", "test"])
def test_every_held_out_item_is_in_one_group(name, part):
    rng = np.random.default_rng(5)
    sequences = {
        f"u{user}": [f"i{item}" for item in rng.zipf(1.5, length) % 30]
        for user, length in enumerate(rng.integers(3, 60, size=50))
    }
    log = Interactions.from_sequences(sequences).with_item_providers({"i1": "acme"})
    masks = GROUPINGS[name].masks(leave_one_out(log), part)
    assert len(groups_of(masks)) == 50


@pytest.mark.parametrize("mask", [[1, 0], [True], [[True, False]]])
def test_what_is_no_mask_is_refused(mask):
    """Numbers would be taken for rows: the first user's figures twice, as those of a group."""
    split = leave_one_out(Interactions.from_sequences({"ann": "abc", "bob": "cab"}))
    run = Run(PopularityRecommender([1, 2, 3]), split, make_config("transitions"), metrics={})
    own = {"mine": Grouping("mine", lambda split, part: {"some": np.array(mask)})}
    with pytest.raises(UserError, match=r"group 'some' of 'mine' is .*bool of the shape \(2,\)"):
        evaluate_run(run, groupings=own)
