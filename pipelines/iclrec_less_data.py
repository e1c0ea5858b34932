"""ICLRec with less to learn from: trained on the sequences of 10, 25, 50% and all of the users.

    python pipelines/iclrec_less_data.py --data DIR --output runs/papers [--only Beauty]

No figure of the paper: whether intents help where data are few. All users are evaluated.
--models sasrec cl4srec iclrec does the same with the library's recipe.
"""

from iclrec_paper import BEAUTY, CL4SREC, ICLREC, RECIPES, SASREC, TOYS, at

from tf_iclrec.experiments import Experiment, comparison, costs, lines, run_experiment

AXIS = "share of the users trained on"
EXPERIMENT = Experiment(
    "iclrec_less_data",
    "ICLRec with less data",
    datasets=(BEAUTY, TOYS),
    rows=[
        at(row, AXIS, share, f"{share:.0%}", training_share=share)
        for share in (0.1, 0.25, 0.5, 1.0)
        for row in (SASREC, CL4SREC, ICLREC, *RECIPES)
    ],
    metrics=("NDCG@20",),
    parts=(lines(AXIS), comparison, costs),
)

if __name__ == "__main__":
    run_experiment(EXPERIMENT)
