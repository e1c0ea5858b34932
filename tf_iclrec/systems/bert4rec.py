"""BERT4Rec: masked items, asked for from both sides."""

from tf_iclrec.systems.iclrec_published import PUBLISHED_TRAINING
from tf_iclrec.systems.neural import NEURAL
from tf_iclrec.systems.system import System

BERT4REC = System(
    "bert4rec",
    "a Transformer that sees both sides, trained on masked items",
    "Sun et al., CIKM 2019",
    NEURAL,
    PUBLISHED_TRAINING
    | {
        "encoder": "bidirectional",
        "relative_positions": False,
        "cloze_ratio": 0.6,
        "loss": "softmax",
    },
)
