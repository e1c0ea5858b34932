"""The sections of a configuration that all systems share: data, split, evaluation, serving."""

from tf_iclrec.data.preparation.selection import Selection
from tf_iclrec.data.reading import read_log
from tf_iclrec.data.splits.everything import split_to_serve
from tf_iclrec.data.splits.registry import SPLITS
from tf_iclrec.data.splits.training_share import train_on_share
from tf_iclrec.evaluation.held_out import held_out_answers
from tf_iclrec.serving.saved_model import export_saved_model
from tf_iclrec.systems.system import Section

DATA = Section("data", "Data", (read_log, Selection))

BEFORE = (
    DATA,
    Section(
        "split",
        "Split",
        alternatives=SPLITS,
        prefix="split_",
        option="split",
        default="leave_one_out",
        help="what is trained on and what is held out",
    ),
    Section("trained_on", "Users to train on", (train_on_share,)),
)

AFTER = (
    Section("evaluation", "Evaluation", (held_out_answers,)),
    Section("final", "What is trained for serving", (split_to_serve,)),
    Section("serving", "Serving", (export_saved_model,)),
)
