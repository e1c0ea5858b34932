"""Commands as a user runs them."""

import contextlib
import importlib
import io
import signal
import subprocess
import sys
import time

from tf_iclrec.commands import run_command


def run(module, *arguments, **kwargs):
    """A command in a process of its own."""
    command = [sys.executable, "-m", f"tf_iclrec.{module}", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **kwargs)


def run_here(module, *arguments):
    """The same in this process, which saves seconds: for what is refused or only says something."""
    main = importlib.import_module(f"tf_iclrec.{module}").main
    output, errors, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            run_command(lambda: main([*map(str, arguments)]), "Interrupted.")
        except SystemExit as stopped:
            code = stopped.code
    return subprocess.CompletedProcess(arguments, code, output.getvalue(), errors.getvalue())


def run_until(path, stop, module, *arguments):
    """Start a command and send it the signal ``stop`` as soon as ``path`` exists.

    Returns:
        Exit code and what it wrote to its standard error.
    """
    with subprocess.Popen(
        [sys.executable, "-m", f"tf_iclrec.{module}", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background job, such as these tests may be, has Ctrl-C switched off.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        deadline = time.time() + 120
        while not path.exists() and time.time() < deadline:
            time.sleep(0.01)
        process.send_signal(stop)
        _, errors = process.communicate(timeout=60)
    return process.returncode, errors


def check_refused(result, message):
    """Exit code 2 and one line that holds the message."""
    assert result.returncode == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr


def refused(message, module, *arguments):
    """A command, in this process, is refused."""
    check_refused(run_here(module, *arguments), message)
