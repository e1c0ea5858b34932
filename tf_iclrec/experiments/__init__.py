"""Experiments: which models on which data, trained as needed, with honest statistics."""

from tf_iclrec.experiments.command import run_experiment
from tf_iclrec.experiments.dataset import Dataset
from tf_iclrec.experiments.experiment import Experiment
from tf_iclrec.experiments.measurement import Measurement
from tf_iclrec.experiments.paper import paper_figures
from tf_iclrec.experiments.parts.comparison import comparison
from tf_iclrec.experiments.parts.costs import costs
from tf_iclrec.experiments.parts.lines import lines
from tf_iclrec.experiments.row import Row

__all__ = [
    "Dataset",
    "Experiment",
    "Measurement",
    "Row",
    "comparison",
    "costs",
    "lines",
    "paper_figures",
    "run_experiment",
]
