"""ICLRec's own configuration, to compare with."""

from tf_iclrec.systems.neural import NEURAL
from tf_iclrec.systems.system import System

# Sec. 5.1.4 and the authors' scripts, for all models of its Table 1.
PUBLISHED_TRAINING = {
    "epochs": 300,
    "batch_size": 256,
    "learning_rate_schedule": "constant",
    "patience": 40,
}
# Their Transformer.
PUBLISHED = PUBLISHED_TRAINING | {"num_blocks": 1, "relative_positions": False, "loss": "sampled"}

ICLREC_PUBLISHED = System(
    "iclrec_published",
    "ICLRec as published, with SeqCL and augmented views",
    "Chen et al., WWW 2022",
    NEURAL,
    PUBLISHED | {"intent_weight": 0.1, "sequence_weight": 0.1},
)
