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

SASREC = Row("sasrec_published", "SASRec", of_dataset=BLOCKS, baseline=True)
CL4SREC = Row("cl4srec_published", "CL4SRec", of_dataset=BLOCKS, baseline=True)
ICLREC = Row("iclrec_published", "ICLRec", of_dataset=BLOCKS)
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
        settings=settings,
        line=row.label,
        group=f"{value}",
        at={axis: value},
    )
