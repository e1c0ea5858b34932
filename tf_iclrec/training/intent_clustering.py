"""The E-step: K-means over all sequence vectors, once an epoch (ICLRec Sec. 4.1.2)."""

import dataclasses
import time
from collections.abc import Sequence
from typing import Annotated

import keras
import numpy as np
import tensorflow as tf

from tf_iclrec.data.batches import sequence_batches
from tf_iclrec.data.share import WHOLE, Share
from tf_iclrec.data.splits.split import Split
from tf_iclrec.errors import NonFiniteLossError, UserError
from tf_iclrec.faiss_library import import_faiss
from tf_iclrec.models.batch_needs import check_length
from tf_iclrec.settings import Setting, checked
from tf_iclrec.training.replicas import Replicas


@dataclasses.dataclass(frozen=True)
class ClusteringReport:
    """What one E-step did for one number of intents.

    Attributes:
        num_intents: ``K``.
        inertia: Sum of squared distances of the vectors to their centroids.
        sizes: ``(K,)`` number of users of each intent.
        moved: Share of users whose intent differs from the last E-step's, or from that of the
            centroids that a warm start brought; NaN without.
        shift: How far the centroids moved, the root of the mean square, in shares of their length;
            NaN likewise.
    """

    num_intents: int
    inertia: float
    sizes: np.ndarray
    moved: float
    shift: float = float("nan")

    @property
    def empty(self) -> int:
        """Number of intents without a user."""
        return int((self.sizes == 0).sum())

    def __str__(self) -> str:
        smallest, median, largest = np.percentile(self.sizes, [0, 50, 100]).astype(int)
        moved = ""
        if not np.isnan(self.moved):
            moved = f", moved {self.moved:.1%}, centroids by {self.shift:.1%}"
        return (
            f"K={self.num_intents}: inertia {self.inertia:.4g}, cluster sizes {smallest} to "
            f"{largest} (median {median}), empty {self.empty}{moved}"
        )


class IntentClustering(keras.callbacks.Callback):
    """Find intents at the beginning of each epoch and write them into the model.

    All sequences are encoded without dropout, mean-pooled and clustered by Faiss K-means,
    from the second time on starting from the last centroids. It runs on a GPU where Faiss
    sees one.

    Args:
        sequences: Batches with ``item_ids``, in the same order at every pass; see
            `tf_iclrec.sequence_batches`. Where several replicas train, with their share of the
            rows.
        iterations: K-means iterations. Defaults to 20.
        warm_up_epochs: Number of first epochs without intents. Defaults to 0.
        seed: Seed of the first centroids. Defaults to 0.
        verbose: Whether to print a line per E-step. Defaults to True.

    Attributes:
        reports: The last E-step's `ClusteringReport` per number of intents.
        seconds: How long it took.

    Raises:
        UserError: If there are fewer sequences than intents.
        tf.errors.InvalidArgumentError: If sequences are longer than the model reads.

    Example: one E-step by hand; in ``fit(..., callbacks=[clustering])`` there is one an epoch.
    >>> from tf_iclrec import ENCODERS, IntentContrast, Interactions, SequentialRecommender
    >>> from tf_iclrec import leave_one_out
    >>> tea, oil = ["tea"] * 4, ["oil"] * 4
    >>> log = Interactions.from_sequences({"ann": tea, "bob": tea, "eve": oil})
    >>> encoder = ENCODERS["gru"](log.catalogue.vocabulary_size, hidden_dim=4)
    >>> model = SequentialRecommender(encoder, [IntentContrast()], num_intents=(2,))
    >>> clustering = IntentClustering(sequence_batches(leave_one_out(log)), verbose=False)
    >>> clustering.set_model(model)
    >>> [report] = clustering.run()
    >>> sorted(report.sizes.tolist()), model.found_intents  # ann and bob; eve.
    ([1, 2], True)
    """

    # What `SequentialRecommender.fit` looks for.
    finds_intents = True

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
        self.seconds = 0.0
        self._assignments: list[np.ndarray] = []
        self._vectors = None

    def state(self) -> list[str]:
        """The intents of all users at the last E-step, a line per number of intents: what the next
        one is compared with."""
        return [" ".join(map(str, intents)) for intents in self._assignments]

    def restore(self, state: Sequence[str]) -> None:
        """Go on from a `state`."""
        self._assignments = [np.array(line.split(), dtype=np.int64) for line in state]

    def set_model(self, model):
        if self.model is not None and model is not self.model:
            # What was found of another one, and how.
            self._vectors, self._assignments = None, []
        super().set_model(model)

    def on_train_begin(self, logs=None):
        if self.model.intents is None:
            raise ValueError("No objective of this model uses intents; leave the callback out.")

        def vectors(batch):
            check_length(batch, self.model.max_length)
            return self.model.mean_vectors(batch)

        self._replicas = Replicas.of(self.model)
        self._vectors = self._replicas.on_all_rows(vectors, self.sequences)

    def on_epoch_begin(self, epoch, logs=None):
        if epoch >= self.warm_up_epochs:
            self.run()

    def on_epoch_end(self, epoch, logs=None):
        # Shown and stored with the other figures of the epoch.
        if logs is not None and self.reports:
            logs["intent_seconds"] = self.seconds
            for report in self.reports:
                logs[f"intent_inertia_{report.num_intents}"] = report.inertia
                logs[f"intent_empty_{report.num_intents}"] = report.empty
                logs[f"intent_moved_{report.num_intents}"] = report.moved

    def run(self) -> list[ClusteringReport]:
        """Do one E-step now: in a `fit`, or after `set_model` in a loop of one's own."""
        if self._vectors is None:
            self.on_train_begin()
        start = time.perf_counter()
        vectors = np.concatenate(list(self._vectors()))
        if not np.isfinite(vectors).all():
            raise NonFiniteLossError("The sequence vectors hold NaN or infinite values.")
        warm = float(self.model.intents.fitted.numpy()) > 0
        centroids, assignments, reports = [], [], []
        for index, weight in enumerate(self.model.intents.centroids):
            initial = weight.numpy() if warm else None
            k = weight.shape[0]
            found = kmeans(vectors, k, self.iterations, initial, self.seed)
            # Other processors round otherwise: all processes take the chief's.
            chiefs = self._replicas.from_chief(found.centroids)
            found = dataclasses.replace(found, centroids=chiefs)
            moved = shift = float("nan")
            if warm:
                known = bool(self._assignments)
                last = self._assignments[index] if known else nearest_centroids(vectors, initial)
                moved = float((found.assignments != last).mean())
                shift = float(np.linalg.norm(found.centroids - initial) / np.linalg.norm(initial))
            sizes = np.bincount(found.assignments, minlength=k)
            reports.append(ClusteringReport(k, found.inertia, sizes, moved, shift))
            centroids.append(found.centroids)
            assignments.append(found.assignments)
        self.model.intents.update(centroids)
        self._assignments, self.reports = assignments, reports
        self.seconds = time.perf_counter() - start
        if self.verbose:
            for report in reports:
                print(f"Intents in {self.seconds:.1f} s, {report}", flush=True)
        return reports


@checked
def clustering_of_training_users(
    split: Split,
    max_length: int | None,
    seed: int,
    num_intents: tuple[int, ...],
    kmeans_iterations: Annotated[int, Setting("K-means iterations per E-step", at_least=1)] = 20,
    warm_up_epochs: Annotated[int, Setting("first epochs without intents", at_least=0)] = 0,
    clustered_users: Annotated[
        int, Setting("users whose sequences an E-step clusters at most", at_least=1)
    ] = 250_000,
    share: Share = WHOLE,
) -> IntentClustering:
    """The E-step over the training part of a log.

    Args:
        split: The log.
        max_length: Items of a history that the model reads.
        seed: Seed of the first centroids.
        num_intents: Numbers of intents.
        kmeans_iterations: K-means iterations.
        warm_up_epochs: First epochs without intents.
        clustered_users: Of more users, so many are drawn, always the same ones.
        share: Whose vectors this process computes.
    """
    users = users_to_cluster(num_intents, clustered_users)
    sequences = sequence_batches(split, max_length=max_length, max_users=users, share=share)
    return IntentClustering(sequences, kmeans_iterations, warm_up_epochs, seed, verbose=False)


def users_to_cluster(num_intents: tuple[int, ...], clustered_users: int, **_: int) -> int:
    """Users that are clustered at most: Faiss asks for 39 vectors a cluster at least."""
    return max(clustered_users, 39 * max(num_intents))


@dataclasses.dataclass(frozen=True)
class Clusters:
    """Result of `kmeans`: ``centroids`` ``(k, dim)`` float32, ``assignments`` ``(n,)`` int64
    and the ``inertia``, the sum of squared distances."""

    centroids: np.ndarray
    assignments: np.ndarray
    inertia: float


def kmeans(
    vectors: np.ndarray,
    k: int,
    iterations: int = 20,
    initial: np.ndarray | None = None,
    seed: int = 0,
) -> Clusters:
    """Faiss K-means, on a GPU where there is one.

    Args:
        vectors: ``(n, dim)`` float32.
        k: Number of clusters, at most ``n``.
        iterations: Number of iterations.
        initial: Optional ``(k, dim)`` float32 centroids to start from.
        seed: Seed of the choice of first centroids, without ``initial``.

    Raises:
        UserError: If ``k`` exceeds ``n``, or Faiss is not installed.

    Example:
    >>> points = np.array([[0, 0], [0, 1], [9, 9], [9, 8]], dtype="float32")
    >>> clusters = kmeans(points, k=2)
    >>> float(clusters.inertia), bool(clusters.assignments[0] == clusters.assignments[1])
    (1.0, True)
    """
    if len(vectors) < k:
        raise UserError(
            f"{k} intents need at least as many users with training data; there are "
            f"{len(vectors)}. The largest K that works is {len(vectors)}."
        )
    faiss = import_faiss()
    clustering = faiss.Kmeans(
        vectors.shape[1],
        k,
        niter=iterations,
        seed=seed,
        gpu=faiss.get_num_gpus() > 0,
        # Use every vector and accept small clusters.
        min_points_per_centroid=1,
        max_points_per_centroid=-(-len(vectors) // k),
    )
    clustering.train(vectors, init_centroids=initial)
    distances, assignments = clustering.index.search(vectors, 1)
    return Clusters(clustering.centroids, assignments[:, 0], float(distances.sum()))


def nearest_centroids(vectors: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Which of the centroids ``(k, dim)`` is nearest to each vector ``(n, dim)``, ``(n,)`` int64;
    all float32.

    Example:
    >>> centroids = np.array([[0, 0], [9, 9]], dtype="float32")
    >>> nearest_centroids(np.array([[8, 8], [1, 0]], dtype="float32"), centroids).tolist()
    [1, 0]
    """
    index = import_faiss().IndexFlatL2(centroids.shape[1])
    index.add(centroids)
    return index.search(vectors, 1)[1][:, 0]


def clustering_device() -> str:
    """Where K-means runs, for the log.

    Example:
    >>> clustering_device() in ("CPU", "1 GPU") or clustering_device().endswith("GPUs")
    True
    """
    gpus = import_faiss().get_num_gpus()
    return "CPU" if gpus == 0 else f"{gpus} GPU{'s' if gpus > 1 else ''}"
