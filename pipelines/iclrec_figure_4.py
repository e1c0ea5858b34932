"""ICLRec, Fig. 4: 5 to 20% of noise in the histories of the test, and by how much models drop.

    python pipelines/iclrec_figure_4.py --data DIR --output runs/papers [--only Sports]

The models are those of Table 1: in the same folder nothing is trained twice.
--models cl4srec iclrec does the same with the library's recipe.
"""

import dataclasses

from iclrec_paper import BEAUTY, CL4SREC, ICLREC, RECIPES, SPORTS, YELP

from tf_iclrec.experiments import Experiment, comparison, costs, run_experiment
from tf_iclrec.experiments.parts.noise import noise, noise_measurement

EXPERIMENT = Experiment(
    "iclrec_figure_4",
    "ICLRec, Fig. 4: noise",
    # Beauty is not in the paper's figure.
    datasets=(SPORTS, YELP, dataclasses.replace(BEAUTY, optional=True)),
    rows=(CL4SREC, ICLREC, *RECIPES),
    metrics=("NDCG@5",),
    measurements=(noise_measurement((0.05, 0.1, 0.15, 0.2)),),
    parts=(noise("NDCG@5"), comparison, costs),
)

if __name__ == "__main__":
    run_experiment(EXPERIMENT)
