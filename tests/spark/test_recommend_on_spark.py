"""The recipe for Spark, in its local mode with workers of their own."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tf_iclrec import Interactions, UserError, export_saved_model, leave_one_out, recommend
from tf_iclrec.models.transitions import TransitionRecommender

pyspark = pytest.importorskip("pyspark", reason="needs pyspark and Java")
pytestmark = [
    pytest.mark.slow,
    # Spark's own: of pandas 3, and of sockets that it leaves to the garbage collector.
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

PATH = Path(__file__).parents[2] / "pipelines" / "recommend_on_spark.py"


@pytest.fixture(scope="module")
def recipe():
    spec = importlib.util.spec_from_file_location("recommend_on_spark", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules["recommend_on_spark"] = module
    # Workers have no such module: it goes to them as it is, as that of a script does.
    pyspark.cloudpickle.register_pickle_by_value(module)
    yield module
    del sys.modules["recommend_on_spark"]


@pytest.fixture(scope="module")
def spark():
    from pyspark.sql import SparkSession

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        session = (
            SparkSession.builder.master("local[2]")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "2")
            .config("spark.sql.execution.arrow.maxRecordsPerBatch", "7")
            .getOrCreate()
        )
        yield session
        session.stop()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a model and users."""
    path = tmp_path_factory.mktemp("spark")
    walks = {f"u{row}": [str((row + step) % 12) for step in range(6)] for row in range(40)}
    log = Interactions.from_sequences(walks)
    log = log.with_item_attribute("kind", {str(item): f"kind {item % 3}" for item in range(12)})
    split = leave_one_out(log)
    model = TransitionRecommender(log.num_items)
    model.fit_histories(split.train)
    export_saved_model(model, split, path / "shop" / "1")
    users = pa.table(
        {
            "user_id": list(walks),
            "history": [walk[: 1 + row % 4] for row, walk in enumerate(walks.values())],
            "exclude": [["3"] if row % 2 else [] for row in range(40)],
        }
    )
    pq.write_table(users, path / "users.parquet")
    return path


ASKED = {"k": 3, "only": {"kind": ["kind 0", "kind 1"]}}


def assert_same(found, folder):
    expected = recommend(folder / "shop" / "1", pq.read_table(folder / "users.parquet"), **ASKED)
    expected = expected.to_pandas().sort_values(["user_id", "rank"]).reset_index(drop=True)
    found = found.sort_values(["user_id", "rank"]).reset_index(drop=True)
    np.testing.assert_allclose(found.pop("score"), expected.pop("score"), rtol=1e-5)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)


def test_spark_gives_what_the_model_gives(recipe, spark, folder):
    users = spark.read.parquet(str(folder / "users.parquet")).repartition(3)
    found = recipe.recommend_on_spark(users, str(folder / "shop" / "1"), **ASKED)
    rows = [row.asDict() for row in found.collect()]
    assert_same(pd.DataFrame(rows), folder)


def test_the_command_writes_parquet(recipe, spark, folder, tmp_path):
    arguments = [str(folder / "shop" / "1"), str(folder / "users.parquet"), str(tmp_path / "out")]
    recipe.main([*arguments, "--k", "3", "--only", "kind=kind 0,kind 1"])
    assert_same(pq.read_table(tmp_path / "out").to_pandas(), folder)
    with pytest.raises(UserError, match="already exists"):
        recipe.main(arguments)
    with pytest.raises(UserError, match="holds no SavedModel"):
        recipe.main([str(folder), *arguments[1:]])
