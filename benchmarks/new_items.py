"""What it gives to recommend items of known providers that nobody has bought yet.

    python benchmarks/new_items.py --runs DIR [--data SOURCE --items FILE] [--model NAME]

A tenth of the items with a known provider is held back: the model is trained without them. Then
users are asked for their last item, over the catalogue with the new items in it, or with
``--part valid`` for the one before. The new items are either left out, or added through their
providers and attributes.
"""

import argparse
from pathlib import Path

import numpy as np
import tensorflow as tf

import tf_iclrec
from tf_iclrec.data.item_attributes import special_ids_and
from tf_iclrec.data.prepared import write_prepared
from tf_iclrec.data.reading import read_log
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, UNKNOWN_ID
from tf_iclrec.evaluation.ranking import rank_and_list


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=Path, required=True, help="folder for the run directory")
    parser.add_argument("--data", default="completejourney")
    parser.add_argument("--items", default="")
    parser.add_argument("--item-column", default="item_id")
    parser.add_argument("--provider-column", default="provider")
    parser.add_argument("--item-attributes", default="")
    parser.add_argument("--model", default="ipsrec_c")
    parser.add_argument("--num-members", type=int, default=1, help="encoders, of width 128")
    parser.add_argument("--part", default="test", choices=["valid", "test"])
    parser.add_argument("--share", type=float, default=0.1, help="share of items held back")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    values = parser.parse_args()

    log = read_log(
        values.data,
        item_column=values.item_column,
        provider_column=values.provider_column,
        items=values.items,
        item_attributes=values.item_attributes,
    )
    split = tf_iclrec.leave_one_out(log)
    log = split.interactions
    is_new = held_back(log, values.share, values.seed)
    # Nothing that is asked for at the end may be learnt: the last item goes first.
    last = np.zeros(log.num_actions, dtype=bool)
    last[log.offsets[1:] - 1] = True
    known_log = log.select(~is_new[log.item_ids] & ~last)

    name = f"new-items-{values.model}-{Path(values.data).stem}-{values.seed}"
    write_prepared(known_log, values.runs / f"{name}-data")
    config = tf_iclrec.make_config(
        model=values.model,
        data=str(values.runs / f"{name}-data"),
        hidden_dim=128,
        num_members=values.num_members,
        epochs=values.epochs,
        batch_size=values.batch_size,
        learning_rate=values.learning_rate,
        seed=values.seed,
    )
    run = tf_iclrec.fit(config, values.runs / name, overwrite=True)
    compare(split, is_new, run, values.part)


def held_back(log: tf_iclrec.Interactions, share: float, seed: int) -> np.ndarray:
    """By internal item id, whether an item is held back: a share of those whose provider is
    known and has other items."""
    of_items = log.providers.of_items
    items_of_provider = np.bincount(of_items, minlength=log.providers.vocabulary.size)
    usable = (of_items > UNKNOWN_ID) & (items_of_provider[of_items] > 1)
    usable[:NUM_SPECIAL_IDS] = False
    chosen = np.random.default_rng(seed).random(len(of_items)) < share
    return usable & chosen


def compare(split: tf_iclrec.Split, is_new: np.ndarray, run: tf_iclrec.Run, part: str) -> None:
    """Print metrics of users whose item to be found is new, and of the others, both ways."""
    log = split.interactions
    model, larger = tf_iclrec.with_new_items(run.model, run.split, values_of(log, is_new))
    batches = tf_iclrec.evaluation_batches(split, part)
    asked_for_new = is_new[split.held_out(part).target_ids]
    print(f"{int(is_new.sum())} of {log.num_items} items held back, {int(asked_for_new.sum())} of ")
    print(f"{log.num_users} users are asked for one of them\n")
    print("| users | new items | HR@10 | HR@20 | NDCG@10 | NDCG@20 |\n|---|---|---|---|---|---|")
    ways = {"left out": scorer(run.model, run.split, log), "added": scorer(model, larger, log)}
    for label, score in ways.items():
        ranks = rank_and_list(score, batches, k=0)[0]
        for users, mask in (
            ("item is new", asked_for_new),
            ("item is known", ~asked_for_new),
            ("all", np.ones(log.num_users, dtype=bool)),
        ):
            metrics = tf_iclrec.metrics_of_ranks(ranks[mask])
            figures = [metrics[name] for name in ("HR@10", "HR@20", "NDCG@10", "NDCG@20")]
            print(f"| {users} | {label} | {' | '.join(f'{value:.4f}' for value in figures)} |")


def values_of(log: tf_iclrec.Interactions, is_new: np.ndarray) -> dict[str, dict[str, str]]:
    """What is known of the items that are held back, as `with_new_items` takes it."""
    ids = np.flatnonzero(is_new)
    columns = {}
    for name, attribute in log.catalogue.known.items():
        raw = np.array(["", "", "", *attribute.vocabulary.ids], dtype=object)
        columns[name] = raw[attribute.of_items[ids]]
    rows = zip(*columns.values(), strict=True)
    values = (dict(zip(columns, row, strict=True)) for row in rows)
    return dict(zip(log.items.decode(ids).tolist(), values, strict=True))


def scorer(model, known: tf_iclrec.Split, log: tf_iclrec.Interactions):
    """Scores of all items of the log by a model of those of ``known``, from ids of the log."""
    to_model = special_ids_and(known.interactions.items.encode(log.items.ids))
    columns = to_model[NUM_SPECIAL_IDS:] - NUM_SPECIAL_IDS

    def score(batch):
        ids = tf.gather(tf.constant(to_model), batch["item_ids"])
        # What the model does not know is left out of the history.
        ids = tf.ragged.boolean_mask(ids, ids >= NUM_SPECIAL_IDS).to_tensor(0)
        ids = tf.pad(ids, [[0, 0], [0, tf.cast(tf.shape(ids)[1] == 0, tf.int32)]])
        scores = tf.gather(model({"item_ids": ids}), np.maximum(columns, 0), axis=1)
        return tf.where(columns < 0, -float("inf"), scores)

    return score


if __name__ == "__main__":
    main()
