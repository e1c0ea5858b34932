"""Metrics of a model on the splits of a log, and how they are shown."""

from collections.abc import Mapping, Sequence

from tf_iclrec.config import Config
from tf_iclrec.data.batches import evaluation_batches
from tf_iclrec.data.interactions import Interactions


def evaluate_splits(
    model, interactions: Interactions, config: Config, splits: Sequence[str] = ("valid", "test")
) -> dict[str, dict[str, float]]:
    """Full-ranking metrics of a recommender.

    Args:
        model: A compiled `Recommender`.
        interactions: The log.
        config: ``max_length`` and ``filter_seen`` are used.
        splits: Which splits to evaluate.

    Returns:
        For each split, metric names such as ``"NDCG@20"`` to values.
    """
    return {
        split: {
            name: float(value)
            for name, value in model.evaluate(
                evaluation_batches(
                    interactions,
                    split,
                    max_length=config.max_length,
                    filter_seen=config.filter_seen,
                ),
                verbose=0,
                return_dict=True,
            ).items()
        }
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
