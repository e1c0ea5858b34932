"""ICLRec, Table 2: what each of its parts gives.

    python pipelines/iclrec_table_2.py --data DIR --output runs/papers [--only Beauty] [--seeds 0]

Rows are tested against the whole of it, (A). K is 1024 on Sports and 512 on Yelp, as in Table 4,
else 256; lambda is that of the scripts, 0.1. Some hours for each data set and seed on 2 cores.
"""

import dataclasses

from iclrec_paper import (
    BEAUTY,
    BEST_INTENTS,
    BLOCKS,
    CL4SREC,
    ICLREC_WITH_FNM,
    INTENTS,
    PRETRAINING,
    S3REC,
    SASREC,
    SPORTS,
    TOYS,
    YELP,
)

from tf_iclrec.experiments import Experiment, Row, paper_figures, run_experiment

ICL_ALONE = {"sequence_weight": 0.0, "intent_fnm": True}
# S3-Rec has two blocks everywhere.
ICL_S3REC = {data: INTENTS.get(data, {}) | PRETRAINING.get(data, {}) for data in BLOCKS}


def iclrec(label: str, **settings) -> Row:
    return Row(label[1], label, "iclrec_published", settings, BEST_INTENTS)


def like(row: Row, label: str, baseline: bool = False) -> Row:
    """A row of another table."""
    return dataclasses.replace(row, name=label[1], label=label, line=label, baseline=baseline)


ROWS = (
    like(ICLREC_WITH_FNM, "(A) ICLRec", baseline=True),
    iclrec("(B) w/o FNM"),
    iclrec("(C) only ICL", **ICL_ALONE),
    like(CL4SREC, "(D) w/o ICL"),
    iclrec("(E), is (C) w/o seq. aug", **ICL_ALONE, intent_views="dropout"),
    like(SASREC, "(F) SASRec"),
    Row("G", "(G) ICL + S3-Rec ISP", "icl_s3rec", {"intent_fnm": True}, ICL_S3REC),
    like(S3REC, "(H) S3-Rec ISP"),
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
