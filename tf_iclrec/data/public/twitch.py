"""Twitch: which streams users watched, and whose they are (Rappaz et al., RecSys 2021)."""

import dataclasses
from pathlib import Path

from tf_iclrec.data.preparation.source import source_of_files
from tf_iclrec.data.public.public_log import PublicLog, file_of

_NAMES = ("100k_a.csv", "full_a.csv", "full_a.csv.gz")
_PUBLISHED = "https://cseweb.ucsd.edu/~jmcauley/datasets.html#twitch"
# There is no header line. Times count rounds of ten minutes in which chats were read.
_COLUMNS = ("user_id", "stream_id", "streamer", "time_start", "time_stop")
_ROUND = 600e6


def twitch(path: Path) -> PublicLog:
    """The log of 100,000 users (``100k_a.csv``), or of all (``full_a.csv``), as published.

    A row is a user, a stream, its streamer, and the rounds of ten minutes, counted from an unknown
    beginning, from which to which the user was there. The streamer is the provider; the first round
    is the time, from 1970 on.

    Args:
        path: The file, or its folder.

    Raises:
        UserError: If it is not there, or has other columns.
    """
    source = source_of_files([file_of(path, _NAMES, _PUBLISHED)], _COLUMNS)
    return PublicLog(
        dataclasses.replace(source, time_unit=_ROUND),
        {"user": "user_id", "item": "stream_id", "time": "time_start", "provider": "streamer"},
    )
