"""DSSRec: a sequence against its future, in the space of latent intents."""

from tf_iclrec.systems.iclrec_published import PUBLISHED_TRAINING
from tf_iclrec.systems.neural import NEURAL
from tf_iclrec.systems.system import System

DSSREC = System(
    "dssrec",
    "a vector per latent intent; the past against the future of a sequence",
    "Ma et al., KDD 2020",
    NEURAL,
    PUBLISHED_TRAINING
    | {
        "encoder": "disentangled",
        "num_heads": 1,
        "relative_positions": False,
        "loss": "disentangled_softmax",
        "future_weight": 1.0,
    },
)
