"""BPR-MF: users and items as vectors, trained on pairs."""

from tf_iclrec.systems.iclrec_published import PUBLISHED_TRAINING
from tf_iclrec.systems.neural import NEURAL
from tf_iclrec.systems.system import System

BPR_MF = System(
    "bpr_mf",
    "a vector per user and item; an item of the user above one that is not",
    "Rendle et al., UAI 2009",
    NEURAL,
    PUBLISHED_TRAINING
    | {
        "encoder": "matrix_factorization",
        "loss": "bpr",
        # The paper leaves it open; chosen on the validation part of Beauty.
        "bpr_regularization": 0.01,
        "dropout": 0.0,
    },
)
