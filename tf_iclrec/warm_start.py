"""From a run to the first weights of another training."""

import numpy as np

from tf_iclrec.config import Config
from tf_iclrec.data.splits.split import Split
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, Vocabulary
from tf_iclrec.errors import UserError
from tf_iclrec.models.recommender import Recommender
from tf_iclrec.runs import load_run
from tf_iclrec.training.take_over import take_over

# Sections that say nothing of a model's weights.
_FREE = {"data", "split", "trained_on", "scores", "views", "initialization", "pretraining"}
_FREE |= {"warm_start", "training", "replicas", "evaluation", "final", "serving"}


def start_from_run(model: Recommender, split: Split, config: Config) -> None:
    """Let a new model start from the run that its configuration names: the model to be evaluated
    from the one that was, the model to be served from the one that is.

    Args:
        model: A new, built model.
        split: What it is trained on.
        config: Its settings.

    Raises:
        UserError: If there is no such run, it has another model, or knows none of the items.
    """
    path, is_evaluated = config.warm_start.init_from, len(split.test.users) > 0
    run = load_run(path, for_serving=not is_evaluated)
    if not set(split.interactions.items.ids) & set(run.interactions.items.ids):
        raise UserError(f"{path} can't be started from: it knows none of the items of the data.")
    try:
        take_over(model, split, run.model, run.split, path)
    except ValueError as error:
        other = " and ".join(_differences(run.config, config)) or "providers or attributes"
        raise UserError(
            f"{path} can't be started from: it has another {other}. A warm start goes on with the "
            "same model."
        ) from error
    known = _trained_before(split, run.split) if is_evaluated else 0
    if known:
        print(
            f"Of {len(split.test.users)} test targets {known} are items that {path} was trained on "
            "with the same users: the figures are too high. Split later than it was.",
            flush=True,
        )


def _trained_before(split: Split, before: Split) -> int:
    """How many test targets an earlier training had, as pairs of user and item: more often than
    the target's own history has them, since what is bought again is no secret."""
    log, items, test = before.interactions, before.interactions.items, split.test
    pairs, counts = np.unique(
        before.train.owners * items.size + before.train.joined().item_ids, return_counts=True
    )
    rows = Vocabulary(log.users).encode(split.interactions.users[test.users]) - NUM_SPECIAL_IDS
    raw_items = split.interactions.items.decode(test.target_ids)
    asked = rows.astype(np.int64) * items.size + items.encode(raw_items)
    known = np.flatnonzero((rows >= 0) & np.isin(asked, pairs))
    trained = counts[np.searchsorted(pairs, asked[known])]
    histories = test.histories.rows(known)
    again = histories.joined().item_ids == test.target_ids[known][histories.owners]
    had = np.bincount(histories.owners[again], minlength=len(known))
    return int((trained > had).sum())


def _differences(before: Config, now: Config) -> list[str]:
    """The model and the options that make other weights, where they are not the same."""
    then, here = (
        {"model": one.model} | one.options(*sorted(set(one) - _FREE)) for one in (before, now)
    )
    return [
        f"{option} ({then[option]}, not {value})"
        for option, value in here.items()
        if then.get(option, value) != value
    ]
