"""K-means by Faiss."""

import dataclasses

import numpy as np

from tf_iclrec.errors import NonFiniteLossError, UserError
from tf_iclrec.faiss_library import import_faiss


@dataclasses.dataclass(frozen=True)
class Clusters:
    """Result of `kmeans`: ``centroids`` ``(k, dim)`` float32, ``assignments`` ``(n,)`` int64
    and the ``inertia``, the sum of squared distances."""

    centroids: np.ndarray
    assignments: np.ndarray
    inertia: float

    @property
    def sizes(self) -> np.ndarray:
        """``(k,)`` number of vectors of each cluster."""
        return np.bincount(self.assignments, minlength=len(self.centroids))


def kmeans(
    vectors: np.ndarray,
    k: int,
    iterations: int = 20,
    initial: np.ndarray | None = None,
    seed: int = 0,
    vectors_per_cluster: int | None = None,
) -> Clusters:
    """Faiss K-means, on a GPU where there is one.

    Args:
        vectors: ``(n, dim)`` float32.
        k: Number of clusters, at most ``n``.
        iterations: Number of iterations.
        initial: Optional ``(k, dim)`` float32 centroids to start from.
        seed: Seed of the choice of first centroids, without ``initial``, and of the sample.
        vectors_per_cluster: The centroids are found on a sample with so many vectors for each,
            then all are assigned. Defaults to None: on all.

    Raises:
        UserError: If ``k`` exceeds ``n``, or Faiss is not installed.
        NonFiniteLossError: If a vector holds NaN or infinite values.

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
    if not np.isfinite(vectors).all():
        raise NonFiniteLossError("The sequence vectors hold NaN or infinite values.")
    faiss = import_faiss()
    clustering = faiss.Kmeans(
        vectors.shape[1],
        k,
        niter=iterations,
        seed=seed,
        gpu=faiss.get_num_gpus() > 0,
        # Use every vector, unless told otherwise, and accept small clusters.
        min_points_per_centroid=1,
        max_points_per_centroid=vectors_per_cluster or -(-len(vectors) // k),
    )
    clustering.train(vectors, init_centroids=initial)
    distances, assignments = clustering.index.search(vectors, 1)
    return Clusters(clustering.centroids, assignments[:, 0], float(distances.sum()))


def clustering_device() -> str:
    """Where K-means runs, for the log.

    Example:
    >>> clustering_device() in ("CPU", "1 GPU") or clustering_device().endswith("GPUs")
    True
    """
    gpus = import_faiss().get_num_gpus()
    return "CPU" if gpus == 0 else f"{gpus} GPU{'s' if gpus > 1 else ''}"
