"""Engines by name."""

from tf_iclrec.data.preparation.duckdb_engine import DuckDBEngine
from tf_iclrec.data.preparation.engine import Engine
from tf_iclrec.data.preparation.spark_engine import SparkEngine

ENGINES: dict[str, type[Engine]] = {"duckdb": DuckDBEngine, "spark": SparkEngine}
