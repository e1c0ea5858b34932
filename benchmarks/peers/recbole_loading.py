"""Load a log with RecBole as far as its sequences; runs in RecBole's environment.

    python recbole_loading.py FOLDER

FOLDER/recbole/recbole.inter is the log.
"""

import sys

from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.utils import init_seed

settings = {
    "data_path": sys.argv[1],
    "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
    "eval_args": {"split": {"LS": "valid_and_test"}, "order": "TO", "group_by": "user"},
    "train_neg_sample_args": None,
    "use_gpu": False,
    "state": "ERROR",
}
# RecBole reads options of the command line too.
sys.argv = sys.argv[:1]
config = Config(model="SASRec", dataset="recbole", config_dict=settings)
init_seed(config["seed"], config["reproducibility"])
train, _, _ = data_preparation(config, create_dataset(config))
print(len(train))
