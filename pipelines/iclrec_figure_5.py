"""ICLRec, Fig. 5: the number of intents K, and lambda, the weight of the intent contrast.

python pipelines/iclrec_figure_5.py --data DIR --output runs/papers [--only Yelp]

Without FNM, as the authors' scripts train.
"""

from iclrec_paper import BLOCKS, CL4SREC, YELP

from tf_iclrec.experiments import Experiment, Row, comparison, costs, lines, run_experiment

INTENTS = (8, 64, 256, 512, 1024, 2048)
WEIGHTS = (0.1, 0.3, 0.5, 0.8)
USUAL = {"K": 256, "λ": 0.1}


def row(name: str, axis: str, value: float, **settings) -> Row:
    # What both axes have in common is on both.
    at = {axis: value} if value != USUAL[axis] else USUAL
    label = ", ".join(f"{axis} = {value}" for axis, value in at.items())
    return Row(name, f"ICLRec, {label}", "iclrec_published", settings, BLOCKS, line="ICLRec", at=at)


EXPERIMENT = Experiment(
    "iclrec_figure_5",
    "ICLRec, Fig. 5: intents and their weight",
    datasets=(YELP,),
    rows=(
        CL4SREC,
        *(row(f"k-{value}", "K", value, num_intents=(value,)) for value in INTENTS),
        *(
            row(f"lambda-{value}", "λ", value, intent_weight=value)
            for value in WEIGHTS
            if value != USUAL["λ"]
        ),
    ),
    metrics=("HR@20", "NDCG@20"),
    parts=(lines("K", log=True), lines("λ"), comparison, costs),
)

if __name__ == "__main__":
    run_experiment(EXPERIMENT)
