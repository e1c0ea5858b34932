"""Whether what takes a name is on the disk before, and the name afterwards: what the kernel saw."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

_CALL = re.compile(r"^\d+ +(?:<\.\.\. )?(\w+)(?:\(| resumed>)(.*)$")
_OF_DESCRIPTOR = re.compile(r"^\d+<([^>]*)>")
_WRITES = {"write", "pwrite64", "writev", "pwritev", "sendfile", "copy_file_range", "ftruncate"}
_FLUSHES = {"fsync", "fdatasync"}
_RENAMES = {"rename", "renameat", "renameat2"}


def traced(module: str, arguments: list, folder: Path) -> list[str]:
    """Run a command under strace; returns what was out of order with what it renamed in a folder.

    Raises:
        RuntimeError: If there is no strace, or it may not trace.
    """
    if shutil.which("strace") is None:
        raise RuntimeError("there is no strace")
    trace = folder.with_name("trace")
    calls = ",".join(sorted(_WRITES | _FLUSHES | _RENAMES))
    command = ["strace", "-f", "-y", "-s", "300", "-e", f"trace={calls}", "-o", trace]
    command += [sys.executable, "-m", f"tf_iclrec.{module}", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr[-500:])
    return out_of_order(trace.read_text(errors="replace").splitlines(), folder)


def out_of_order(lines: list[str], folder: Path) -> list[str]:
    """What a trace shows to be renamed without having been flushed, or not flushed afterwards."""
    dirty: set[str] = set()
    names: dict[str, str] = {}
    problems, renames = [], 0
    for line in lines:
        found = _CALL.match(line)
        if not found or (line.rstrip().endswith("<unfinished ...>") and found[1] in _RENAMES):
            continue
        call, rest = found[1], found[2]
        descriptor = _OF_DESCRIPTOR.match(rest)
        if call in _WRITES and descriptor:
            dirty.add(descriptor[1])
        elif call in _FLUSHES and descriptor:
            dirty.discard(descriptor[1])
            names.pop(descriptor[1], None)
        elif call in _RENAMES and rest.rstrip().endswith("= 0"):
            source, target = re.findall(r'"([^"]*)"', rest)[:2]
            if not target.startswith(str(folder)):
                continue
            inside = {one for one in dirty if one == source or one.startswith(f"{source}/")}
            moved = {one.replace(source, target, 1) for one in inside}
            if "/.writing." in target:
                # Inside of what has no final name yet.
                dirty = (dirty - inside) | moved
                continue
            renames += 1
            # What was removed before it was renamed needs no flush.
            late = sorted(one for one in moved if Path(one).exists())
            problems += [f"{one} was renamed before it was flushed" for one in late]
            # What is not flushed in what gave way is of no interest any more.
            dirty -= inside | {one for one in dirty if one.startswith(f"{target}/")}
            names[str(Path(target).parent)] = target
    problems += [f"the name of {one} was not flushed" for one in names.values()]
    return problems if renames else ["nothing was renamed"]
