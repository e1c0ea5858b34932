"""What one would compare with today: HSTU's and LiGR's blocks under the recipe."""

from tf_iclrec.systems.neural import NEURAL
from tf_iclrec.systems.recipe import RECIPE
from tf_iclrec.systems.system import System

HSTU = System(
    "hstu",
    "attention without softmax, gated (HSTU's block), after the recipe",
    "Zhai et al., ICML 2024",
    NEURAL,
    RECIPE | {"encoder": "hstu"},
)
LIGR = System(
    "ligr",
    "gated residual Transformer blocks, as in eSASRec, after the recipe",
    "Tikhonovich et al., RecSys 2025",
    NEURAL,
    RECIPE | {"encoder": "ligr"},
)
