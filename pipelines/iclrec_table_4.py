"""ICLRec, Table 4: categories of items as intents, in place of those that are found.

    python pipelines/iclrec_table_4.py --data DIR --output runs/papers [--only Sports] [--seeds 0]

All with FNM. Of an item's categories one is read here, the last; the paper has all of them.
"""

from iclrec_paper import BLOCKS, CL4SREC, SASREC, SPORTS, YELP

from tf_iclrec.experiments import Experiment, Row, paper_figures, run_experiment


def iclrec(name: str, label: str, **num_intents: int) -> Row:
    """ICLRec with a K for each data set."""
    settings = {data: BLOCKS[data] | {"num_intents": (k,)} for data, k in num_intents.items()}
    return Row(name, label, "iclrec_published", {"intent_fnm": True}, settings)


ROWS = (
    SASREC,
    CL4SREC,
    Row(
        "iclrec_categories",
        "ICLRec-A",
        settings={"item_attributes": "categories", "attribute_fnm": True},
        of_dataset=BLOCKS,
        items=True,
        baseline=True,
    ),
    iclrec("more_intents", "ICLRec, K 2048, 1024", Sports=2048, Yelp=1024),
    iclrec("fewer_intents", "ICLRec, K 1024, 512", Sports=1024, Yelp=512),
)
PAPER = """
    Sports NDCG@20 0.0216 0.0238 0.0272 0.0275 0.0287
    Yelp   NDCG@20 0.0179 0.0258 0.0264 0.0271 0.0283
"""
EXPERIMENT = Experiment(
    "iclrec_table_4",
    "ICLRec, Table 4: categories as intents",
    datasets=(SPORTS, YELP),
    rows=ROWS,
    metrics=("NDCG@20",),
    paper=paper_figures([row.label for row in ROWS], PAPER),
)

if __name__ == "__main__":
    run_experiment(EXPERIMENT)
