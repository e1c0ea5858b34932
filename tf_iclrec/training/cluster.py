"""The processes that train a model together, as ``TF_CONFIG`` names them."""

import dataclasses
import json
import os
import re

from tf_iclrec.errors import UserError

_JOBS = ("chief", "worker")
_EXAMPLE = (
    '{"cluster": {"worker": ["host0:2222", "host1:2222"]}, "task": {"type": "worker", "index": 0}}'
)


@dataclasses.dataclass(frozen=True)
class Cluster:
    """Processes, and which of them this one is.

    Attributes:
        addresses: ``host:port`` of each; the first is the chief, which writes all files.
        index: The number of this process among them, from 0.
    """

    addresses: tuple[str, ...] = ("",)
    index: int = 0

    @classmethod
    def of_environment(cls) -> "Cluster":
        """What ``TF_CONFIG`` says; one process where it is not set, or names no cluster.

        Raises:
            UserError: If it can't be read, or this process is none of the cluster's.

        Example:
        >>> from unittest import mock
        >>> task = {"type": "worker", "index": 1}
        >>> written = json.dumps({"cluster": {"worker": ["a:1", "b:1"]}, "task": task})
        >>> with mock.patch.dict(os.environ, TF_CONFIG=written):
        ...     Cluster.of_environment()
        Cluster(addresses=('a:1', 'b:1'), index=1)
        """
        text = os.environ.get("TF_CONFIG", "")
        if not text:
            return cls()
        try:
            written = json.loads(text)
        except ValueError as error:
            raise UserError(f"TF_CONFIG is not valid JSON: {error}") from error
        jobs = _part(_part(written, "", dict).get("cluster", {}), "cluster", dict)
        if not jobs:
            return cls()
        task = _part(written.get("task", {}), "task", dict)
        kind, index = task.get("type"), task.get("index")
        for name in (*jobs, kind):
            if name not in _JOBS:
                raise UserError(
                    f"TF_CONFIG has a task {name!r}: all processes of a training are of type "
                    f"{' or '.join(_JOBS)}."
                )
        lists = [_part(jobs.get(job, []), f"cluster.{job}", list) for job in _JOBS]
        addresses = tuple(address for one in lists for address in one)
        for address in addresses:
            if not isinstance(address, str) or not re.fullmatch(r"[^\s/]+:\d{1,5}", address):
                raise UserError(f"TF_CONFIG: {address!r} is no address such as host:2222.")
        if len(set(addresses)) < len(addresses):
            raise UserError("TF_CONFIG names an address twice: each process needs its own.")
        size = len(jobs.get(kind, []))
        if type(index) is not int or not 0 <= index < size:
            raise UserError(
                f"TF_CONFIG: task.index must be a number from 0 to {size - 1}, as there are {size} "
                f"of type {kind}, not {index!r}."
            )
        return cls(addresses, index + (len(lists[0]) if kind == "worker" else 0))

    def __len__(self) -> int:
        return len(self.addresses)


def _part(value: object, name: str, kind: type):
    if not isinstance(value, kind):
        where = f"TF_CONFIG: {name}" if name else "TF_CONFIG"
        what = "a JSON object" if kind is dict else "a list of addresses"
        raise UserError(f"{where} must be {what}, such as {_EXAMPLE}")
    return value
