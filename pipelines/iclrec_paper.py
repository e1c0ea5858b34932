"""What the tables and figures of ICLRec's paper (Chen et al., WWW 2022) share: the data sets, and
the settings of its authors for each."""

import dataclasses

from tf_iclrec.experiments import Dataset, Row

_SEQUENCES = (
    "The sequences are those of the authors: github.com/salesforce/ICLRec, folder data. A table of "
    "items has the columns item_id, provider and categories (separated by |), made from the "
    "attributes in github.com/RUCAIBox/CIKM2020-S3Rec, folder data."
)

SPORTS = Dataset("Sports", "Sports_and_Outdoors.txt", "Sports_and_Outdoors.tsv", source=_SEQUENCES)
BEAUTY = Dataset("Beauty", "Beauty.txt", "Beauty.tsv", source=_SEQUENCES)
TOYS = Dataset("Toys", "Toys_and_Games.txt", "Toys_and_Games.tsv", source=_SEQUENCES)
YELP = Dataset("Yelp", "Yelp.txt", "Yelp.tsv", source=_SEQUENCES)
EMBEDDED = Dataset("completejourney", "completejourney")

# The Transformer's layers in the authors' scripts; the paper says 2 for all.
BLOCKS = {
    "Sports": {"num_blocks": 2},
    "Beauty": {"num_blocks": 1},
    "Toys": {"num_blocks": 3},
    "Yelp": {"num_blocks": 2},
}

# S3-Rec's own pre-training; elsewhere it is 100.
PRETRAINING = {"Beauty": {"pretraining_epochs": 150}, "Toys": {"pretraining_epochs": 150}}
# The K that Sec. 5.5 and Table 4 find best; the scripts have 256 everywhere.
INTENTS = {"Sports": {"num_intents": (1024,)}, "Yelp": {"num_intents": (512,)}}
BEST_INTENTS = {data: blocks | INTENTS.get(data, {}) for data, blocks in BLOCKS.items()}

SASREC = Row("sasrec_published", "SASRec", of_dataset=BLOCKS, baseline=True)
S3REC = Row("s3rec_isp", "S3-Rec ISP", of_dataset=PRETRAINING, baseline=True)
CL4SREC = Row("cl4srec_published", "CL4SRec", of_dataset=BLOCKS, baseline=True)
# As the authors' scripts train it, without FNM, and the final model of the paper.
ICLREC = Row("iclrec_published", "ICLRec", of_dataset=BLOCKS)
ICLREC_WITH_FNM = Row(
    "iclrec_with_fnm", "ICLRec with FNM", "iclrec_published", {"intent_fnm": True}, BEST_INTENTS
)
# The same after the library's recipe, for those who ask for them with --models.
RECIPES = (
    Row("sasrec", "SASRec, recipe", baseline=True, optional=True),
    Row("cl4srec", "CL4SRec, recipe", baseline=True, optional=True),
    Row("iclrec", "ICLRec, recipe", optional=True),
)


def at(row: Row, axis: str, value: float, said: str, **settings) -> Row:
    """A row at one value of an axis, on the line of its model; ``said`` is the value in words."""
    return dataclasses.replace(
        row,
        name=f"{row.name}-{value}",
        label=f"{row.label}, {said}",
        settings={**row.settings, **settings},
        line=row.label,
        group=f"{value}",
        at={axis: value},
    )
