"""IPSRec: items and providers together, in one stream or in two; and its encoders with intents."""

from tf_iclrec.systems.neural import NEURAL
from tf_iclrec.systems.recipe import RECIPE
from tf_iclrec.systems.system import System

_PAPER = "IPSRec, SIGIR 2022"

IPSREC_S = System(
    "ipsrec_s",
    "item side against provider side; one Transformer reads both",
    _PAPER,
    NEURAL,
    RECIPE | {"encoder": "single_stream", "provider_weight": 0.1},
)
IPSREC_C = System(
    "ipsrec_c",
    "the same; a Transformer for each side, fused by co-attention",
    _PAPER,
    NEURAL,
    RECIPE | {"encoder": "cross_stream", "provider_weight": 0.1},
)
ICLREC_IPS_S = System(
    "iclrec_ips_s",
    "IPSRec's encoder with one stream, and intent contrast",
    _PAPER,
    NEURAL,
    RECIPE | {"encoder": "single_stream", "intent_weight": 0.1},
)
ICLREC_IPS_C = System(
    "iclrec_ips_c",
    "IPSRec's encoder with two streams, and intent contrast",
    _PAPER,
    NEURAL,
    RECIPE | {"encoder": "cross_stream", "intent_weight": 0.1},
)
