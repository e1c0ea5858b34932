import os
import subprocess
import sys

import pandas as pd

from tf_iclrec.data.prepared import read_prepared

HOUR = 3_600_000_000
# All in one process, which takes seconds to start.
PREPARE = """
import sys
from tf_iclrec.prepare import main

for log in sys.argv[1:]:
    main(["--data", log, "--output", f"{log}.prepared", "--since", "1970-01-01T12:00:00"])
"""


def test_times_are_in_utc_wherever_the_machine_is(tmp_path):
    """Those of logs, and those of options, which they are compared with."""
    times = ["1970-01-02", "1970-01-01T12:00:00", "1970-01-01"]
    table = pd.DataFrame({"user_id": ["ann", "ann", "bob"], "item_id": "tea", "timestamp": times})
    table.to_csv(tmp_path / "text.csv", index=False)
    for name, utc in (("naive.parquet", False), ("aware.parquet", True)):
        moments = pd.to_datetime(table["timestamp"], format="ISO8601", utc=utc)
        table.assign(timestamp=moments).to_parquet(tmp_path / name)
    logs = [tmp_path / name for name in ("text.csv", "naive.parquet", "aware.parquet")]
    command = [sys.executable, "-c", PREPARE, *logs]
    environment = {**os.environ, "TZ": "America/New_York"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    for log in logs:
        assert read_prepared(f"{log}.prepared").times.tolist() == [12 * HOUR, 24 * HOUR], log
