"""Item vectors and Faiss indexes, for retrieval outside of TensorFlow."""

import dataclasses
from pathlib import Path

import numpy as np
import tensorflow as tf

from tf_iclrec.data.batches import evaluation_batches, sequence_batches
from tf_iclrec.data.splits.split import Split
from tf_iclrec.errors import UserError
from tf_iclrec.faiss_library import import_faiss
from tf_iclrec.files import replace_directory
from tf_iclrec.models.sequential_recommender import SequentialRecommender

# Smaller catalogues are searched exactly.
HNSW_FROM = 50_000
_LINKS = 32
_SEARCH_BREADTH = 128
_BUILD_BREADTH = 200
_NUM_USERS = 1000


@dataclasses.dataclass(frozen=True)
class NearestNeighbours:
    """What `export_nearest_neighbours` wrote.

    Attributes:
        directory: The folder.
        num_items: Number of vectors.
        recall: Share of the exact 20 best items that the approximate index finds, over so many
            users of the log; None without such an index.
        num_users: See ``recall``; 0 without such an index.
    """

    directory: Path
    num_items: int
    recall: float | None
    num_users: int

    def __str__(self) -> str:
        text = f"Item vectors: {self.directory}, {self.num_items} items, flat index"
        if self.recall is None:
            return text
        return (
            f"{text} and HNSW, which finds {self.recall:.1%} of the top 20 of "
            f"{self.num_users} users"
        )


def export_nearest_neighbours(
    model: SequentialRecommender,
    split: Split,
    directory: str | Path,
    hnsw_from: int = HNSW_FROM,
) -> NearestNeighbours:
    """Write item vectors for approximate search.

    The folder gets ``items.parquet`` (``item_id`` and ``vector``, in the order of the
    indexes), ``flat.faiss``, an exact index by inner product, and from ``hnsw_from`` items on
    ``hnsw.faiss``, an approximate one (Malkov and Yashunin, 2018). Queries are user vectors, as
    the signature ``encode`` returns them.

    Args:
        model: The recommender.
        split: What it was trained on; the recall is measured with the users of its test, or where
            nothing is held out, with those that it was trained on.
        directory: The folder to write, which must not exist.
        hnsw_from: Size of the catalogue from which the approximate index is made.

    Raises:
        UserError: If the model has no item vectors, the folder exists, or Faiss is not installed.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    directory = Path(directory)
    if not model.by_dot_product:
        raise UserError("This model has no item vectors: there is nothing for --ann to write.")
    if directory.exists():
        raise UserError(f"{directory} exists. Remove it, or choose another folder.")
    faiss = import_faiss()
    vectors = np.asarray(model.item_vectors(), dtype=np.float32)
    flat = faiss.IndexFlatIP(vectors.shape[1])
    flat.add(vectors)
    recall, queries = None, ()
    directory.parent.mkdir(parents=True, exist_ok=True)
    with replace_directory(directory) as path:
        path.mkdir()
        rows = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
        ids = pa.array(split.interactions.items.ids, pa.string())
        pq.write_table(pa.table({"item_id": ids, "vector": rows}), path / "items.parquet")
        faiss.write_index(flat, str(path / "flat.faiss"))
        if len(vectors) >= hnsw_from:
            hnsw = faiss.IndexHNSWFlat(vectors.shape[1], _LINKS, faiss.METRIC_INNER_PRODUCT)
            hnsw.hnsw.efConstruction, hnsw.hnsw.efSearch = _BUILD_BREADTH, _SEARCH_BREADTH
            hnsw.add(vectors)
            faiss.write_index(hnsw, str(path / "hnsw.faiss"))
            queries = _user_vectors(model, split)
            recall = _recall(hnsw, flat, queries, k=min(20, len(vectors)))
    return NearestNeighbours(directory, len(vectors), recall, len(queries))


def _user_vectors(model: SequentialRecommender, split: Split) -> np.ndarray:
    """Vectors of some users, as many at most as are drawn for the recall."""
    encode = tf.function(model.user_vectors, autograph=False, reduce_retracing=True)
    settings = {"model": model, "max_users": _NUM_USERS}
    if len(split.test.users):
        batches = evaluation_batches(split, "test", **settings)
    else:
        batches = sequence_batches(split, **settings)
    return np.concatenate([tf.cast(encode(batch), tf.float32) for batch in batches])


def _recall(approximate, exact, queries: np.ndarray, k: int) -> float:
    found = approximate.search(queries, k)[1][:, :, np.newaxis]
    wanted = exact.search(queries, k)[1][:, np.newaxis]
    return float((found == wanted).any(axis=1).mean())
