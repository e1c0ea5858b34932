import faiss
import numpy as np
import pyarrow.parquet as pq
import pytest

from tf_iclrec import UserError
from tf_iclrec.data.splits.everything import everything
from tf_iclrec.serving.nearest_neighbours import export_nearest_neighbours


def test_writes_vectors_ids_and_an_exact_index(served, tmp_path):
    result = export_nearest_neighbours(served.model, served.split, tmp_path / "ann")
    table = pq.read_table(tmp_path / "ann" / "items.parquet")
    assert table["item_id"].to_pylist() == served.log.items.ids.tolist()
    vectors = np.array(table["vector"].to_pylist(), dtype="float32")
    np.testing.assert_allclose(vectors, served.model.item_vectors(), rtol=1e-6)
    (history,) = served.random_histories(1, 9)
    ids = served.log.items.encode(history)[None]
    query = np.asarray(served.model.user_vectors({"item_ids": ids}))
    scores, rows = faiss.read_index(str(tmp_path / "ann" / "flat.faiss")).search(query, 5)
    best, best_scores = served.best(history, 5)
    assert [table["item_id"][row].as_py() for row in rows[0]] == best
    np.testing.assert_allclose(scores[0], best_scores, rtol=1e-4)
    assert str(result) == f"Item vectors: {tmp_path / 'ann'}, 89 items, flat index"
    assert sorted(path.name for path in (tmp_path / "ann").iterdir()) == [
        "flat.faiss",
        "items.parquet",
    ]


def test_large_catalogues_get_an_approximate_index_with_its_recall(served, tmp_path):
    result = export_nearest_neighbours(served.model, served.split, tmp_path / "ann", hnsw_from=89)
    assert 0.9 < result.recall <= 1.0
    assert result.num_users == 100
    assert f"finds {result.recall:.1%} of the top 20 of 100 users" in str(result)
    index = faiss.read_index(str(tmp_path / "ann" / "hnsw.faiss"))
    assert index.ntotal == 89
    assert index.metric_type == faiss.METRIC_INNER_PRODUCT


@pytest.mark.parametrize("hnsw_from", [89, 90])
def test_where_nothing_is_held_out_the_users_trained_on_are_the_queries(
    served, tmp_path, hnsw_from, monkeypatch
):
    split, asked = everything(served.log), []
    user_vectors = served.model.user_vectors
    monkeypatch.setattr(
        served.model, "user_vectors", lambda batch: asked.append(batch) or user_vectors(batch)
    )
    result = export_nearest_neighbours(served.model, split, tmp_path / "ann", hnsw_from)
    if hnsw_from == 89:
        assert 0.9 < result.recall <= 1.0
        assert result.num_users == 100
    else:
        # Nobody is encoded for an exact index.
        assert (result.recall, result.num_users, asked) == (None, 0, [])
        assert str(result).endswith("89 items, flat index")


def test_nothing_is_overwritten(served, tmp_path):
    with pytest.raises(UserError, match="exists"):
        export_nearest_neighbours(served.model, served.split, tmp_path)
