"""Metrics of a model on the splits of a log, and how they are shown."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import numpy as np
import tensorflow as tf

from tf_iclrec.data.batches import evaluation_batches
from tf_iclrec.data.splits.split import HeldOutPart, Split
from tf_iclrec.evaluation.metrics import metrics_of_ranks
from tf_iclrec.evaluation.ranking import rank_users
from tf_iclrec.settings import Setting


def held_out_ranks(
    model: Callable[[dict[str, tf.Tensor]], tf.Tensor],
    split: Split,
    part: HeldOutPart,
    filter_seen: Annotated[
        bool, Setting("leave items of a user's own history out of the ranking")
    ] = True,
    evaluation_users: Annotated[
        int, Setting("users whose next item is ranked at most", at_least=1)
    ] = 100_000,
) -> np.ndarray:
    """Rank of each evaluated held-out item in the whole catalogue.

    Args:
        model: A `Recommender`.
        split: The log and what is held out.
        part: ``"valid"`` or ``"test"``.
        filter_seen: Whether items of the visible history are left out.
        evaluation_users: Of more held-out items, so many are drawn, always the same ones.

    Returns:
        ``(n,)`` int32, 1 = best.
    """
    batches = evaluation_batches(
        split,
        part,
        max_length=model.max_length,
        filter_seen=filter_seen,
        max_users=evaluation_users,
    )
    return rank_users(model, batches)


def evaluate_held_out(
    model: Callable[[dict[str, tf.Tensor]], tf.Tensor],
    split: Split,
    parts: Sequence[HeldOutPart] = ("valid", "test"),
    **settings: Any,
) -> dict[str, dict[str, float]]:
    """Full-ranking metrics of a recommender.

    Args:
        model: A `Recommender`.
        split: The log and what is held out.
        parts: What to evaluate.
        settings: Of `held_out_ranks`.

    Returns:
        For each part, metric names such as ``"NDCG@20"`` to values.
    """
    return {
        part: metrics_of_ranks(held_out_ranks(model, split, part, **settings)) for part in parts
    }


def metrics_table(rows: Mapping[str, Mapping[str, float]]) -> str:
    """Metrics of several models as an aligned text table.

    Example:
    >>> print(metrics_table({"sasrec": {"HR@5": 0.05, "NDCG@20": 0.0483}}))
            HR@5   NDCG@20
    sasrec  0.0500  0.0483
    """
    names = _by_metric_and_cutoff(next(iter(rows.values())))
    width = max(map(len, rows))
    header = " " * width + "".join(f"  {name:<{max(6, len(name))}}" for name in names)
    lines = [
        f"{label:<{width}}" + "".join(f"  {values[name]:<{max(6, len(name))}.4f}" for name in names)
        for label, values in rows.items()
    ]
    return "\n".join(line.rstrip() for line in (header, *lines))


def _by_metric_and_cutoff(names):
    order = {"HR": 0, "NDCG": 1, "MRR": 2}
    return sorted(names, key=lambda name: (order[name.split("@")[0]], int(name.split("@")[1])))
