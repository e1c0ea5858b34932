"""A run to explore, whose weights are drawn, not trained."""

import numpy as np

from tf_iclrec import Interactions, build_model, leave_one_out, make_config
from tf_iclrec.data.synthetic import planted_intents
from tf_iclrec.runs import Run


def shop_log() -> Interactions:
    """Titles and providers are known of some of its items, kinds of all."""
    log, _ = planted_intents(num_users=80, num_items=60, num_intents=4)
    log = log.with_item_providers({item: f"brand {int(item) % 5}" for item in log.items.ids[:50]})
    log = log.with_item_attribute("kind", {item: item[-1] for item in log.items.ids})
    return log.with_item_label("title", {item: f"Tea <b>{item}</b>" for item in log.items.ids[:40]})


def shop_run(log: Interactions) -> Run:
    config = make_config(hidden_dim=8, num_blocks=1, max_length=10, num_intents=(4,), seed=1)
    split = leave_one_out(log)
    model = build_model(config, split.catalogue)
    random = np.random.default_rng(1)
    for weight in model.encoder.trainable_weights:
        weight.assign_add(random.normal(scale=0.3, size=weight.shape))
    some_users = {"item_ids": random.integers(3, log.items.size, size=(4, 6))}
    model.intents.update([np.asarray(model.mean_vectors(some_users))])
    return Run(model, split, config, {})
