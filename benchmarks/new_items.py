"""What it gives to recommend items of known providers that nobody has bought yet.

    python benchmarks/new_items.py --runs DIR [--data SOURCE --items FILE] [--model NAME]

A tenth of the items with a known provider is held back: the model is trained without them. Then
users are asked for their last item, over the catalogue with the new items in it. The new items
are either left out, or scored through their provider's mean item vector.
"""

import argparse
from pathlib import Path

import numpy as np
import tensorflow as tf

import tf_iclrec
from tf_iclrec.data.prepared import write_prepared
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, UNKNOWN_ID
from tf_iclrec.evaluation.ranking import rank_users


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=Path, required=True, help="folder for the run directory")
    parser.add_argument("--data", default="completejourney")
    parser.add_argument("--items", default="")
    parser.add_argument("--model", default="ipsrec_c")
    parser.add_argument("--share", type=float, default=0.1, help="share of items held back")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    values = parser.parse_args()

    log = tf_iclrec.load_interactions(values.data)
    if values.items:
        log = log.with_item_providers(tf_iclrec.read_item_attribute(values.items))
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
        epochs=values.epochs,
        batch_size=values.batch_size,
        learning_rate=values.learning_rate,
        seed=values.seed,
    )
    run = tf_iclrec.fit(config, values.runs / name, overwrite=True)
    compare(split, is_new, run)


def held_back(log: tf_iclrec.Interactions, share: float, seed: int) -> np.ndarray:
    """By internal item id, whether an item is held back: a share of those whose provider is
    known and has other items."""
    of_items = log.providers.of_items
    items_of_provider = np.bincount(of_items, minlength=log.providers.vocabulary.size)
    usable = (of_items > UNKNOWN_ID) & (items_of_provider[of_items] > 1)
    usable[:NUM_SPECIAL_IDS] = False
    chosen = np.random.default_rng(seed).random(len(of_items)) < share
    return usable & chosen


def compare(split: tf_iclrec.Split, is_new: np.ndarray, run: tf_iclrec.Run) -> None:
    """Print metrics of users with a new and with a known last item, both ways."""
    log = split.interactions
    # From the ids of the whole log to those of the model; a new item is unknown to it.
    to_model = np.concatenate(
        [np.arange(NUM_SPECIAL_IDS), run.interactions.items.encode(log.items.ids)]
    ).astype(np.int32)
    providers = run.interactions.providers
    raw = log.providers.vocabulary.ids[log.providers.of_items[is_new] - NUM_SPECIAL_IDS]
    rows = providers.vocabulary.encode(raw) - NUM_SPECIAL_IDS
    means = tf_iclrec.provider_mean_vectors(run.model.item_vectors(), providers)
    # A provider all of whose items are new has no mean.
    usable = rows >= 0
    new_columns = np.flatnonzero(is_new[NUM_SPECIAL_IDS:])[usable]
    new_vectors = tf.gather(means, rows[usable])
    known_columns = np.flatnonzero(to_model[NUM_SPECIAL_IDS:] >= NUM_SPECIAL_IDS)
    order = to_model[NUM_SPECIAL_IDS:][known_columns] - NUM_SPECIAL_IDS

    def scorer(with_new: bool):
        def score(batch):
            ids = tf.gather(tf.constant(to_model), batch["item_ids"])
            # What the model does not know is left out of the history.
            ids = tf.ragged.boolean_mask(ids, ids >= NUM_SPECIAL_IDS).to_tensor(0)
            ids = tf.pad(ids, [[0, 0], [0, tf.cast(tf.shape(ids)[1] == 0, tf.int32)]])
            users = tf.cast(run.model.user_vectors({"item_ids": ids}), tf.float32)
            parts = [tf.gather(run.model.score(users), order, axis=1)]
            columns = [known_columns]
            if with_new:
                parts.append(tf.matmul(users, new_vectors, transpose_b=True))
                columns.append(new_columns)
            # Columns of the whole catalogue; what has no score stands last.
            scores, places = tf.concat(parts, axis=1), np.concatenate(columns)
            filled = np.full(log.num_items, len(places))
            filled[places] = np.arange(len(places))
            lowest = tf.fill([tf.shape(scores)[0], 1], -float("inf"))
            return tf.gather(tf.concat([scores, lowest], axis=1), filled, axis=1)

        return score

    batches = tf_iclrec.evaluation_batches(split, "test")
    asked_for_new = is_new[log.item_ids[log.offsets[1:] - 1]]
    print(f"{int(is_new.sum())} of {log.num_items} items held back; the last item of")
    print(f"{int(asked_for_new.sum())} of {log.num_users} users is one of them\n")
    print("| users | new items | HR@10 | HR@20 | NDCG@10 | NDCG@20 |\n|---|---|---|---|---|---|")
    for label, with_new in (("left out", False), ("through their provider", True)):
        ranks = rank_users(scorer(with_new), batches)
        for users, mask in (
            ("last item new", asked_for_new),
            ("last item known", ~asked_for_new),
            ("all", np.ones(log.num_users, dtype=bool)),
        ):
            metrics = tf_iclrec.metrics_of_ranks(ranks[mask])
            figures = [metrics[name] for name in ("HR@10", "HR@20", "NDCG@10", "NDCG@20")]
            print(f"| {users} | {label} | {' | '.join(f'{value:.4f}' for value in figures)} |")


if __name__ == "__main__":
    main()
