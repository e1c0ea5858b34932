"""Recommenders of twelve items, and how they are trained."""

import keras
import numpy as np

from tf_iclrec import (
    Catalogue,
    IntentClustering,
    ItemAttribute,
    ViewRatios,
    Vocabulary,
    build_model,
    make_config,
    sequence_batches,
    training_batches,
)

# As far as a model reads them.
SMALL = {
    "hidden_dim": 8,
    "num_blocks": 1,
    "max_length": 10,
    "num_intents": (2, 3),
    # As published; ensembles, cosines and intents without views have tests of their own.
    "score_temperature": 0.0,
    "horizon": 1,
    "intent_views": "augmented",
    "intent_temperature": 1.0,
}
# All objectives that a model can have.
WEIGHTS = {
    "iclrec": {"sequence_weight": 0.1},
    "iclrec_ips_s": {"sequence_weight": 0.1, "provider_weight": 0.1},
    "iclrec_ips_c": {"sequence_weight": 0.1, "provider_weight": 0.1},
}
TERMS = {
    "iclrec": ["next_item", "sequence_contrast", "intent_contrast"],
    "cl4srec": ["next_item", "sequence_contrast"],
    "sasrec": ["next_item"],
    "ipsrec_s": ["next_item", "item_provider_contrast"],
    "ipsrec_c": ["next_item", "item_provider_contrast"],
    "iclrec_ips_s": [
        *("next_item", "sequence_contrast", "intent_contrast", "item_provider_contrast"),
    ],
    "iclrec_ips_c": [
        *("next_item", "sequence_contrast", "intent_contrast", "item_provider_contrast"),
    ],
    "provider_sum": ["next_item"],
}
TWO_STREAMS = ["iclrec_ips_s", "iclrec_ips_c"]
PROVIDERS = ItemAttribute(
    Vocabulary([f"brand {number}" for number in range(4)]),
    np.array([0, 1, 2, *(3 + item // 3 for item in range(12))], dtype="int32"),
)
INPUTS = {"item_ids": np.array([[0, 0, 3, 4], [5, 6, 7, 8], [9, 10, 0, 0]], dtype="int32")}


def centroids(model):
    """Two and three intents."""
    rng = np.random.default_rng(0)
    shapes = [(k, model.encoder.output_dim) for k in (2, 3)]
    return [rng.normal(size=shape).astype("float32") for shape in shapes]


def new_model(**settings):
    keras.utils.set_random_seed(0)
    chosen = WEIGHTS.get(settings["model"], {}) | settings
    read = make_config(**chosen).options()
    small = {option: value for option, value in SMALL.items() if option in read}
    model = build_model(make_config(**small | chosen), Catalogue(num_items=12, providers=PROVIDERS))
    model.compile(keras.optimizers.Adam(0.02))
    return model


def batches(split, model):
    return training_batches(
        split,
        batch_size=12,
        max_length=10,
        negatives=model.needs_negatives,
        sampling=model.sampling,
        views=ViewRatios() if model.needs_views else None,
    )


def train(model, split, epochs):
    """Losses per epoch."""
    callbacks = []
    if model.needs_intents:
        callbacks.append(IntentClustering(sequence_batches(split), verbose=False))
    data = batches(split, model)
    return model.fit(data, epochs=epochs, callbacks=callbacks, shuffle=False, verbose=0).history
