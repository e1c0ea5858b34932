"""Metrics of a model on the splits of a log, and how they are shown."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import numpy as np
import tensorflow as tf

from tf_iclrec.data.batches import evaluation_batches, sampled_rows
from tf_iclrec.data.splits.split import HeldOutPart, Split
from tf_iclrec.errors import UserError
from tf_iclrec.evaluation.metrics import metrics_of_ranks
from tf_iclrec.evaluation.ranking import rank_and_list
from tf_iclrec.settings import Setting, checked


@checked
def held_out_answers(
    model: Callable[[dict[str, tf.Tensor]], tf.Tensor],
    split: Split,
    part: HeldOutPart,
    k: int = 0,
    filter_seen: Annotated[
        bool, Setting("leave items of a user's own history out of the ranking")
    ] = True,
    evaluation_users: Annotated[
        int, Setting("users whose next item is ranked at most", at_least=1)
    ] = 100_000,
) -> tuple[np.ndarray, np.ndarray]:
    """Rank of each evaluated held-out item in the whole catalogue, and the best items for its
    history.

    Args:
        model: A `Recommender`, or another function from batches to scores.
        split: The log and what is held out.
        part: ``"valid"`` or ``"test"``.
        k: Length of the lists of best items; 0 if none are wanted.
        filter_seen: Whether items of the visible history are left out.
        evaluation_users: Of more held-out items, so many are drawn, always the same ones.

    Returns:
        Ranks ``(n,)`` int32, 1 = best, and lists ``(n, k)`` int32 internal ids, best first, 0 where
        no item is left.

    Raises:
        UserError: If nothing is held out.
        ValueError: If the scores are not ``(batch, items)``.
    """
    if not len(split.held_out(part).users):
        raise UserError(f"Nothing is held out ({part}), so that nothing can be evaluated.")
    num_items = split.interactions.num_items

    def scores_of(batch: dict[str, tf.Tensor]) -> tf.Tensor:
        scores = model(batch)
        if scores.shape.rank != 2 or scores.shape[1] not in (None, num_items):
            raise ValueError(
                f"The scores have the shape {tuple(scores.shape)}, and (batch, {num_items}) is "
                "expected: a column for each of split.interactions.items.ids."
            )
        return scores

    batches = evaluation_batches(
        split,
        part,
        model=model,
        filter_seen=filter_seen,
        max_users=evaluation_users,
    )
    return rank_and_list(scores_of, batches, k)


def held_out_ranks(
    model: Callable[[dict[str, tf.Tensor]], tf.Tensor],
    split: Split,
    part: HeldOutPart,
    **settings: Any,
) -> np.ndarray:
    """Rank of each evaluated held-out item in the whole catalogue.

    Args:
        model: A model of the library, or any function from a batch of `evaluation_batches` to the
            scores of all items ``(batch, items)``; column ``i`` belongs to the internal id
            ``i + 3``, the item ``split.interactions.items.ids[i]``. Of a function's batches the
            sequences have all items.
        split: The log and what is held out.
        part: ``"valid"`` or ``"test"``.
        settings: ``filter_seen=False`` ranks items of a user's own history, too; of more than
            ``evaluation_users``, by default 100,000, so many are drawn, always the same ones.

    Returns:
        ``(n,)`` int32, 1 = best. Their metrics: `metrics_of_ranks`.

    Raises:
        UserError: If nothing is held out.
        ValueError: If the scores have another shape.

    Example: by a fixed order of the items.
    >>> from tf_iclrec import Interactions, leave_one_out
    >>> log = Interactions.from_sequences({"ann": ["tea", "jam", "oil"], "bob": ["oil", "rye"] * 2})
    >>> split = leave_one_out(log)
    >>> split.interactions.items.ids.tolist()
    ['jam', 'oil', 'rye', 'tea']
    >>> def in_order(batch):
    ...     return tf.tile([[4.0, 3.0, 2.0, 1.0]], [tf.size(batch["rows"]), 1])
    >>> held_out_ranks(in_order, split, "test", filter_seen=False).tolist()
    [2, 3]
    """
    return held_out_answers(model, split, part, **settings)[0]


def users_of_ranks(split: Split, part: HeldOutPart, ranks: np.ndarray) -> np.ndarray:
    """Whose the targets are that `held_out_ranks` ranked, ``(n,)`` rows of the log."""
    users = split.held_out(part).users
    return users[sampled_rows(len(users), len(ranks))]


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
        settings: Of `held_out_answers`.

    Returns:
        For each part, metric names such as ``"NDCG@20"`` to values.
    """
    return {
        part: metrics_of_ranks(held_out_ranks(model, split, part, **settings)) for part in parts
    }


def metrics_table(
    rows: Mapping[str, Mapping[str, float]], only: Sequence[str] | None = None
) -> str:
    """Metrics of several models as an aligned text table, a row per model.

    Args:
        rows: Metrics by model. One that a model does not have is a hyphen.
        only: Names of the metrics to show, by default all.

    Example:
    >>> print(metrics_table({"sasrec": {"HR@5": 0.05, "NDCG@20": 0.0483}}))
            HR@5    NDCG@20
    sasrec  0.0500  0.0483
    """
    names = [name for name in _names(rows) if only is None or name in only]
    cells = [[label, *_cells(values, names)] for label, values in rows.items()]
    return aligned([["", *names], *cells])


def groups_table(columns: Mapping[str, Mapping[str, float | str]]) -> str:
    """Metrics of several groups of users as an aligned text table, a column per group; text stays
    as it is.

    Example:
    >>> few, everyone = {"users": 2, "HR@5": 0.5}, {"users": 9, "HR@5": 0.05}
    >>> print(groups_table({"all": everyone, "1 to 4": few}))
           all     1 to 4
    users  9       2
    HR@5   0.0500  0.5000
    """
    names = _names(columns)
    cells = zip(*(_cells(values, names) for values in columns.values()), strict=True)
    rows = [[name, *row] for name, row in zip(names, cells, strict=True)]
    return aligned([["", *columns], *rows])


def noise_table(
    clean: Mapping[str, float], noise: Mapping[str, Mapping[str, Any]], part: HeldOutPart
) -> str:
    """Metrics of ranks under noise as an aligned text table: two columns per share, the second
    how much lower they are.

    Args:
        clean: The metrics without noise.
        noise: By share, as `tf_iclrec.analysis.evaluate_run.evaluate_run` gives it.
        part: ``"valid"`` or ``"test"``.

    Example:
    >>> noise = {"0.1": {"test": {"HR@5": 0.04}, "drop": {"HR@5": 20.0}}}
    >>> print(noise_table({"HR@5": 0.05}, noise, "test"))
          none    0.1     drop
    HR@5  0.0500  0.0400  20.0%
    """
    names = _names({"none": clean})
    columns = [["none", *_cells(clean, names)]]
    for share, report in noise.items():
        drop = report["drop"]
        columns.append([share, *_cells(report[part], names)])
        columns.append(["drop", *(f"{drop[name]:.1f}%" if name in drop else "-" for name in names)])
    return aligned([*zip(["", *names], *columns, strict=True)])


def _names(metrics: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Of all metrics: the number of users, those of ranks in their order, those of lists."""
    order = {"users": -1, "HR": 0, "NDCG": 1, "MRR": 2}
    names = dict.fromkeys(name for values in metrics.values() for name in values)

    def place(name: str) -> tuple[int, int]:
        kind, _, k = name.partition("@")
        return order.get(kind, len(order)), int(k or 0)

    return sorted(names, key=place)


def _cells(values: Mapping[str, float | str], names: Sequence[str]) -> list[str]:
    def cell(name: str) -> str:
        value = values.get(name, "-")
        if isinstance(value, str):
            return value
        return format(value, "d" if name == "users" else ".4f")

    return [cell(name) for name in names]


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells as text, every column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
    return "\n".join(lines)
