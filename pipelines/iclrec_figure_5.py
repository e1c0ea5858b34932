"""ICLRec, Fig. 5: the number of intents K, and lambda, the weight of the intent contrast.

python pipelines/iclrec_figure_5.py --data DIR --output runs/papers [--only Yelp]
"""

from iclrec_paper import BLOCKS, CL4SREC, YELP

from tf_iclrec.experiments import Experiment, Row, comparison, costs, lines, run_experiment

INTENTS = (8, 64, 256, 512, 1024, 2048)
WEIGHTS = (0.1, 0.3, 0.5, 0.8)


def row(name: str, axis: str, value: float, **settings) -> Row:
    model, label = "iclrec_published", f"ICLRec, {axis} = {value}"
    at = {axis: value}
    return Row(f"{name}-{value}", label, model, settings, BLOCKS, line="ICLRec", at=at)


EXPERIMENT = Experiment(
    "iclrec_figure_5",
    "ICLRec, Fig. 5: intents and their weight",
    datasets=(YELP,),
    rows=(
        CL4SREC,
        *(row("intents", "K", value, num_intents=(value,)) for value in INTENTS),
        *(row("weight", "λ", value, intent_weight=value) for value in WEIGHTS),
    ),
    metrics=("HR@20", "NDCG@20"),
    parts=(lines("K", log=True), lines("λ"), comparison, costs),
)

if __name__ == "__main__":
    run_experiment(EXPERIMENT)
