"""Several models on one split, with paired tests over users; shared by the comparisons."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import tf_iclrec
from tf_iclrec.data.splits.split import HeldOutPart
from tf_iclrec.evaluation.held_out import held_out_ranks
from tf_iclrec.evaluation.metrics import NDCG
from tf_iclrec.evaluation.significance import paired_t_test


def compare(
    models: Mapping[str, Mapping[str, Any]],
    common: Mapping[str, Any],
    seeds: Sequence[int],
    runs: Path,
    part: HeldOutPart,
    metrics: Sequence[str],
    tested: str,
) -> None:
    """Train every model with every seed and print mean and standard deviation over seeds, and how
    each model compares with the first.

    Args:
        models: Settings by the name of the model; they win over ``common``.
        common: Settings of all.
        seeds: Seeds.
        runs: Folder of the run directories; a run that is there is not repeated, one that was
            interrupted goes on.
        part: Whose targets are ranked.
        metrics: Columns of the table.
        tested: ``NDCG@k``, whose mean over the seeds is compared user by user.
    """
    ranks: dict[str, list[np.ndarray]] = {}
    for seed in seeds:
        for name, settings in models.items():
            path = runs / f"{name.replace(' ', '_')}-{seed}"
            of_seed = _ranks(path, {**common, **settings, "seed": seed}, part)
            ranks.setdefault(name, []).append(of_seed)
            row = tf_iclrec.metrics_of_ranks(of_seed)
            print(f"{name}, seed {seed}: {part} {tested} {row[tested]:.4f}", flush=True)
    _report(ranks, metrics, tested)


def _ranks(path: Path, settings: dict[str, Any], part: HeldOutPart) -> np.ndarray:
    """Ranks of all users' targets under a model, trained unless its run is there."""
    if not (path / "metrics.json").is_file():
        tf_iclrec.fit(tf_iclrec.make_config(**settings), path, resume=(path / "data").is_dir())
    run = tf_iclrec.load_run(path)
    return held_out_ranks(run.model, run.split, part, **run.config.evaluation)


def _report(ranks: dict[str, list[np.ndarray]], metrics: Sequence[str], tested: str) -> None:
    values = {
        name: [tf_iclrec.metrics_of_ranks(seed_ranks) for seed_ranks in of_seeds]
        for name, of_seeds in ranks.items()
    }
    per_user = NDCG(k=int(tested.removeprefix("NDCG@")))
    gains = {
        name: np.mean([np.asarray(per_user.of_users(r)) for r in of_seeds], axis=0)
        for name, of_seeds in ranks.items()
    }
    base = next(iter(ranks))
    print(f"| model | {' | '.join(metrics)} | against {base}, {tested} | p |")
    print("|---|" + "---|" * (len(metrics) + 2))
    for name, of_seeds in values.items():
        cells = []
        for metric in metrics:
            numbers = [row[metric] for row in of_seeds]
            cells.append(
                f"{np.mean(numbers):.4f} ± {np.std(numbers, ddof=min(1, len(numbers) - 1)):.4f}"
            )
        test = paired_t_test(gains[name], gains[base])
        change = test.difference / gains[base].mean()
        print(f"| {name} | {' | '.join(cells)} | {change:+.1%} | {test.p_value:.2g} |")
    print(json.dumps(values))
