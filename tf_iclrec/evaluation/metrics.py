"""HR, NDCG and MRR at k from the ranks of single targets."""

from collections.abc import Iterable

import keras
import numpy as np
from keras import KerasTensor, ops

DEFAULT_CUTOFFS = (5, 10, 20)
# By which models are chosen, and judged first.
MAIN_METRIC = "NDCG@20"


class _GainAtK(keras.metrics.Mean):
    """Mean over users of a gain that only ranks up to ``k`` have."""

    label: str

    def __init__(self, k: int, **kwargs):
        super().__init__(**{"name": f"{self.label}@{k}", "dtype": "float32", **kwargs})
        self.k = k

    def update_state(self, ranks: KerasTensor) -> None:
        """Add the users with these ranks ``(batch,)``, 1 = best."""
        super().update_state(self.of_users(ranks))

    def of_users(self, ranks: KerasTensor) -> KerasTensor:
        """The metric of each user, ``(batch,)`` float32, for comparisons user by user."""
        ranks = ops.cast(ranks, "float32")
        return ops.where(ranks <= self.k, self.gain(ranks), 0.0)

    def gain(self, ranks: KerasTensor) -> KerasTensor:
        raise NotImplementedError

    def get_config(self):
        return super().get_config() | {"k": self.k}


@keras.saving.register_keras_serializable("tf_iclrec")
class HitRate(_GainAtK):
    """Share of users whose target is among the first ``k``.

    Example:
    >>> metric = HitRate(k=5)
    >>> metric.update_state([1, 5, 6, 9])
    >>> metric.name, float(metric.result())
    ('HR@5', 0.5)
    """

    label = "HR"

    def gain(self, ranks):
        return ops.ones_like(ranks)


@keras.saving.register_keras_serializable("tf_iclrec")
class NDCG(_GainAtK):
    """``1 / log2(rank + 1)`` if the target is among the first ``k``, mean over users.

    Example:
    >>> metric = NDCG(k=5)
    >>> metric.update_state([3, 9])
    >>> float(metric.result())
    0.25
    """

    label = "NDCG"

    def gain(self, ranks):
        return 1.0 / ops.log2(ranks + 1.0)


@keras.saving.register_keras_serializable("tf_iclrec")
class MRR(_GainAtK):
    """``1 / rank`` if the target is among the first ``k``, mean over users.

    Example:
    >>> metric = MRR(k=5)
    >>> metric.update_state([4, 9])
    >>> float(metric.result())
    0.125
    """

    label = "MRR"

    def gain(self, ranks):
        return 1.0 / ranks


def metrics_of_ranks(
    ranks: KerasTensor, cutoffs: Iterable[int] = DEFAULT_CUTOFFS
) -> dict[str, float]:
    """All metrics of users with these ranks ``(users,)`` by name.

    Raises:
        ValueError: If there is no rank.

    Example:
    >>> round(metrics_of_ranks([1, 3, 30])["NDCG@10"], 4)
    0.5
    >>> metrics_of_ranks([1, 3, 30], cutoffs=[50])["HR@50"]
    1.0
    """
    if not len(ranks):
        raise ValueError("There is no rank to say anything of.")
    gains = gains_of_ranks(ranks, cutoffs)
    return {name: float(gain.mean(dtype=np.float64)) for name, gain in gains.items()}


def gains_of_ranks(
    ranks: KerasTensor, cutoffs: Iterable[int] = DEFAULT_CUTOFFS
) -> dict[str, np.ndarray]:
    """The metrics of each user by name, ``(users,)`` float32: what `metrics_of_ranks` are means of.

    Example:
    >>> gains_of_ranks([1, 3, 30])["NDCG@10"].tolist()
    [1.0, 0.5, 0.0]
    """
    return {
        metric.name: ops.convert_to_numpy(metric.of_users(ranks))
        for metric in ranking_metrics(cutoffs)
    }


def ranking_metrics(cutoffs: Iterable[int] = DEFAULT_CUTOFFS) -> list[keras.metrics.Metric]:
    """All metrics at all cutoffs, in the order in which they are shown."""
    return [kind(k) for kind in (HitRate, NDCG, MRR) for k in cutoffs]
