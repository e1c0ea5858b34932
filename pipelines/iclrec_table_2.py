"""ICLRec, Table 2: what each of its parts gives.

    python pipelines/iclrec_table_2.py --data DIR --output runs/papers [--only Beauty] [--seeds 0]

Rows are tested against the whole of it, (A). Some hours for each data set and seed on 2 cores.
"""

from iclrec_paper import BEAUTY, BLOCKS, SPORTS, TOYS, YELP

from tf_iclrec.experiments import Experiment, Row, paper_figures, run_experiment

ICL_ALONE = {"sequence_weight": 0.0, "intent_fnm": True}


def of(model: str, label: str, **settings) -> Row:
    return Row(label[1], label, model, settings, BLOCKS, baseline=label.startswith("(A)"))


ROWS = (
    of("iclrec_published", "(A) ICLRec", intent_fnm=True),
    of("iclrec_published", "(B) w/o FNM"),
    of("iclrec_published", "(C) only ICL", **ICL_ALONE),
    of("cl4srec_published", "(D) w/o ICL"),
    of("iclrec_published", "(E), is (C) w/o seq. aug", **ICL_ALONE, intent_views="dropout"),
    of("sasrec_published", "(F) SASRec"),
    of("icl_s3rec", "(G) ICL + S3-Rec ISP"),
    of("s3rec_isp", "(H) S3-Rec ISP"),
)
PAPER = """
    Sports NDCG@20 0.0287 0.0283 0.0263 0.0238 0.0242 0.0216 0.0157 0.0146
    Beauty NDCG@20 0.0480 0.0465 0.0429 0.0428 0.0414 0.0387 0.0264 0.0198
    Toys   NDCG@20 0.0554 0.0524 0.0488 0.0505 0.0488 0.0441 0.0266 0.0162
    Yelp   NDCG@20 0.0283 0.0266 0.0267 0.0258 0.0213 0.0179 0.0205 0.0127
"""
EXPERIMENT = Experiment(
    "iclrec_table_2",
    "ICLRec, Table 2: ablation",
    datasets=(BEAUTY, SPORTS, TOYS, YELP),
    rows=ROWS,
    metrics=("NDCG@20",),
    paper=paper_figures([row.label for row in ROWS], PAPER),
)

if __name__ == "__main__":
    run_experiment(EXPERIMENT)
