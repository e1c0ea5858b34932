"""Apache Spark, for logs that one machine does not read any more."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tf_iclrec.data.preparation.engine import Engine
from tf_iclrec.data.preparation.faults import raise_fault
from tf_iclrec.data.preparation.source import Source
from tf_iclrec.errors import UserError, first_line
from tf_iclrec.settings import Setting, checked

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

_TYPES = {"integer": "bigint", "decimal": "double", "time": "timestamp", "text": "string"}
# Stands for bytes that are no UTF-8, which Spark reads without a word.
_NOT_UTF_8 = "\ufffd"


class SparkEngine(Engine):
    """An engine on a cluster, or in this process with ``local[*]``.

    In a CSV file whose lines end in CR LF, Spark takes a CR LF within quotes for LF.

    Args:
        folder: Where sorted rows are handed over; on a cluster all workers must see it.
        master: Of the cluster.
    """

    order = ("row_file", "row_block", "row")

    @checked
    def __init__(
        self,
        folder: Path,
        master: Annotated[
            str, Setting("Spark master, such as spark://host:7077 or local[*]")
        ] = "local[*]",
    ):
        try:
            from pyspark.sql import SparkSession, Window, functions
        except ImportError as error:
            raise UserError(
                "The engine spark needs PySpark and Java 17: pip install 'tf_iclrec[spark]'"
            ) from error
        self.functions, self.window = functions, Window
        self._folder = folder
        builder = SparkSession.builder.master(master).appName("tf_iclrec")
        settings = {
            "spark.sql.session.timeZone": "UTC",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": str(sys.stderr.isatty()).lower(),
            # So that a line of too few cells is an error even where few columns are read.
            "spark.sql.csv.parser.columnPruning.enabled": "false",
            "spark.sql.caseSensitive": "true",
        }
        if master.startswith("local"):
            # On one machine, 200 parts of nothing take most of the time.
            settings["spark.sql.shuffle.partitions"] = str(2 * (os.cpu_count() or 1))
        for name, value in settings.items():
            builder = builder.config(name, value)
        try:
            self._session = builder.getOrCreate()
        except Exception as error:  # Whatever Java and the cluster say.
            raise UserError(f"Spark can't be started: {first_line(error)}") from error
        self._session.sparkContext.setLogLevel("OFF")
        self._source: Source | None = None
        self._read: DataFrame | None = None

    def close(self) -> None:
        self._session.stop()

    def read(self, source: Source, columns: Mapping[str, str]) -> DataFrame:
        F, self._source = self.functions, source
        with self._naming_errors():
            rows = self._scan(source)
            chosen = [
                F.col(_quoted(name)).cast(_TYPES[source.columns[name]]).alias(role)
                for role, name in columns.items()
            ]
            if source.table is None:
                files = F.array([F.lit(_uri(path)) for path in source.paths])
                # Where whole files are read Spark writes file:/, otherwise file:///.
                file = F.regexp_replace(F.col("_metadata.file_path"), "^file:/+", "file:///")
                place = [
                    F.array_position(files, file).alias("row_file"),
                    F.col("_metadata.file_block_start").alias("row_block"),
                ]
            else:
                place = [F.lit(1).alias("row_file"), F.lit(0).alias("row_block")]
            return rows.select(*chosen, *place, F.monotonically_increasing_id().alias("row"))

    def _scan(self, source: Source) -> DataFrame:
        if source.table is not None:
            return self._session.createDataFrame(_plain(source.table))
        # Names of files are no patterns here.
        paths = [re.sub(r"([][{}*?\\])", r"\\\1", str(path)) for path in source.paths]
        reader = self._session.read
        if source.format == "parquet":
            return reader.parquet(*paths)
        fields = ", ".join(f"{_quoted(name)} string" for name in source.columns)
        reader = reader.schema(fields).option("mode", "FAILFAST").option("encoding", "UTF-8")
        if any(path.endswith(".zst") for path in paths):
            raise UserError("Spark reads no .zst here: give .gz, Parquet, or --engine duckdb.")
        if source.format == "json":
            return reader.json(paths)
        quote = '"' if source.quotes else ""
        return reader.csv(
            paths,
            sep=source.separator,
            header=source.has_header,
            quote=quote,
            escape=quote,
            # A quoted cell may go over lines; files of them are not split.
            multiLine=source.quotes,
            enforceSchema=True,
        )

    def keep(self, rows: DataFrame, name: str) -> DataFrame:
        F = self.functions
        kept = rows.persist()
        if self._read is None:
            self._read = kept
        texts = [name for name, kind in kept.dtypes if kind == "string"]
        broken = [F.count(F.when(F.col(name).contains(_NOT_UTF_8), 1)) for name in texts]
        with self._naming_errors():
            found = kept.agg(F.count(F.lit(1)), *broken).collect()[0]
        if any(found[1:]):
            # Unless that is what the file says.
            raise_fault(self._source)
        return kept

    def place(self, row: Mapping[str, Any], source: Source) -> str:
        F = self.functions
        same_file = F.col("row_file") == F.lit(row["row_file"])
        block, here = F.col("row_block"), F.lit(row["row_block"])
        earlier = (block < here) | ((block == here) & (F.col("row") < F.lit(row["row"])))
        number = self._read.where(same_file & earlier).count() + 1
        name = source.paths[row["row_file"] - 1] if source.paths else source.name
        return f"{name}, row {number}"

    def table(self, rows: DataFrame) -> pa.Table:
        return rows.toArrow()

    def batches(self, rows: DataFrame) -> Iterator[pa.RecordBatch]:
        import pyarrow.parquet as pq

        folder = self._folder / "sorted"
        rows.write.parquet(str(folder))
        # Parts are numbered in the order of the rows.
        for part in sorted(folder.glob("part-*.parquet")):
            yield from pq.ParquetFile(part).iter_batches()

    @contextlib.contextmanager
    def _naming_errors(self) -> Iterator[None]:
        try:
            yield
        except UserError:
            raise
        except Exception as error:  # Spark's errors are of many kinds, of Java among them.
            raise_fault(self._source)
            raise UserError(
                f"{self._source.name} can't be read by Spark: {first_line(error)}"
            ) from error


def _plain(table: pa.Table) -> pa.Table:
    """Without dictionaries, which Spark does not take."""
    import pyarrow as pa
    import pyarrow.types as types

    fields = [
        field.with_type(field.type.value_type) if types.is_dictionary(field.type) else field
        for field in table.schema
    ]
    return table.cast(pa.schema(fields))


def _uri(path: Path) -> str:
    return path.resolve().as_uri()


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
