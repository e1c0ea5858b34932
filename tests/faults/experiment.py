"""An experiment whose trainings run in its own process, where their steps can be watched."""

from unittest import mock

from tf_iclrec.experiments import Dataset, Experiment, Row, command, run_experiment

from ..experiments.conftest import TINY, in_turn

EXPERIMENT = Experiment(
    "tiny",
    "A tiny table",
    datasets=(Dataset("Walks", "sequences.txt"),),
    rows=(Row("transitions", "Counts", baseline=True), Row("sasrec", "SASRec")),
    settings=TINY,
    seeds=(0,),
)


def main(arguments: list[str]) -> None:
    """The command."""
    with mock.patch.object(command, "run_trials", in_turn):
        run_experiment(EXPERIMENT, arguments)
