"""ICLRec, Fig. 6: the batch size, whose users are the negatives of the contrasts.

    python pipelines/iclrec_figure_6.py --data DIR --output runs/papers [--only Yelp]

ICLRec with FNM, by which the paper explains the figure. --models cl4srec iclrec does the same with
the library's recipe.
"""

from iclrec_paper import CL4SREC, ICLREC_WITH_FNM, RECIPES, YELP, at

from tf_iclrec.experiments import Experiment, comparison, costs, lines, run_experiment

SIZES = (64, 128, 256, 512, 1024)
EXPERIMENT = Experiment(
    "iclrec_figure_6",
    "ICLRec, Fig. 6: batch size",
    datasets=(YELP,),
    rows=[
        at(row, "batch size", size, f"{size}", batch_size=size)
        for size in SIZES
        for row in (CL4SREC, ICLREC_WITH_FNM, *RECIPES)
    ],
    metrics=("NDCG@20",),
    parts=(lines("batch size", log=True), comparison, costs),
)

if __name__ == "__main__":
    run_experiment(EXPERIMENT)
