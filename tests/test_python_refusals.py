"""What people give in Python by mistake, and what they are told."""

import numpy as np
import pandas as pd
import pytest

from tf_iclrec import Interactions, UserError, fit, load_interactions, make_config, training_batches
from tf_iclrec.data.preparation.columns import choose_columns
from tf_iclrec.data.preparation.source import files_of
from tf_iclrec.data.splits.leave_one_out import leave_one_out
from tf_iclrec.serving.item_filters import allowed_items

LOG = Interactions.from_sequences({"ann": "abcd", "bob": "bcda"})


def test_a_table_is_no_log(tmp_path):
    with pytest.raises(UserError, match=r"are a DataFrame, .* load_interactions\(table\) makes"):
        fit(make_config("transitions"), tmp_path / "run", interactions=pd.DataFrame())
    assert not (tmp_path / "run").exists()


def test_what_would_not_be_applied_to_a_log(tmp_path):
    config = make_config("transitions", min_item_count=5)
    with pytest.raises(
        UserError, match=r"^min_item_count would not be applied .* set min_item_count=0\."
    ):
        fit(config, tmp_path / "run", interactions=LOG)
    assert not (tmp_path / "run").exists()


def test_a_table_names_no_files():
    with pytest.raises(UserError, match="data names files, and a DataFrame is none"):
        make_config("transitions", data=pd.DataFrame())


def test_numbers_of_numpy_are_a_list():
    assert make_config("iclrec", num_intents=np.array([3, 4])).intents.num_intents == (3, 4)


def test_ids_of_mixed_types():
    table = pd.DataFrame({"user": [1, "ann"], "item": ["a", "b"], "time": [1, 2]})
    with pytest.raises(UserError, match=r"of mixed ids, make text with astype\(str\)"):
        load_interactions(table)


def test_no_rows_in_a_batch():
    with pytest.raises(ValueError, match="batch_size must be at least 1, not 0"):
        training_batches(leave_one_out(LOG), batch_size=0)


def test_an_empty_name_is_no_folder():
    with pytest.raises(UserError, match="name of a file or folder is empty"):
        files_of([""])


def test_one_column_for_two():
    given = {"user": "id", "item": "id"}
    with pytest.raises(UserError, match=r"need a column each; of log\.csv they are id, id, time"):
        choose_columns(["id", "time"], given, "log.csv")


def test_filters_are_no_list():
    with pytest.raises(UserError, match="Filters are a dict such as"):
        allowed_items(LOG.catalogue, ["provider=acme"], None)
