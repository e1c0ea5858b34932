"""What a preparation asks of what runs it."""

from __future__ import annotations

import abc
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tf_iclrec.data.preparation.source import Source

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame


class Engine(abc.ABC):
    """Runs the definition of `tf_iclrec.data.preparation.definition`.

    Attributes:
        functions: The functions of its DataFrames.
        window: Its ``Window``.
        order: Columns that tell the place of a row in the source.
    """

    functions: Any
    window: Any
    order: Sequence[str]

    @abc.abstractmethod
    def read(self, source: Source, columns: Mapping[str, str]) -> DataFrame:
        """Some columns of a source, as it has them.

        Args:
            source: The source.
            columns: Their names by what they are called from now on.

        Returns:
            The columns, and those of ``order``.

        Raises:
            UserError: If the source is damaged; the message says where, as far as that is known.
        """

    @abc.abstractmethod
    def keep(self, rows: DataFrame, name: str) -> DataFrame:
        """The same rows, computed once. Raises the errors of reading."""

    def named(self, rows: DataFrame, name: str) -> DataFrame:
        """The same rows, not computed yet: what is built on them stays short."""
        return rows

    @abc.abstractmethod
    def place(self, row: Mapping[str, Any], source: Source) -> str:
        """Where a row of ``order`` stands, in words: its file and number."""

    @abc.abstractmethod
    def table(self, rows: DataFrame) -> pa.Table:
        """Rows that fit into memory, in their order."""

    @abc.abstractmethod
    def batches(self, rows: DataFrame) -> Iterator[pa.RecordBatch]:
        """The rows in their order."""

    @abc.abstractmethod
    def close(self) -> None:
        """Give back what it holds."""

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Shows how far a step is, where somebody watches."""
        yield
