"""IPSRec, Table 1: how large the data sets are.

    python pipelines/ipsrec_table_1.py --data DIR --output runs/papers [--only Tmall]

The paper counts one user and one item more than the logs have, it seems with the id of padding.
"""

from ipsrec_paper import DATASETS

from tf_iclrec.experiments import Experiment, run_experiment
from tf_iclrec.experiments.parts.statistics import statistics

PAPER = {
    "Tmall": (885_760, 1_144_125, 7_592_214, 9_998, 7_592_214),
    "Twitch": (100_001, 739_992, 3_051_733, 162_626, 3_051_733),
    "WeChat": (20_001, 96_565, 7_317_882, 18_430, 7_317_882),
}
COLUMNS = ("users", "items", "interactions", "providers", "with provider")
EXPERIMENT = Experiment(
    "ipsrec_table_1",
    "IPSRec, Table 1: data sets",
    datasets=DATASETS,
    rows=(),
    paper={
        (name, "data", column): f"{size}"
        for name, sizes in PAPER.items()
        for column, size in zip(COLUMNS, sizes, strict=True)
    },
    parts=(statistics,),
)

if __name__ == "__main__":
    run_experiment(EXPERIMENT)
