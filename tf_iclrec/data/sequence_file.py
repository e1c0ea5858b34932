"""Sequence files: one user a line, positive integers."""

from pathlib import Path

import numpy as np

from tf_iclrec.data.interactions import Interactions
from tf_iclrec.errors import UserError

# What fits into 64 bits whatever the digits are.
_MAX_DIGITS = 18


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
