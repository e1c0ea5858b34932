"""Load a log with RecTools as far as its data set; runs in RecTools' environment.

    python rectools_loading.py FOLDER

FOLDER/transactions.parquet is the log.
"""

import sys
from pathlib import Path

import pandas as pd
from rectools import Columns
from rectools.dataset import Dataset

rows = pd.read_parquet(Path(sys.argv[1]) / "transactions.parquet")
rows = rows.rename(columns={"timestamp": Columns.Datetime}).assign(**{Columns.Weight: 1})
data = Dataset.construct(rows[[Columns.User, Columns.Item, Columns.Weight, Columns.Datetime]])
# The order that its sequential models need is made by each of them when it is trained.
ordered = data.interactions.df.sort_values([Columns.User, Columns.Datetime], kind="stable")
print(len(ordered))
