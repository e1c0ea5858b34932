"""Systems by name, in the order in which they are shown."""

from tf_iclrec.systems.iclrec_published import ICLREC_PUBLISHED
from tf_iclrec.systems.ipsrec import ICLREC_IPS_C, ICLREC_IPS_S, IPSREC_C, IPSREC_S
from tf_iclrec.systems.provider_sum import ICLREC_PROVIDER_SUM, PROVIDER_SUM
from tf_iclrec.systems.recipe import CL4SREC, ICLREC, SASREC
from tf_iclrec.systems.system import System

SYSTEMS: dict[str, System] = {
    system.name: system
    for system in (
        *(ICLREC, ICLREC_PUBLISHED, CL4SREC, SASREC),
        *(IPSREC_S, IPSREC_C, ICLREC_IPS_S, ICLREC_IPS_C, ICLREC_PROVIDER_SUM, PROVIDER_SUM),
    )
}
DEFAULT_SYSTEM = ICLREC.name
