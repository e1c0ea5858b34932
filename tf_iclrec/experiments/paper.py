"""Figures of a paper, as they are printed there."""

from collections.abc import Sequence

# By data set, label of the row and metric; with its deviation, if the paper has one.
PaperFigures = dict[tuple[str, str, str], str]


def paper_figures(labels: Sequence[str], text: str) -> PaperFigures:
    """The figures of a printed table.

    Args:
        labels: Of the rows of the experiment, in the order of the figures in a line.
        text: A line for each data set and metric: their names, and a figure for each label. A
            hyphen where there is none.

    Raises:
        ValueError: If a line has more or fewer figures.

    Example:
    >>> paper_figures(["BPR", "ICLRec"], "Beauty HR@5 0.0212 0.0493±0.0013")
    {('Beauty', 'BPR', 'HR@5'): '0.0212', ('Beauty', 'ICLRec', 'HR@5'): '0.0493±0.0013'}
    """
    found = {}
    for line in filter(None, map(str.split, text.splitlines())):
        dataset, metric, *figures = line
        for label, figure in zip(labels, figures, strict=True):
            if figure != "-":
                found[dataset, label, metric] = figure
    return found
