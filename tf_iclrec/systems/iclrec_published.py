"""ICLRec's own configuration, and SASRec and CL4SRec in its frame, to compare with."""

from tf_iclrec.systems.neural import NEURAL
from tf_iclrec.systems.system import System

# Sec. 5.1.4 and the authors' scripts; the other systems of its Table 1 train in the same frame.
PUBLISHED_TRAINING = {
    "epochs": 300,
    "batch_size": 256,
    "learning_rate_schedule": "constant",
    "patience": 40,
}
# Their Transformer.
PUBLISHED = PUBLISHED_TRAINING | {"num_blocks": 1, "relative_positions": False, "loss": "sampled"}

# What their program does with padding, wherever there are contrasts (docs/concepts/published.md).
WITH_PADDING = PUBLISHED | {
    "padding_places": 50,
    "pad_to_max_length": True,
    "masked_as_padding": True,
}

ICLREC_PUBLISHED = System(
    "iclrec_published",
    "ICLRec as published, with SeqCL and augmented views",
    "Chen et al., WWW 2022",
    NEURAL,
    WITH_PADDING | {"intent_weight": 0.1, "intent_both_ways": True, "sequence_weight": 0.1},
)
CL4SREC_PUBLISHED = System(
    "cl4srec_published",
    "CL4SRec as ICLRec's paper compares with it",
    "Xie et al., ICDE 2022",
    NEURAL,
    WITH_PADDING | {"sequence_weight": 0.1},
)
SASREC_PUBLISHED = System(
    "sasrec_published",
    "SASRec as ICLRec's paper compares with it",
    "Kang and McAuley, ICDM 2018",
    NEURAL,
    PUBLISHED,
)
