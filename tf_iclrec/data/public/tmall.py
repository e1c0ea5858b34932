"""Tmall: what users bought, and from whom (IJCAI-16 and IJCAI-15)."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from tf_iclrec.data.preparation.source import source_of_table
from tf_iclrec.data.public.public_log import PublicLog, file_of
from tf_iclrec.errors import UserError, first_line

if TYPE_CHECKING:
    import pyarrow as pa


@dataclasses.dataclass(frozen=True)
class _Layout:
    """The columns of a log of user, item, seller, action and day, and how it writes them.

    Attributes:
        purchase: The action that is a purchase.
        year: What is missing in front of the day to be ``YYYYMMDD``.
    """

    user: str
    item: str
    seller: str
    action: str
    day: str
    purchase: str
    year: str

    @property
    def columns(self) -> list[str]:
        return [self.user, self.item, self.seller, self.action, self.day]


# What it is called, and where it is from. The first is the one of IPSRec, and of RecBole.
_LAYOUTS = {
    "ijcai2016_taobao.csv": _Layout("use_ID", "ite_ID", "sel_ID", "act_ID", "time", "1", ""),
    "user_log_format1.csv": _Layout(
        *("user_id", "item_id", "seller_id", "action_type", "time_stamp"), purchase="2", year="2014"
    ),
}
_PUBLISHED = "https://tianchi.aliyun.com/dataset/53 (IJCAI-16) or /42 (IJCAI-15)"


def tmall(path: Path) -> PublicLog:
    """The purchases in one of two logs of Tmall, as published; the seller is the provider.

    ``ijcai2016_taobao.csv`` has the columns ``use_ID,sel_ID,ite_ID,cat_ID,act_ID,time``: act_ID 0
    is a click and 1 a purchase, the time a day, ``20150701``. Its purchases are the log of IPSRec's
    Table 1, which counts one more of each: 885,759 users, 1,144,124 items, 7,592,214 purchases.
    ``user_log_format1.csv`` (repeat buyers) has
    ``user_id,item_id,cat_id,seller_id,brand_id,time_stamp,action_type``: action_type 2 is a
    purchase, the time a day of 2014 without a leading zero, ``829``. What happened on one day
    keeps the order of the file.

    Args:
        path: The file, or its folder.

    Raises:
        UserError: If it is not there, or is neither of the two.
    """
    import pyarrow as pa

    file = file_of(path, list(_LAYOUTS), _PUBLISHED)
    try:
        return PublicLog(source_of_table(_purchases(file), str(file)))
    except pa.ArrowInvalid as error:
        raise UserError(f"{file} can't be read: {first_line(error)}") from error


def _purchases(file: Path) -> pa.Table:
    """The purchases of a log, a block at a time: most of its rows are clicks."""
    import pyarrow as pa
    from pyarrow import csv

    with csv.open_csv(file) as head:
        names = head.schema.names
    layout = next((one for one in _LAYOUTS.values() if set(one.columns) <= set(names)), None)
    if layout is None:
        known = " or ".join(", ".join(one.columns) for one in _LAYOUTS.values())
        raise UserError(f"{file} has the columns {', '.join(names)}; a log of Tmall has {known}.")
    options = csv.ConvertOptions(
        include_columns=layout.columns,
        column_types=dict.fromkeys(layout.columns, pa.string()),
        strings_can_be_null=True,
    )
    with csv.open_csv(file, convert_options=options) as blocks:
        return pa.concat_tables(_bought(block, layout) for block in blocks)


def _bought(block: pa.RecordBatch, layout: _Layout) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = block.filter(pc.equal(block[layout.action], layout.purchase))
    day = pc.utf8_lpad(rows[layout.day], 8 - len(layout.year), "0")
    day = pc.binary_join_element_wise(layout.year, day, "")
    return pa.table(
        {
            "user_id": rows[layout.user],
            "item_id": rows[layout.item],
            "provider": rows[layout.seller],
            "timestamp": pc.strptime(day, format="%Y%m%d", unit="us"),
        }
    )
