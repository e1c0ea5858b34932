"""Metrics of a model on the splits of a log, and how they are shown."""

from collections.abc import Mapping, Sequence

import numpy as np

from tf_iclrec.config import Config
from tf_iclrec.data.batches import evaluation_batches
from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.splits import Split
from tf_iclrec.evaluation.metrics import metrics_of_ranks
from tf_iclrec.evaluation.ranking import rank_users


def ranks_in_split(model, interactions: Interactions, config: Config, split: Split) -> np.ndarray:
    """Rank of each evaluated user's target, ``(users,)`` int32 in the order of the log.

    Args:
        model: A `Recommender`.
        interactions: The log.
        config: ``max_length``, ``filter_seen`` and ``evaluation_users`` are used.
        split: ``"valid"`` or ``"test"``.
    """
    batches = evaluation_batches(
        interactions,
        split,
        max_length=config.max_length,
        filter_seen=config.filter_seen,
        max_users=config.evaluation_users,
    )
    return rank_users(model, batches)


def evaluate_splits(
    model, interactions: Interactions, config: Config, splits: Sequence[Split] = ("valid", "test")
) -> dict[str, dict[str, float]]:
    """Full-ranking metrics of a recommender.

    Args:
        model: A `Recommender`.
        interactions: The log.
        config: ``max_length``, ``filter_seen`` and ``evaluation_users`` are used.
        splits: Which splits to evaluate.

    Returns:
        For each split, metric names such as ``"NDCG@20"`` to values.
    """
    return {
        split: metrics_of_ranks(ranks_in_split(model, interactions, config, split))
        for split in splits
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
