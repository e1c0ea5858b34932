"""IPSRec, Table 2: both encoders beside models that know no providers.

    python pipelines/ipsrec_table_2.py --data DIR --output runs/papers [--only completejourney]

On the embedded data, whose providers are manufacturers, and the data sets of ICLRec's paper that
have brands; on Tmall, Twitch and WeChat for those who have them: --only Tmall.
"""

from ipsrec_paper import CASER, DATASETS, GRU4REC, SASREC, SR_GNN, ipsrec

from tf_iclrec.experiments import Experiment, paper_figures, run_experiment

ROWS = (
    GRU4REC,
    CASER,
    SASREC,
    SR_GNN,
    ipsrec("ipsrec_s", "IPSRec-S"),
    ipsrec("ipsrec_c", "IPSRec-C"),
)
PAPER = """
    Tmall  HR@5    0.0638 0.0422 0.0706 0.0620 0.0743 0.0760
    Tmall  HR@10   0.0767 0.0544 0.0880 0.0760 0.0964 0.0956
    Tmall  MRR@5   0.0484 0.0305 0.0489 0.0450 0.0518 0.0530
    Tmall  MRR@10  0.0501 0.0321 0.0512 0.0468 0.0552 0.0556
    Tmall  NDCG@5  0.0523 0.0334 0.0543 0.0492 0.0568 0.0587
    Tmall  NDCG@10 0.0564 0.0373 0.0599 0.0537 0.0652 0.0650
    Twitch HR@5    0.0907 0.0711 0.0972 0.0823 0.1014 0.1028
    Twitch HR@10   0.1348 0.1074 0.1487 0.1220 0.1549 0.1560
    Twitch MRR@5   0.0485 0.0374 0.0482 0.0440 0.0493 0.0505
    Twitch MRR@10  0.0544 0.0422 0.0550 0.0493 0.0564 0.0575
    Twitch NDCG@5  0.0589 0.0457 0.0603 0.0535 0.0622 0.0634
    Twitch NDCG@10 0.0732 0.0574 0.0769 0.0663 0.0795 0.0805
    WeChat HR@5    0.0452 0.0402 0.0469 0.0426 0.0514 0.0510
    WeChat HR@10   0.0733 0.0635 0.0740 0.0696 0.0824 0.0801
    WeChat MRR@5   0.0225 0.0214 0.0235 0.0221 0.0255 0.0263
    WeChat MRR@10  0.0254 0.0244 0.0271 0.0256 0.0296 0.0301
    WeChat NDCG@5  0.0281 0.0260 0.0293 0.0271 0.0319 0.0324
    WeChat NDCG@10 0.0365 0.0335 0.0380 0.0358 0.0418 0.0417
"""
EXPERIMENT = Experiment(
    "ipsrec_table_2",
    "IPSRec, Table 2",
    datasets=DATASETS,
    rows=ROWS,
    metrics=("HR@5", "HR@10", "MRR@5", "MRR@10", "NDCG@5", "NDCG@10"),
    paper=paper_figures([row.label for row in ROWS], PAPER),
)

if __name__ == "__main__":
    run_experiment(EXPERIMENT)
