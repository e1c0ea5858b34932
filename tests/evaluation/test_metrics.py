import math

import keras
import numpy as np
import pytest

from tf_iclrec.evaluation.metrics import MRR, NDCG, HitRate, metrics_of_ranks, ranking_metrics


@pytest.mark.parametrize(
    ("kind", "k", "ranks", "expected"),
    [
        (HitRate, 5, [1, 5, 6, 9], 2 / 4),
        (HitRate, 1, [1, 2, 3], 1 / 3),
        (HitRate, 10, [11, 12], 0.0),
        (NDCG, 5, [1, 3, 6], (1 + 1 / 2) / 3),
        (NDCG, 5, [2, 5], (1 / math.log2(3) + 1 / math.log2(6)) / 2),
        (NDCG, 2, [3], 0.0),
        (MRR, 5, [1, 4, 6], (1 + 1 / 4) / 3),
        (MRR, 4, [4, 5], 1 / 8),
        (MRR, 20, [20], 1 / 20),
    ],
)
def test_by_hand(kind, k, ranks, expected):
    metric = kind(k)
    metric.update_state(np.array(ranks, dtype="int32"))
    assert float(metric.result()) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("kind", [HitRate, NDCG, MRR])
def test_is_a_mean_over_users_not_over_batches(kind):
    whole, parts = kind(5), kind(5)
    whole.update_state([1, 2, 3, 9])
    parts.update_state([1, 2, 3])
    parts.update_state([9])
    assert float(parts.result()) == pytest.approx(float(whole.result()), rel=1e-6)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (HitRate, [1, 1, 1, 0]),
        (NDCG, [1, 1 / math.log2(3), 1 / 2, 0]),
        (MRR, [1, 1 / 2, 1 / 3, 0]),
    ],
)
def test_each_user_has_a_value_of_its_own(kind, expected):
    values = kind(3).of_users(np.array([1, 2, 3, 4], dtype="int32"))
    assert values.dtype == "float32"
    np.testing.assert_allclose(values, expected, rtol=1e-6)


@pytest.mark.parametrize("kind", [HitRate, NDCG, MRR])
def test_is_the_mean_of_the_values_of_the_users(kind):
    ranks = np.random.default_rng(0).integers(1, 40, size=500).astype("int32")
    metric = kind(10)
    metric.update_state(ranks)
    assert float(metric.result()) == pytest.approx(np.mean(metric.of_users(ranks)), rel=1e-5)


def test_metrics_of_ranks_are_all_metrics_at_all_cutoffs():
    metrics = metrics_of_ranks(np.array([1, 3, 7, 15, 30], dtype="int32"))
    gains = [1, 1 / math.log2(4), 1 / math.log2(8), 1 / math.log2(16)]
    expected = {
        **{"HR@5": 2 / 5, "HR@10": 3 / 5, "HR@20": 4 / 5},
        **{f"NDCG@{k}": sum(gains[:n]) / 5 for k, n in ((5, 2), (10, 3), (20, 4))},
        **{"MRR@5": (1 + 1 / 3) / 5, "MRR@10": (1 + 1 / 3 + 1 / 7) / 5},
        "MRR@20": (1 + 1 / 3 + 1 / 7 + 1 / 15) / 5,
    }
    assert list(metrics) == list(expected)
    assert metrics == pytest.approx(expected, rel=1e-6)


def test_reset_forgets_the_users():
    metric = HitRate(5)
    metric.update_state([1, 1])
    metric.reset_state()
    metric.update_state([9])
    assert float(metric.result()) == 0.0


def test_all_metrics_come_in_the_order_in_which_they_are_shown():
    names = [metric.name for metric in ranking_metrics((5, 10))]
    assert names == ["HR@5", "HR@10", "NDCG@5", "NDCG@10", "MRR@5", "MRR@10"]


@pytest.mark.parametrize("kind", [HitRate, NDCG, MRR])
def test_survives_saving(kind):
    metric = kind(7)
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert (type(loaded), loaded.k, loaded.name) == (kind, 7, metric.name)
