"""Recommend to a table of users on Spark, a model per worker.

    spark-submit pipelines/recommend_on_spark.py SAVED_MODEL USERS.parquet OUTPUT

SAVED_MODEL is a version folder that each worker sees, such as savedmodels/shop/1; USERS has the
columns ``user_id`` and ``history`` (arrays of item ids, oldest first) and, optionally, ``exclude``.
OUTPUT becomes a folder of Parquet files. Every worker needs the library, and its Python.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tf_iclrec import UserError, recommend_batches
from tf_iclrec.commands import Parser, add_filters, filters_of, run_command
from tf_iclrec.serving.saved_model_recommender import is_saved_model

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

SCHEMA = "user_id string, item_id string, score float, rank int, from_popularity boolean"


def recommend_on_spark(users: "DataFrame", saved_model: str, **request) -> "DataFrame":
    """The best items of each user, a row each, in the columns of `tf_iclrec.recommend`.

    Args:
        users: Columns ``user_id``, ``history`` and, optionally, ``exclude``.
        saved_model: The version folder.
        request: ``k``, ``filter_seen``, ``only`` and ``without`` of
            `tf_iclrec.SavedModelRecommender.recommend_table`.
    """
    return users.mapInArrow(
        lambda batches: recommend_batches(saved_model, batches, **request), SCHEMA
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse arguments and recommend."""
    from pyspark.errors import AnalysisException
    from pyspark.sql import SparkSession

    parser = Parser(prog="recommend_on_spark.py", description=__doc__.split("\n")[0])
    parser.add_argument("saved_model", metavar="SAVED_MODEL", help="version folder of a model")
    parser.add_argument("users", metavar="USERS", help="Parquet file or folder")
    parser.add_argument("output", metavar="OUTPUT", help="folder to write; must not exist")
    parser.add_argument("--k", type=int, default=20, help="items per user (default: 20)")
    add_filters(parser)
    values = parser.parse(arguments)
    if not is_saved_model(values.saved_model):
        raise UserError(f"{values.saved_model} holds no SavedModel: it has no saved_model.pb.")
    filters = filters_of(values)
    spark = SparkSession.builder.appName("tf_iclrec").getOrCreate()
    try:
        users = spark.read.parquet(values.users)
        found = recommend_on_spark(users, values.saved_model, k=values.k, **filters)
        found.write.parquet(values.output)
    except AnalysisException as error:
        raise UserError(str(error).splitlines()[0]) from error


if __name__ == "__main__":
    run_command(main, "Spark removes what is not complete.")
