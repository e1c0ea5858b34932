"""What diversity costs: re-ranked lists against the accuracy that is left.

    python benchmarks/diversity.py RUN [RUN ...] [--figure FILE]

Users are asked for their last item, which the run did not see, over the whole catalogue; the lists
of 20 are re-ranked in every way that the model has, with strengths from 0 to 1. Two tables per run:
the points of the curves, and each metric of the lists where a curve has lost so much of NDCG@20,
by linear interpolation. The figure shows the curves.
"""

import argparse
from pathlib import Path

import numpy as np

import tf_iclrec
from tf_iclrec.data.batches import sampled_rows
from tf_iclrec.data.histories import Histories
from tf_iclrec.evaluation.lists.recommended_lists import RecommendedLists
from tf_iclrec.evaluation.lists.registry import metrics_of_lists, values_of_lists
from tf_iclrec.models.item_facts import item_facts
from tf_iclrec.serving.reranking.registry import possible_rerankers

K = 20
STRENGTHS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
LOSSES = (0.01, 0.02, 0.05, 0.1)
SHOWN = ("IntentCalibration", "IntentDiversity", "Diversity", "ProviderDiversity", "Coverage")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser.add_argument("--max-users", type=int, default=5000, help="users drawn, at most")
    parser.add_argument("--figure", type=Path, help="also draw the curves into this PNG file")
    values = parser.parse_args()
    curves = {Path(run).name: curves_of(run, values.max_users) for run in values.runs}
    for name, of_run in curves.items():
        print(f"\n## {name}\n")
        show_points(of_run)
        show_at_equal_accuracy(of_run)
    if values.figure:
        draw(curves, values.figure)


def curves_of(path: str, max_users: int) -> dict[str, list[dict[str, float]]]:
    """By way to diversify the metrics at each strength."""
    run = tf_iclrec.load_run(path)
    recommender = tf_iclrec.BatchRecommender(run.model, run.split)
    held_out = run.split.held_out("test")
    rows = sampled_rows(len(held_out.users), max_users)
    histories, targets = held_out.histories.rows(rows), held_out.target_ids[rows]
    facts = item_facts(run.model, run.split)
    nothing = Histories(np.zeros(0, np.int32), np.zeros(1, np.int64), np.zeros(1, np.int64))
    curves = {}
    for way in possible_rerankers(recommender.ranker, recommender.catalogue):
        curves[way] = []
        for strength in STRENGTHS:
            search = recommender.diversified(recommender.search(), strength, way)
            table = recommender.recommend(rows, histories, K, True, nothing, search)
            ids = recommender.items.encode(table["item_id"].to_numpy()).reshape(-1, K)
            lists = RecommendedLists(ids, histories, facts)
            found = (ids == targets[:, np.newaxis]) @ (1 / np.log2(np.arange(K) + 2))
            metrics = metrics_of_lists(lists, values_of_lists(lists))
            curves[way].append({f"NDCG@{K}": float(found.mean()), **metrics})
    return curves


def show_points(curves: dict[str, list[dict[str, float]]]) -> None:
    names = [f"NDCG@{K}", *shown(curves)]
    print(f"| diversify | strength | {' | '.join(names)} |")
    print("|---|---|" + "---|" * len(names))
    for way, points in curves.items():
        for strength, point in zip(STRENGTHS, points, strict=True):
            cells = " | ".join(f"{point[name]:.4f}" for name in names)
            print(f"| {way} | {strength:g} | {cells} |")


def show_at_equal_accuracy(curves: dict[str, list[dict[str, float]]]) -> None:
    names = shown(curves)
    print(f"\n| NDCG@{K} lost | diversify | {' | '.join(names)} |")
    print("|---|---|" + "---|" * len(names))
    for loss in LOSSES:
        for way, points in curves.items():
            cells = [at_loss(points, name, loss) for name in names]
            print(f"| {loss:.0%} | {way} | {' | '.join(cells)} |")


def at_loss(points: list[dict[str, float]], name: str, loss: float) -> str:
    """A metric where a curve first has lost so much, as text."""
    accuracy = np.array([point[f"NDCG@{K}"] for point in points])
    accuracy = np.minimum.accumulate(accuracy / accuracy[0])
    if accuracy[-1] > 1 - loss:
        return "never so much"
    value = np.interp(loss, 1 - accuracy, [point[name] for point in points])
    return f"{value:.4f}"


def shown(curves: dict[str, list[dict[str, float]]]) -> list[str]:
    """Metrics that the run has."""
    point = next(iter(curves.values()))[0]
    return [f"{name}@{K}" for name in SHOWN if f"{name}@{K}" in point]


def draw(curves: dict[str, dict[str, list[dict[str, float]]]], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    shape = (len(curves), max(len(shown(of_run)) for of_run in curves.values()))
    size = (3.2 * shape[1], 3 * shape[0])
    figure, axes = pyplot.subplots(*shape, figsize=size, squeeze=False, layout="constrained")
    for row, (run, of_run) in zip(axes, curves.items(), strict=True):
        for axis, name in zip(row, shown(of_run), strict=False):
            for way, points in of_run.items():
                across, up = ([point[of] for point in points] for of in (name, f"NDCG@{K}"))
                axis.plot(across, up, marker=".", label=way)
            axis.set(xlabel=name, title=run)
        row[0].set_ylabel(f"NDCG@{K}")
    axes[0, 0].legend()
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    main()
