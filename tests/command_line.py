"""Commands as a user runs them: in a process of their own."""

import subprocess
import sys


def run(module, *arguments, **kwargs):
    command = [sys.executable, "-m", f"tf_iclrec.{module}", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **kwargs)


def check_refused(result, message):
    """Exit code 2 and one line that holds the message."""
    assert result.returncode == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr
