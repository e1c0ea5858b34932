"""IPSRec, Table 3: both encoders with and without the contrast of items and providers.

    python pipelines/ipsrec_table_3.py --data DIR --output runs/papers [--only completejourney]

The data sets are those of Table 2; in the same folder nothing is trained twice. Each encoder is
tested against itself without the contrast.
"""

import dataclasses

from ipsrec_paper import DATASETS, SASREC, ipsrec

from tf_iclrec.experiments import Experiment, paper_figures, run_experiment

ROWS = (
    SASREC,
    *(
        dataclasses.replace(
            ipsrec(model, f"{label}{'' if contrast else ' w/o CL'}", contrast),
            group=label,
            baseline=not contrast,
        )
        for model, label in (("ipsrec_s", "IPSRec-S"), ("ipsrec_c", "IPSRec-C"))
        for contrast in (True, False)
    ),
)
PAPER = """
    Tmall  HR@5   0.0706 0.0743 0.0712 0.0760 0.0717
    Tmall  MRR@5  0.0489 0.0518 0.0498 0.0530 0.0495
    Tmall  NDCG@5 0.0543 0.0568 0.0546 0.0587 0.0551
    Twitch HR@5   0.0972 0.1014 0.0977 0.1028 0.0980
    Twitch MRR@5  0.0482 0.0493 0.0481 0.0505 0.0487
    Twitch NDCG@5 0.0603 0.0622 0.0603 0.0634 0.0611
    WeChat HR@5   0.0469 0.0514 0.0467 0.0510 0.0473
    WeChat MRR@5  0.0235 0.0255 0.0230 0.0263 0.0247
    WeChat NDCG@5 0.0293 0.0319 0.0296 0.0324 0.0302
"""
EXPERIMENT = Experiment(
    "ipsrec_table_3",
    "IPSRec, Table 3: ablation",
    datasets=DATASETS,
    rows=ROWS,
    metrics=("HR@5", "MRR@5", "NDCG@5"),
    paper=paper_figures([row.label for row in ROWS], PAPER),
)

if __name__ == "__main__":
    run_experiment(EXPERIMENT)
