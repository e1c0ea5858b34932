import subprocess
import sys
from pathlib import Path

import pytest

from ..small_runs import write_log


@pytest.mark.replicas
def test_the_e_step_sees_all_users_and_training_goes_on_outside_the_scope(tmp_path):
    log = write_log(tmp_path / "log")
    script = Path(__file__).with_name("own_fit.py")
    done = subprocess.run([sys.executable, script, log], check=True, capture_output=True, text=True)
    seen, trained, moved = done.stdout.split()[-3:]
    assert (seen, moved) == (trained, "True")
