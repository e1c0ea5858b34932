"""What a model is for and where it ends, said with the figures of its run (Mitchell et al., Model
Cards for Model Reporting, FAT* 2019, Sec. 4)."""

from __future__ import annotations

from collections.abc import Iterator

from tf_iclrec.evaluation.metrics import MAIN_METRIC
from tf_iclrec.reports.figures.held_out import HeldOutFigures
from tf_iclrec.reports.figures.popularity import Popularity
from tf_iclrec.reports.markup import element
from tf_iclrec.reports.numbers import Share, readable
from tf_iclrec.reports.page import Section, section
from tf_iclrec.reports.run_sections.reported_run import ReportedRun

_SHORT = 5
_OLD = 30


def model_card_section(reported: ReportedRun) -> Section:
    """Use, data, metrics, groups and limits, some sentences each."""
    parts = {
        "Intended use": _use(reported),
        "What it reads": _reading(reported),
        "Training and test": _evaluation(reported),
        "Limits": _limits(reported),
    }
    cards = [
        element(
            "article",
            element("h3", title),
            element("ul", [element("li", sentence) for sentence in sentences]),
            class_="card",
        )
        for title, sentences in parts.items()
    ]
    return section("Model card", cards)


def _use(reported: ReportedRun) -> Iterator[str]:
    run = reported.run
    yield (
        f"It ranks the {run.interactions.num_items:,} items of this log by what a user is likely "
        "to take next, for lists of recommendations that people choose from."
    )
    yield (
        "Users whom it was not trained on are answered from their histories"
        f"{' alone, for want of a vector of their own' * ('users' in run.model.reads)}. Without a "
        "single known item they get the most popular ones."
    )
    yield (
        "It is not made to judge people, nor to forecast demand: a score orders items for one user "
        "and is no probability."
    )


def _reading(reported: ReportedRun) -> Iterator[str]:
    model, log = reported.run.model, reported.run.interactions
    also = [name for name in ("providers", "attributes") if name in model.reads]
    most = f"the last {model.max_length}" if model.max_length else "all"
    with_them = "".join(f", with their {name}" for name in also)
    yield f"It reads {most} items of a history in their order{with_them}."
    unread = {
        "how much time lies between interactions": log.times is not None,
        "ratings": log.ratings is not None,
        "the providers of items": log.providers is not None and "providers" not in model.reads,
        f"the attributes {', '.join(log.attributes)}": log.attributes
        and "attributes" not in model.reads,
        f"the labels {', '.join(log.labels)}": log.labels,
    }
    for name in (name for name, known in unread.items() if known):
        yield f"It does not read {name}, which the log has."
    yield "It knows nothing of who users are, of prices, stock, season or what was shown to them."


def _evaluation(reported: ReportedRun) -> Iterator[str]:
    split, config = reported.run.split, reported.run.config
    yield (
        f"{reported.source}, split {split.how}: {split.num_trained:,} users trained on, "
        f"{len(split.test.users):,} test targets."
    )
    own = "left out of" if config.evaluation.filter_seen else "kept in"
    yield (
        "HR, NDCG and MRR at 5, 10 and 20: the whole catalogue is ranked, ties count against the "
        f"model, and the items of a user's own history are {own} the ranking."
    )
    yield (
        "The test asks for what users took by themselves. What they would have taken had they seen "
        "these lists can only be told by an experiment with them."
    )
    if config.final.refit:
        yield (
            "All figures are of the model that was trained without the test; the one that is "
            "served was trained again, on everything."
        )
    seed = config.training.seed if "training" in config else None
    if seed is not None:
        yield (
            f"One training with seed {seed}. Another seed ends elsewhere, which intervals over "
            "users don't show."
        )


def _limits(reported: ReportedRun) -> Iterator[str]:
    split, metrics = reported.run.split, reported.run.metrics
    lengths, held_out = split.test.histories.lengths, HeldOutFigures.of(split)
    number = max(held_out.number, 1)
    for name, yardstick in metrics.get("yardsticks", {}).items():
        own, other = metrics["test"][MAIN_METRIC], yardstick["test"][MAIN_METRIC]
        if name != "popularity" and own < other * 1.05:
            yield (
                f"{name}, which takes seconds to train, has a test {MAIN_METRIC} of {other:.4f} "
                f"against {own:.4f}: on this log it is about as good or better."
            )
    short = int((lengths < _SHORT).sum())
    yield (
        f"Before {short:,} of {held_out.number:,} test targets ({_share(short / number)}) there "
        f"are fewer than {_SHORT} interactions to go by."
    )
    cold = int((split.training_counts == 0).sum())
    if cold:
        yield (
            f"{cold:,} items ({_share(cold / len(split.training_counts))}) were never trained on: "
            "where they are recommended it is by chance. Of the test targets "
            f"{held_out.untrained:,} ({_share(held_out.untrained / number)}) are such items."
        )
    if held_out.seen and reported.run.config.evaluation.filter_seen:
        yield (
            f"{held_out.seen:,} test targets ({_share(held_out.seen / number)}) are items that the "
            "user had before, which the ranking leaves out: they count as not found."
        )
    popularity, lists = Popularity(split.training_counts), metrics.get("lists", {})
    yield (
        f"The most popular 1% of the items have {_share(popularity.share_of_top(0.01))} of the "
        "interactions it learnt from."
    )
    if {"Coverage@20", "Gini@20"} <= lists.keys():
        own, learnt = lists["Gini@20"], popularity.gini
        yield (
            f"The lists of all test users together show {_share(lists['Coverage@20'])} of the "
            f"catalogue, {'more' if own > learnt else 'less'} unequally than it was taken: the "
            f"Gini index of the lists is {own:.2f}, that of the training interactions {learnt:.2f}."
        )
    if reported.days:
        age = (reported.trained - reported.days[1]).days
        if age > _OLD:
            yield (
                f"The log ends {age:,} days before the training: tastes, seasons and the catalogue "
                "may have changed."
            )


def _share(value: float) -> str:
    return readable(Share(value))
