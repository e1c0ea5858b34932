"""GRU4Rec: a recurrent network over the history."""

from tf_iclrec.systems.iclrec_published import PUBLISHED_TRAINING
from tf_iclrec.systems.neural import NEURAL
from tf_iclrec.systems.system import System

GRU4REC = System(
    "gru4rec",
    "a recurrent network with gates over the history",
    "Hidasi et al., ICLR 2016",
    NEURAL,
    PUBLISHED_TRAINING | {"encoder": "gru", "gru_dim": 128, "dropout": 0.3, "loss": "softmax"},
)
