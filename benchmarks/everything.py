"""What the last interactions of each user are worth to the model that is served.

    python benchmarks/everything.py --cut DATE --runs DIR [--data SOURCE] [--seeds 0 1 2]

Two models of the log before a date: one trained without each user's last two interactions, as
leave-one-out needs it to choose the number of epochs, and the one that ``--refit`` then trains on
everything. Both are one encoder of width 128 and rank what users took after the date. A run that is
there is not repeated.
"""

import argparse
from pathlib import Path

import numpy as np

import tf_iclrec
from tf_iclrec.data.prepared import write_prepared
from tf_iclrec.data.splits.time import by_time
from tf_iclrec.data.times import format_time, parse_time
from tf_iclrec.evaluation.held_out import held_out_ranks
from tf_iclrec.evaluation.metrics import NDCG, HitRate
from tf_iclrec.runs import load_run

METRICS = (HitRate(5), HitRate(20), NDCG(5), NDCG(20))
_DAY = 24 * 60 * 60 * 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="completejourney")
    parser.add_argument("--cut", required=True, help="date from which it is ranked")
    parser.add_argument("--runs", type=Path, required=True, help="folder of the run directories")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--num-intents", type=int, default=256)
    values = parser.parse_args()

    log = tf_iclrec.load_interactions(values.data)
    before = log.select(np.asarray(log.times) < parse_time(values.cut))
    # Users who can be split, so that both models know the same items.
    before = tf_iclrec.leave_one_out(before).interactions
    name = f"everything-{Path(values.data).stem}-{values.cut}"
    write_prepared(before, values.runs / f"{name}-data")
    runs = [values.runs / f"{name}-{seed}" for seed in values.seeds]
    for seed, run in zip(values.seeds, runs, strict=True):
        if (run / "metrics.json").is_file():
            continue
        config = tf_iclrec.make_config(
            data=str(values.runs / f"{name}-data"),
            hidden_dim=128,
            epochs=values.epochs,
            num_intents=(values.num_intents,),
            seed=seed,
            refit=True,
        )
        tf_iclrec.fit(config, run, overwrite=True)
    compare(log, before.items, values.cut, runs)


def compare(log: tf_iclrec.Interactions, items: tf_iclrec.Vocabulary, cut: str, runs: list) -> None:
    """Print the metrics of both models after the date, means over the seeds, with a test over the
    users' means."""
    known = np.isin(log.items.ids, items.ids)[log.item_ids - 3]
    log = log.select(known).with_vocabulary(items)
    day_before = format_time(parse_time(cut) - _DAY)
    print("\n| target after the cut | users | metric | without the last two | everything | | p |")
    print("|---" * 7 + "|")
    for targets in ("first", "last"):
        after = by_time(log, day_before, test_at=cut, targets=targets)
        ranks = [
            [held_out_ranks(load_run(run, for_serving=final).model, after, "test") for run in runs]
            for final in (False, True)
        ]
        for metric in METRICS:
            without, with_all = (
                np.mean([metric.of_users(of_seed) for of_seed in of_model], axis=0)
                for of_model in ranks
            )
            test = tf_iclrec.paired_t_test(with_all, without)
            print(
                f"| {targets} | {len(without)} | {metric.name} | {without.mean():.4f} | "
                f"{with_all.mean():.4f} | {with_all.mean() / without.mean() - 1:+.1%} | "
                f"{test.p_value:.2g} |"
            )


if __name__ == "__main__":
    main()
