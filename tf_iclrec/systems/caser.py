"""Caser: convolutions over the last items, and the user."""

from tf_iclrec.systems.iclrec_published import PUBLISHED_TRAINING
from tf_iclrec.systems.neural import NEURAL
from tf_iclrec.systems.system import System

CASER = System(
    "caser",
    "horizontal and vertical convolutions over the last items, and a vector of the user",
    "Tang and Wang, WSDM 2018",
    NEURAL,
    PUBLISHED_TRAINING | {"encoder": "convolutional", "hidden_dim": 50, "loss": "sampled"},
)
