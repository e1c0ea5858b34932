"""The errors a user can cause and mend.

Commands print such an error as one line and exit with code 2; Python users catch it as a
``ValueError``.
"""

import difflib
from collections.abc import Iterable


class UserError(ValueError):
    """Bad input: the message says what is wrong and what to do."""


class UnknownNameError(UserError):
    """A name under which nothing is entered."""


class NonFiniteLossError(ArithmeticError):
    """A loss term became NaN or infinite during training."""


class LostProcessError(RuntimeError):
    """Another process of a training over several has ended."""


def first_line(error: BaseException) -> str:
    """What an error says, in one line; its class, where it says nothing.

    Example:
    >>> first_line(ValueError("no table\\nin it")), first_line(TimeoutError())
    ('no table', 'TimeoutError')
    """
    return (str(error).splitlines() or [type(error).__name__])[0]


def nearest(name: str, valid: Iterable[str]) -> str:
    """Say which valid name was probably meant, or else all of them.

    Example:
    >>> nearest("iclrek", ["sasrec", "iclrec"])
    "did you mean 'iclrec'?"
    >>> nearest("bert", ["sasrec", "iclrec"])
    'valid are iclrec, sasrec.'
    """
    valid = sorted(valid)
    close = difflib.get_close_matches(name, valid, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"valid are {', '.join(valid)}."
