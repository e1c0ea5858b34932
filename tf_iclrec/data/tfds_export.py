"""A log as a data set of TensorFlow Datasets."""

from __future__ import annotations

import contextlib
import io
import shutil
from pathlib import Path

import numpy as np
import tensorflow as tf

from tf_iclrec.data.interactions import Interactions
from tf_iclrec.errors import UserError, first_line
from tf_iclrec.files import locked, replace_directory

_VERSION = "1.0.0"


def data_set_folder(name: str, data_dir: str | Path) -> Path:
    """Where `write_tensorflow_dataset` writes.

    Args:
        name: Of the data set.
        data_dir: Folder of data sets.
    """
    return Path(data_dir, name, _VERSION)


def write_tensorflow_dataset(log: Interactions, name: str, data_dir: str | Path) -> None:
    """Write a log such that ``tfds.load(name, data_dir=data_dir)`` reads it, in place of an earlier
    data set of that name.

    An example is a user: ``user_id``, and of equal length, oldest first, ``item_id``,
    ``timestamp`` (microseconds since 1970), ``rating`` and ``provider`` (``""`` = unknown), as far
    as the log has them. ``--data tfds:NAME`` reads it too.

    Args:
        log: The log.
        name: Of the data set: lower-case letters, digits and underscores.
        data_dir: Folder of data sets.

    Raises:
        UserError: If the package is not installed, or the name can't be one.
    """
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise UserError(
            "Writing a data set needs tensorflow-datasets: pip install 'tf_iclrec[tfds]'"
        ) from error
    features: dict[str, tfds.features.FeatureConnector] = {"user_id": tfds.features.Text()}
    columns: dict[str, np.ndarray] = {"item_id": log.item_ids}
    tables = {"item_id": tf.constant(log.items.raw_ids.tolist())}
    if log.providers is not None:
        columns["provider"] = log.provider_ids
        tables["provider"] = tf.constant(log.providers.vocabulary.raw_ids.tolist())
    if log.times is not None:
        columns["timestamp"] = log.times
    if log.ratings is not None:
        columns["rating"] = log.ratings
    for column, values in columns.items():
        kind = tf.string if column in tables else tf.as_dtype(values.dtype)
        features[column] = tfds.features.Sequence(kind)
    users = tf.data.Dataset.from_tensor_slices(
        (tf.constant(log.users.astype(str)), log.offsets[:-1], log.offsets[1:])
    )

    def example(user: tf.Tensor, start: tf.Tensor, end: tf.Tensor) -> dict[str, tf.Tensor]:
        found = {"user_id": user}
        for column, values in columns.items():
            cells = tf.numpy_function(
                lambda first, last, values=values: np.asarray(values[first:last]),
                [start, end],
                tf.as_dtype(values.dtype),
            )
            cells = tf.ensure_shape(cells, [None])
            found[column] = tf.gather(tables[column], cells) if column in tables else cells
        return found

    folder = data_set_folder(name, data_dir)
    with locked(folder), replace_directory(folder) as new:
        made = new / "made"
        try:
            # It would say that the data set is in there.
            with contextlib.redirect_stdout(io.StringIO()):
                tfds.dataset_builders.store_as_tfds_dataset(
                    name=name,
                    version=_VERSION,
                    data_dir=str(made),
                    features=tfds.features.FeaturesDict(features),
                    split_datasets={"train": users.map(example)},
                )
        except ValueError as error:
            raise UserError(f"{name!r} can't be a data set: {first_line(error)}") from error
        for file in data_set_folder(name, made).iterdir():
            file.rename(new / file.name)
        shutil.rmtree(made)
