"""ICLRec, Fig. 3: users in three equally large groups by the length of their histories.

    python pipelines/iclrec_figure_3.py --data DIR --output runs/papers [--only Beauty Toys]

As in the paper, each group is a data set of its own: trained on and evaluated alone.
--models sasrec cl4srec iclrec does the same with the library's recipe.
"""

import dataclasses

from iclrec_paper import BEAUTY, CL4SREC, ICLREC, RECIPES, SASREC, SPORTS, TOYS, YELP

from tf_iclrec.experiments import Experiment, comparison, costs, lines, run_experiment

GROUPS = ("shortest", "middle", "longest")
AXIS = "third of the users by length"
ROWS = [
    dataclasses.replace(
        row,
        name=f"{row.name}-{number}",
        label=f"{row.label}, {group}",
        settings={"users_by_length": f"{number}/{len(GROUPS)}"},
        group=group,
        at={AXIS: number},
    )
    for number, group in enumerate(GROUPS, start=1)
    for row in (SASREC, CL4SREC, ICLREC, *RECIPES)
]
EXPERIMENT = Experiment(
    "iclrec_figure_3",
    "ICLRec, Fig. 3: groups of users",
    datasets=(BEAUTY, TOYS, SPORTS, YELP),
    rows=ROWS,
    metrics=("NDCG@20",),
    parts=(lines(AXIS), comparison, costs),
)

if __name__ == "__main__":
    run_experiment(EXPERIMENT)
