"""ICLRec-A: what is known of a user's items in place of intents that are found."""

from tf_iclrec.systems.iclrec_published import WITH_PADDING
from tf_iclrec.systems.neural import NEURAL
from tf_iclrec.systems.system import System

ICLREC_CATEGORIES = System(
    "iclrec_categories",
    "iclrec_published, with the mean of the items' categories as the intent",
    "Chen et al., WWW 2022, Appendix E",
    NEURAL,
    WITH_PADDING | {"sequence_weight": 0.1, "attribute_weight": 0.1, "attribute_both_ways": True},
)
