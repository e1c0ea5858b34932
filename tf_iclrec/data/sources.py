"""Where logs come from: tables in files or in memory, sequence files, folders, named data sets."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.preparation.columns import choose_columns
from tf_iclrec.data.preparation.source import (
    Source,
    files_of,
    is_table,
    source_of_files,
    source_of_table,
)
from tf_iclrec.data.prepared import is_prepared, read_prepared
from tf_iclrec.data.public.completejourney import DEFAULT_SOURCE, completejourney
from tf_iclrec.data.public.public_log import PublicLog
from tf_iclrec.data.public.registry import PUBLIC_LOGS, split_name
from tf_iclrec.data.sequence_file import read_sequences
from tf_iclrec.errors import UserError, first_line

if TYPE_CHECKING:
    import pyarrow as pa

# Before the name of a data set of TensorFlow Datasets.
TFDS = "tfds:"
_BATCH_SIZE = 100_000


def open_source(
    names: Sequence[Any], header: Sequence[str] = (), columns: Mapping[str, str] | None = None
) -> Source | PublicLog | Interactions:
    """What a log is named by, as rows to be prepared or as a log that is there.

    Args:
        names: Paths of tables, folders or patterns; or one sequence file, folder with prepared
            data, table in memory, ``"tfds:NAME"``, name of `PUBLIC_LOGS` before a path, or the
            embedded default.
        header: Names of all columns, for text tables without a header line.
        columns: As `choose_columns` takes them, for what is read where it is opened.

    Raises:
        UserError: If something is not there, can't be read or does not go together.
    """
    first = names[0]
    if not all(isinstance(name, str | Path) for name in names):
        if len(names) > 1:
            raise UserError("Tables in memory are read one at a time: put them together before.")
        return source_of_table(first)
    if any(is_named(str(name)) for name in names):
        if len(names) > 1:
            raise UserError("Data sets that are known by name are read alone, not beside others.")
        return _named(str(first), columns or {})
    if len(names) == 1 and is_prepared(first):
        return read_prepared(first)
    paths = files_of(names)
    if len(paths) == 1 and not is_table(paths[0]):
        return read_sequences(paths[0])
    return source_of_files(paths, header)


def is_named(name: str) -> bool:
    """Whether a source is a data set that is known by name, not files or folders."""
    return has_no_files(name) or bool(split_name(name)[0])


def has_no_files(name: str) -> bool:
    """Whether a source is in no file that is named: the embedded default, or one of TensorFlow
    Datasets."""
    return name == DEFAULT_SOURCE or name.startswith(TFDS)


def _named(name: str, columns: Mapping[str, str]) -> Source | PublicLog:
    if name == DEFAULT_SOURCE:
        return completejourney()
    if name.startswith(TFDS):
        table = read_tensorflow_dataset(name.removeprefix(TFDS), columns)
        return source_of_table(table, name=name)
    known, path = split_name(name)
    if not Path(path).exists():
        raise UserError(f"No such file or folder: {path}. Give {known}: and a path.")
    return PUBLIC_LOGS[known](Path(path))


def read_tensorflow_dataset(name: str, columns: Mapping[str, str]) -> pa.Table:
    """All examples of all splits of a data set of TensorFlow Datasets, the features of a log.

    It is downloaded and prepared unless it is there, in the environment's ``TFDS_DATA_DIR`` or
    ``~/tensorflow_datasets``.

    Args:
        name: As in its catalogue, such as ``"movielens/100k-ratings"``.
        columns: Names of the features, as `choose_columns` takes them: plain values, or lists of
            them, which are as long as the others of their example.

    Raises:
        UserError: If the package is not installed, the data set is unknown or can't be
            prepared, a feature is missing, or lists of an example differ in length.
    """
    import pyarrow as pa

    if importlib.util.find_spec("tensorflow_datasets") is None:
        raise UserError(
            f"{TFDS}{name} needs the package tensorflow-datasets: pip install 'tf_iclrec[tfds]'"
        )
    import tensorflow_datasets as tfds

    try:
        builder = tfds.builder(name)
        builder.download_and_prepare()
    except Exception as error:  # Whatever a data set's own script raises.
        raise UserError(f"{TFDS}{name} can't be read: {first_line(error)}") from error
    plain = [
        feature
        for feature, spec in sorted(builder.info.features.items())
        if spec.shape in ((), (None,)) and spec.np_dtype is not None
    ]
    # Nothing else: lists such as the genres of a film have lengths of their own.
    read = choose_columns(plain, columns, f"{TFDS}{name}").read().values()
    examples = builder.as_dataset(split="all").map(lambda row: {name: row[name] for name in read})
    tables = (_table(batch, f"{TFDS}{name}") for batch in examples.ragged_batch(_BATCH_SIZE))
    return pa.concat_tables(tables)


def _table(batch: dict[str, tf.Tensor | tf.RaggedTensor], source: str) -> pa.Table:
    """Examples as rows; one with lists gives as many rows as they are long."""
    import pyarrow as pa

    lists = [name for name, cells in batch.items() if isinstance(cells, tf.RaggedTensor)]
    lengths = batch[lists[0]].row_lengths() if lists else None
    for name in lists[1:]:
        if not tf.reduce_all(batch[name].row_lengths() == lengths):
            raise UserError(
                f"{source} has lists {lists[0]!r} and {name!r} of different lengths in an example."
            )
    columns = {}
    for name, cells in batch.items():
        if name in lists:
            cells = cells.flat_values
        elif lists:
            cells = tf.repeat(cells, lengths)
        values = cells.numpy()
        # Text of a data set is bytes.
        is_text = values.dtype == object
        columns[name] = pa.array(values, pa.binary()).cast(pa.string()) if is_text else values
    return pa.table(columns)
