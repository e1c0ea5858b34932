"""A request for each signature."""

import numpy as np


def requests_to(served):
    """An example request for each signature."""
    histories = served.random_histories(3, 12)
    numbers = {"k": np.int32(7), "filter_seen": np.bool_(True)}
    return {
        "serving_default": {"history": np.array(histories)},
        "recommend": {
            "history": np.array([*histories[:2], [""] * 12]),
            "exclude": np.array([["", "5"]] * 3),
            "only": np.array([["provider=brand 1", "provider=brand 2"], ["", ""], ["", ""]]),
            "without": np.array([[""], ["category=4"], [""]]),
            **numbers,
        },
        "recommend_diverse": {
            "history": np.array(histories),
            "exclude": np.array([[""]] * 3),
            "only": np.array([[""]] * 3),
            "without": np.array([[""]] * 3),
            "diversity": np.float32(0.5),
            "diversify": np.array("similarity"),
            **numbers,
        },
        "rank": {"history": np.array(histories), "candidates": np.array([["8", "x", "4"]] * 3)},
        "encode": {"history": np.array(histories)},
        "similar_items": {"item_ids": np.array(["3", "unknown"])},
        "items_of_intent": {"intents": np.array([0, 2], dtype="int32")},
        "provider_affinities": {"history": np.array(histories)},
        "explain": {
            "history": np.array(histories),
            "item_ids": np.array([["8", "x", "4"]] * 3),
            "because": np.int32(2),
        },
    }
