"""ICLRec, Fig. 8: beta, the weight of the contrast of sequences.

python pipelines/iclrec_figure_8.py --data DIR --output runs/papers [--only Beauty]

Without FNM, as the authors' scripts train.
"""

from iclrec_paper import BEAUTY, BLOCKS, SASREC, YELP

from tf_iclrec.experiments import Experiment, Row, comparison, costs, lines, run_experiment

WEIGHTS = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8)
EXPERIMENT = Experiment(
    "iclrec_figure_8",
    "ICLRec, Fig. 8: the weight of SeqCL",
    datasets=(BEAUTY, YELP),
    rows=(
        SASREC,
        *(
            Row(
                f"beta-{weight}",
                f"ICLRec, β = {weight}",
                "iclrec_published",
                {"sequence_weight": weight},
                BLOCKS,
                line="ICLRec",
                at={"β": weight},
            )
            for weight in WEIGHTS
        ),
    ),
    metrics=("NDCG@20",),
    parts=(lines("β"), comparison, costs),
)

if __name__ == "__main__":
    run_experiment(EXPERIMENT)
