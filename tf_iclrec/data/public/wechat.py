"""WeChat: which videos users were shown, and whose they are (WeChat Big Data Challenge 2021)."""

import dataclasses
from pathlib import Path

from tf_iclrec.data.item_table import read_item_table
from tf_iclrec.data.preparation.source import source_of_files
from tf_iclrec.data.public.public_log import PublicLog, file_of

_PUBLISHED = "https://algo.weixin.qq.com (wechat_algo_data1)"
_DAY = 86_400e6


def wechat(path: Path) -> PublicLog:
    """The log of the challenge, of 20,000 users, as published.

    ``user_action.csv`` has a row per user (``userid``), video (``feedid``) and day (``date_``, from
    1 to 14), with what the user did; ``feed_info.csv`` says of each video whose it is
    (``authorid``), the provider. Day 1 is read as 1970-01-02; what happened on one day keeps the
    order of the file.

    Args:
        path: The folder, or the file of actions, beside which the other one is.

    Raises:
        UserError: If a file or column is not there.
    """
    actions = file_of(path, ("user_action.csv",), _PUBLISHED)
    feeds = file_of(actions.parent, ("feed_info.csv",), _PUBLISHED)
    return PublicLog(
        dataclasses.replace(source_of_files([actions]), time_unit=_DAY),
        {"user": "userid", "item": "feedid", "time": "date_"},
        read_item_table(feeds, "feedid", "authorid"),
    )
