"""The recipe: what did best on validation data, and the papers' models under it."""

from tf_iclrec.settings import AUTO
from tf_iclrec.systems.neural import NEURAL
from tf_iclrec.systems.system import System

# Of the parts' settings, those that their papers have otherwise.
RECIPE = {
    "hidden_dim": 256,
    "item_initialization": "spectral",
    "score_temperature": 0.07,
    "horizon": 5,
    "horizon_decay": 0.6,
    "intent_views": "dropout",
    "intent_temperature": 0.1,
    "intent_fnm": True,
    "normalize_contrast": True,
    "num_intents": AUTO,
}

ICLREC = System(
    "iclrec",
    "next item, and each sequence against its intent (ICL), after the library's recipe",
    "Chen et al., WWW 2022",
    NEURAL,
    RECIPE | {"intent_weight": 0.1},
)
CL4SREC = System(
    "cl4srec",
    "next item, and two augmented views of a sequence against each other (SeqCL)",
    "Xie et al., ICDE 2022",
    NEURAL,
    RECIPE | {"sequence_weight": 0.1},
)
SASREC = System(
    "sasrec", "next item, by self-attention", "Kang and McAuley, ICDM 2018", NEURAL, RECIPE
)
