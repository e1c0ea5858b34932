"""ICLRec, Fig. 7: how the vectors of users lie by the category of their items, on a map (t-SNE) and
in figures.

    python pipelines/iclrec_figure_7.py --data DIR --output runs/papers [--only Sports]

Needs the extra `plots`. The models are those of Table 1: in the same folder nothing is trained
twice. --models sasrec cl4srec iclrec does the same with the library's recipe.
"""

from iclrec_paper import BEAUTY, CL4SREC, ICLREC, RECIPES, SASREC, SPORTS

from tf_iclrec.experiments import Experiment, comparison, costs, run_experiment
from tf_iclrec.experiments.parts.vectors import vectors, vectors_measurement

EXPERIMENT = Experiment(
    "iclrec_figure_7",
    "ICLRec, Fig. 7: vectors of users",
    datasets=(SPORTS, BEAUTY),
    rows=(SASREC, CL4SREC, ICLREC, *RECIPES),
    metrics=("NDCG@20",),
    measurements=(vectors_measurement(),),
    parts=(vectors, comparison, costs),
)

if __name__ == "__main__":
    run_experiment(EXPERIMENT)
