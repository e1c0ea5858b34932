"""Users with their histories, as they are given: raw ids, in lists or in a table."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tf_iclrec.data.histories import Histories
from tf_iclrec.errors import UserError

if TYPE_CHECKING:
    import pyarrow as pa

# Ids for all users, or a list of ids per user.
ItemIds = Sequence[str] | Sequence[Sequence[str]]
# Kinds of ids, where a list may stand.
_SINGLE = (str, bytes, int, float, np.integer, np.floating)
UserHistories = Mapping[str, Sequence[str]] | Sequence[Sequence[str]]


@dataclasses.dataclass(frozen=True)
class UserTable:
    """Users of a request.

    Attributes:
        user_ids: ``(users,)`` how to name them.
        histories: Their raw item ids, oldest first.
        exclude: Raw ids of items never to return: one list, or one per user.
    """

    user_ids: pa.Array
    histories: Histories
    exclude: Histories

    @classmethod
    def of(cls, histories: UserHistories | pa.Table, exclude: ItemIds = ()) -> UserTable:
        """From a list of histories, from histories by user id, or from an Arrow table.

        Args:
            histories: A table has the columns ``user_id`` (strings), ``history`` (lists of strings)
                and, optionally, ``exclude`` (lists of strings).
            exclude: Item ids for all users, or a list per user; a table has its column for that.

        Raises:
            UserError: If a table lacks a column or has one of another type, a history is no list,
                or there are more or fewer lists to exclude than users.

        Example:
        >>> import pyarrow as pa
        >>> users = UserTable.of(pa.table({"user_id": ["ann"], "history": [["tea", "jam"]]}))
        >>> users.histories.item_ids.tolist(), users.exclude.lengths.tolist()
        (['tea', 'jam'], [0])
        """
        import pyarrow as pa

        if isinstance(histories, pa.RecordBatch):
            histories = pa.Table.from_batches([histories])
        if isinstance(histories, pa.Table):
            return cls._of_arrow(histories, exclude)
        if isinstance(histories, Mapping):
            names, lists = pa.array(map(id_text, histories)), list(histories.values())
        else:
            names, lists = pa.array(np.arange(len(histories))), histories
        return cls(names, raw_lists(lists), raw_lists_for(exclude, len(lists)))

    @classmethod
    def _of_arrow(cls, table: pa.Table, exclude: ItemIds) -> UserTable:
        import pyarrow as pa

        missing = [name for name in ("user_id", "history") if name not in table.column_names]
        if missing:
            raise UserError(
                f"The table of users has no column {', '.join(map(repr, missing))}, only "
                f"{', '.join(table.column_names) or 'none'}."
            )
        user_ids = table["user_id"].combine_chunks()
        if not _is_text(user_ids.type):
            raise UserError(f"The column 'user_id' must hold strings, not {user_ids.type}.")
        if "exclude" in table.column_names:
            if len(exclude):
                raise UserError("Items to exclude are given twice, once in the table.")
            excluded = _lists_of(table, "exclude")
        else:
            excluded = raw_lists_for(exclude, len(table))
        return cls(user_ids.cast(pa.string()), _lists_of(table, "history"), excluded)


def id_text(raw_id: object) -> str:
    """An id as text; TensorFlow's strings, such as the answers of a SavedModel, are bytes.

    Whole numbers have no decimal point, as in logs: a column of integers with a hole is one of
    floats.

    Raises:
        UserError: If it is None or NaN.

    Example:
    >>> id_text("thé".encode()), id_text(7), id_text(7.0)
    ('thé', '7', '7')
    """
    if raw_id is None or raw_id != raw_id:
        raise UserError(f"An id is missing: {raw_id} stands in its place.")
    if isinstance(raw_id, float | np.floating) and float(raw_id).is_integer():
        return str(int(raw_id))
    return raw_id.decode(errors="replace") if isinstance(raw_id, bytes) else str(raw_id)


def raw_lists(lists: Sequence[Sequence[str]]) -> Histories:
    """Lists of raw ids, one after the other in one array.

    Raises:
        UserError: If one of them is no list: a text would be taken for a list of its letters.

    Example:
    >>> found = raw_lists([["tea", 7], [], ["jam"]])
    >>> found.item_ids.tolist(), found.ends.tolist()
    (['tea', '7', 'jam'], [2, 2, 3])
    """
    for one in lists:
        if one is None or isinstance(one, _SINGLE):
            raise UserError(
                f"Items are given as a list for each user, [[...]], and {one!r} is none."
            )
    raw = np.array([id_text(item) for items in lists for item in items], dtype=object)
    return _one_after_the_other(raw, np.fromiter(map(len, lists), np.int64, len(lists)))


def raw_lists_for(ids: ItemIds | None, num_users: int) -> Histories:
    """Raw item ids for all users as one list, or those of each as ``num_users``; None: no ids.

    Raises:
        UserError: If there is another number of lists, or they are given by name.
    """
    if isinstance(ids, Mapping):
        raise UserError(f"Items are one list, or a list per user in their order, not {ids!r:.80}.")
    ids = [ids] if isinstance(ids, str | bytes) else list(() if ids is None else ids)
    is_per_user = len(ids) > 0 and not isinstance(ids[0], _SINGLE)
    if not is_per_user:
        return raw_lists([ids])
    if len(ids) != num_users:
        raise UserError(f"There are {num_users} users and {len(ids)} lists of items.")
    return raw_lists(ids)


def _lists_of(table: pa.Table, name: str) -> Histories:
    import pyarrow as pa
    import pyarrow.compute as pc

    column = table[name].combine_chunks()
    is_list = pa.types.is_list(column.type) or pa.types.is_large_list(column.type)
    # An empty Python list has no type.
    if not is_list or not (_is_text(column.type.value_type) or not len(column.flatten())):
        raise UserError(f"The column {name!r} must hold lists of strings, not {column.type}.")
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    raw = pc.fill_null(column.flatten().cast(pa.string()), "").to_numpy(zero_copy_only=False)
    return _one_after_the_other(raw, lengths.astype(np.int64))


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _one_after_the_other(raw: np.ndarray, lengths: np.ndarray) -> Histories:
    ends = np.cumsum(lengths)
    return Histories(raw, ends - lengths, ends)
