"""Ways to split a log, by name."""

from collections.abc import Callable

from tf_iclrec.data.splits.leave_one_out import leave_one_out
from tf_iclrec.data.splits.split import Split
from tf_iclrec.data.splits.time import by_time

SPLITS: dict[str, Callable[..., Split]] = {"leave_one_out": leave_one_out, "time": by_time}
