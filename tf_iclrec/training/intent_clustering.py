"""The E-step: K-means over all sequence vectors, once an epoch (ICLRec Sec. 4.1.2)."""

import dataclasses
import time

import keras
import numpy as np
import tensorflow as tf

from tf_iclrec.data.vocabulary import PADDING_ID
from tf_iclrec.training.kmeans import Clusters, kmeans

# An intent has so many prefixes on average, at least; its centroid is found on as many, and of
# more than the second number only some are clustered.
_LEAST_PREFIXES = 30
_MOST_PREFIXES = 128
# An encoder that has learnt nothing yet does not know which prefixes are alike.
_FIRST_EPOCH_OF_PREFIXES = 1
# Few, because every E-step goes on from the one before.
_PREFIX_ITERATIONS = 5


@dataclasses.dataclass(frozen=True)
class ClusteringReport:
    """What one E-step did for one number of intents.

    Attributes:
        num_intents: ``K``.
        inertia: Sum of squared distances of the vectors to their centroids.
        sizes: ``(K,)`` number of users, or prefixes, of each intent.
        moved: Share of them whose intent differs from the last E-step's; NaN at the first.
    """

    num_intents: int
    inertia: float
    sizes: np.ndarray
    moved: float

    @classmethod
    def of(cls, found: Clusters, last: np.ndarray | None = None) -> "ClusteringReport":
        """The report of new clusters; ``last`` are the assignments of the E-step before."""
        moved = float("nan") if last is None else float((found.assignments != last).mean())
        return cls(len(found.centroids), found.inertia, found.sizes, moved)

    @property
    def empty(self) -> int:
        """Number of intents that nobody has."""
        return int((self.sizes == 0).sum())

    def __str__(self) -> str:
        smallest, median, largest = np.percentile(self.sizes, [0, 50, 100]).astype(int)
        moved = "" if np.isnan(self.moved) else f", moved {self.moved:.1%}"
        return (
            f"K={self.num_intents}: inertia {self.inertia:.4g}, cluster sizes {smallest} to "
            f"{largest} (median {median}), empty {self.empty}{moved}"
        )


class IntentClustering(keras.callbacks.Callback):
    """Find intents at the beginning of each epoch and write them into the model.

    All sequences are encoded without dropout, mean-pooled and clustered by Faiss K-means,
    from the second time on starting from the last centroids. It runs on a GPU where Faiss
    sees one.

    If the model has intents of prefixes, these are clustered as well, from the second epoch on, and
    of the items that follow the prefixes of an intent some are drawn, for the loss to draw from.

    Args:
        sequences: Batches with ``item_ids`` and ``target_ids``, in the same order at every pass;
            see `tf_iclrec.sequence_batches`.
        iterations: K-means iterations. Defaults to 20.
        warm_up_epochs: Number of first epochs without intents. Defaults to 0.
        seed: Seed of the first centroids, and of everything drawn. Defaults to 0.
        verbose: Whether to print a line per clustering. Defaults to True.

    Attributes:
        reports: The last E-step's `ClusteringReport` per number of intents.
        prefix_report: That of the prefixes.
        seconds: How long the last E-step took.

    Raises:
        UserError: If there are fewer sequences than intents.
    """

    def __init__(
        self,
        sequences: tf.data.Dataset,
        iterations: int = 20,
        warm_up_epochs: int = 0,
        seed: int = 0,
        verbose: bool = True,
    ):
        super().__init__()
        self.sequences = sequences
        self.iterations = iterations
        self.warm_up_epochs = warm_up_epochs
        self.seed = seed
        self.verbose = verbose
        self.reports: list[ClusteringReport] = []
        self.prefix_report: ClusteringReport | None = None
        self.seconds = 0.0
        self._assignments: list[np.ndarray] = []
        self._prefix_share = 0.0
        self._encode_means = self._encode = None

    def on_train_begin(self, logs=None):
        model = self.model
        if not model.has_intents:
            raise ValueError("No objective of this model uses intents; leave the callback out.")
        self._encode_means = tf.function(model.mean_vectors, reduce_retracing=True)
        if model.prefix_intents is not None:
            self._encode = tf.function(model.intent_vectors, reduce_retracing=True)
            found = sum(np.count_nonzero(batch["target_ids"]) for batch in self.sequences)
            self._prefix_share = _MOST_PREFIXES * model.prefix_intents.num_intents / found

    def on_epoch_begin(self, epoch, logs=None):
        if epoch >= self.warm_up_epochs:
            self.run(epoch)

    def on_epoch_end(self, epoch, logs=None):
        # Shown and stored with the other figures of the epoch.
        if logs is not None and self.reports:
            logs["intent_seconds"] = self.seconds
            for report in self.reports:
                logs[f"intent_inertia_{report.num_intents}"] = report.inertia
                logs[f"intent_empty_{report.num_intents}"] = report.empty
                logs[f"intent_moved_{report.num_intents}"] = report.moved

    def run(self, epoch: int = 0) -> list[ClusteringReport]:
        """Do the E-step of an epoch now."""
        start = time.perf_counter()
        random = np.random.default_rng([self.seed, epoch])
        if self.model.prefix_intents is not None and epoch >= _FIRST_EPOCH_OF_PREFIXES:
            means, prefixes, next_items = self._vectors(random)
            self._find_prefix_intents(prefixes, next_items, random)
        elif self.model.intents is not None:
            means = np.concatenate([self._encode_means(batch) for batch in self.sequences])
        if self.model.intents is not None:
            self._find_intents(means)
        self.seconds = time.perf_counter() - start
        if self.verbose:
            for report in self.reports:
                print(f"Intents in {self.seconds:.1f} s, {report}", flush=True)
            if self.prefix_report:
                print(f"Intents of prefixes, {self.prefix_report}", flush=True)
        return self.reports

    def _vectors(self, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean vectors of the sequences, vectors of prefixes and the item after each of these."""
        means, prefixes, next_items = [], [], []
        for batch in self.sequences:
            of_users, of_prefixes = self._encode(batch)
            target_ids = batch["target_ids"].numpy()
            target_ids = target_ids[target_ids != PADDING_ID]
            kept = random.random(len(target_ids)) < self._prefix_share
            means.append(of_users.numpy())
            prefixes.append(of_prefixes.numpy()[kept])
            next_items.append(target_ids[kept])
        return np.concatenate(means), np.concatenate(prefixes), np.concatenate(next_items)

    def _find_intents(self, vectors: np.ndarray) -> None:
        intents = self.model.intents
        warm = float(intents.fitted) > 0
        last = self._assignments or [None] * len(intents.centroids)
        found = [
            kmeans(
                vectors,
                centroids.shape[0],
                iterations=self.iterations,
                initial=centroids.numpy() if warm else None,
                seed=self.seed,
            )
            for centroids in intents.centroids
        ]
        intents.update([clusters.centroids for clusters in found])
        self.reports = [
            ClusteringReport.of(clusters, before)
            for clusters, before in zip(found, last, strict=True)
        ]
        self._assignments = [clusters.assignments for clusters in found]

    def _find_prefix_intents(
        self, vectors: np.ndarray, next_items: np.ndarray, random: np.random.Generator
    ) -> None:
        intents = self.model.prefix_intents
        k = min(intents.num_intents, max(1, len(vectors) // _LEAST_PREFIXES))
        warm = float(intents.prototypes.fitted) > 0
        found = kmeans(
            vectors,
            k,
            iterations=_PREFIX_ITERATIONS,
            initial=intents.prototypes.centroids[0].numpy()[:k] if warm else None,
            seed=self.seed,
            vectors_per_cluster=_LEAST_PREFIXES,
        )
        drawn = _items_of_clusters(next_items, found, intents.num_next_items, random)
        intents.update(found.centroids, drawn)
        self.prefix_report = ClusteringReport.of(found)


def _items_of_clusters(
    next_items: np.ndarray, found: Clusters, count: int, random: np.random.Generator
) -> np.ndarray:
    """Of each cluster ``count`` items, with replacement, ``(k, count)``; 0 where it has none."""
    ordered = next_items[np.argsort(found.assignments, kind="stable")]
    sizes = found.sizes[:, np.newaxis]
    starts = np.cumsum(sizes, axis=0) - sizes
    rows = starts + (random.random((len(sizes), count)) * sizes).astype(np.int64)
    return np.where(sizes > 0, ordered[np.minimum(rows, len(ordered) - 1)], PADDING_ID)
