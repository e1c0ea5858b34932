import os

import pandas as pd
import pytest

from tf_iclrec.data.prepared import read_prepared

from .command_line import run

HOUR = 3_600_000_000


@pytest.mark.parametrize("form", ["csv", "parquet", "aware"])
def test_times_are_in_utc_wherever_the_machine_is(tmp_path, form):
    """Those of logs, and those of options, which they are compared with."""
    log, output = tmp_path / f"log.{form}", tmp_path / "prepared"
    times = ["1970-01-02", "1970-01-01T12:00:00", "1970-01-01"]
    table = pd.DataFrame({"user_id": ["ann", "ann", "bob"], "item_id": "tea", "timestamp": times})
    if form == "csv":
        table.to_csv(log, index=False)
    else:
        log = tmp_path / "log.parquet"
        moments = pd.to_datetime(table["timestamp"], format="ISO8601", utc=form == "aware")
        table.assign(timestamp=moments).to_parquet(log)
    arguments = ["--data", log, "--output", output, "--since", "1970-01-01T12:00:00"]
    result = run("prepare", *arguments, env={**os.environ, "TZ": "America/New_York"})
    assert result.returncode == 0, result.stderr
    assert read_prepared(output).times.tolist() == [12 * HOUR, 24 * HOUR]
