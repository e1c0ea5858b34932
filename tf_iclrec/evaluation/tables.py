"""Metrics as text tables."""

from collections.abc import Mapping, Sequence
from typing import Any

from tf_iclrec.data.splits.split import HeldOutPart


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
