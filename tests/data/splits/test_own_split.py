"""A way of splitting of one's own, by its name."""

import dataclasses
import functools

import numpy as np
import pytest

from tf_iclrec import Interactions, UserError, by_time, fit, leave_one_out, make_config
from tf_iclrec.data.splits.registry import SPLITS

LOG = Interactions.from_sequences({f"u{user}": list("abcdefgh") for user in range(20)})


@pytest.fixture
def trained(monkeypatch, tmp_path, not_exported, not_compared):
    """A function that trains on the split that a function makes of leave-one-out's."""

    def train(change):
        monkeypatch.setitem(SPLITS, "mine", lambda log: change(leave_one_out(log)))
        return fit(make_config("transitions", split="mine"), tmp_path / "run", interactions=LOG)

    yield train
    assert not (tmp_path / "run").exists() or (tmp_path / "run" / "metrics.json").exists()


def test_it_is_trained_and_tested_on_as_it_says(trained):
    def every_second(split):
        def rows(part):
            kept = part.users[::2]
            return dataclasses.replace(
                part,
                users=kept,
                histories=part.histories.rows(kept),
                target_ids=part.target_ids[kept],
            )

        return dataclasses.replace(split, valid=rows(split.valid), test=rows(split.test))

    run = trained(every_second)
    assert len(run.split.test.users) == 10
    assert run.split.summary().startswith("Split: each user's last item")
    assert run.metrics["test"]["HR@5"] == 1.0


def longer_training(split):
    return dataclasses.replace(split, train=split.test.histories)


def one_target_less(split):
    test = dataclasses.replace(split.test, target_ids=split.test.target_ids[1:])
    return dataclasses.replace(split, test=test)


def one_user_less(split):
    return dataclasses.replace(split, train=split.train.rows(np.arange(19)))


def parts_of_others(split):
    train = split.train
    return dataclasses.replace(
        split, train=dataclasses.replace(train, starts=train.starts[::-1], ends=train.ends[::-1])
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (parts_of_others, r"trains users on what others did: a training part lies within the user"),
        (longer_training, r"trains on what comes after histories of valid, and so on what is ask"),
        (one_target_less, r"has 20 users, 20 histories and 19 targets in test: each target has"),
        (one_user_less, r"has 19 training parts for 20 users: each has one, which may be empty"),
    ],
)
def test_one_that_can_not_be_trusted_is_refused(change, message, trained):
    with pytest.raises(UserError, match=message):
        trained(change)


@pytest.mark.parametrize("shift", [1, -1])
def test_a_history_is_the_users_own(trained, shift):
    """That of the user after would be read for this one's, with figures of no meaning."""

    def of_others(split):
        histories = split.test.histories.rows(np.roll(np.arange(len(split.test.users)), shift))
        return dataclasses.replace(
            split, test=dataclasses.replace(split.test, histories=histories), how="shifted"
        )

    with pytest.raises(UserError, match=r"shifted\) asks for .* by what others did, in test"):
        trained(of_others)


def test_nor_of_the_user_after(trained):
    def of_the_next(split):
        users = split.test.users[:-1]
        test = dataclasses.replace(
            split.test,
            users=users,
            histories=split.test.histories.rows(users + 1),
            target_ids=split.test.target_ids[:-1],
        )
        return dataclasses.replace(split, test=test, how="next")

    with pytest.raises(UserError, match=r"next\) asks for .* by what others did, in test"):
        trained(of_the_next)


def test_one_of_the_librarys_with_a_setting_given(monkeypatch):
    monkeypatch.setitem(SPLITS, "late", functools.partial(by_time, at="0.3"))
    assert make_config("transitions", split="late").split.at == "0.3"
    assert make_config("transitions", split="late:0.4").split.at == "0.4"
