"""The providers' vectors added to the items': the best with providers so far."""

from tf_iclrec.systems.neural import NEURAL
from tf_iclrec.systems.recipe import RECIPE
from tf_iclrec.systems.system import System

ICLREC_PROVIDER_SUM = System(
    "iclrec_provider_sum",
    "iclrec, with the provider's vector added to the item's",
    "this library",
    NEURAL,
    RECIPE | {"encoder": "provider_sum", "intent_weight": 0.1},
)
PROVIDER_SUM = System(
    "provider_sum",
    "the same without intents: next item alone",
    "this library",
    NEURAL,
    RECIPE | {"encoder": "provider_sum"},
)
