"""SR-GNN: a gated network over the graph of a session."""

from tf_iclrec.systems.iclrec_published import PUBLISHED_TRAINING
from tf_iclrec.systems.neural import NEURAL
from tf_iclrec.systems.system import System

SR_GNN = System(
    "sr_gnn",
    "a gated network over the graph of a session's items",
    "Wu et al., AAAI 2019",
    NEURAL,
    PUBLISHED_TRAINING | {"encoder": "session_graph", "dropout": 0.0, "loss": "softmax"},
)
