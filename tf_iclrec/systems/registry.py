"""Systems by name, in the order in which they are shown."""

from tf_iclrec.systems.bert4rec import BERT4REC
from tf_iclrec.systems.caser import CASER
from tf_iclrec.systems.closed_form import EASE, TRANSITIONS
from tf_iclrec.systems.dssrec import DSSREC
from tf_iclrec.systems.gru4rec import GRU4REC
from tf_iclrec.systems.iclrec_categories import ICLREC_CATEGORIES
from tf_iclrec.systems.iclrec_published import ICLREC_PUBLISHED
from tf_iclrec.systems.ipsrec import ICLREC_IPS_C, ICLREC_IPS_S, IPSREC_C, IPSREC_S
from tf_iclrec.systems.matrix_factorization import BPR_MF
from tf_iclrec.systems.modern_attention import HSTU, LIGR
from tf_iclrec.systems.provider_sum import ICLREC_PROVIDER_SUM, PROVIDER_SUM
from tf_iclrec.systems.recipe import CL4SREC, ICLREC, SASREC
from tf_iclrec.systems.s3rec import ICL_S3REC, S3REC_ISP
from tf_iclrec.systems.sr_gnn import SR_GNN
from tf_iclrec.systems.system import System

SYSTEMS: dict[str, System] = {
    system.name: system
    for system in (
        *(ICLREC, ICLREC_PUBLISHED, ICLREC_CATEGORIES, CL4SREC, SASREC),
        *(BPR_MF, GRU4REC, CASER, BERT4REC, SR_GNN, S3REC_ISP, ICL_S3REC, DSSREC, HSTU, LIGR),
        *(TRANSITIONS, EASE),
        *(IPSREC_S, IPSREC_C, ICLREC_IPS_S, ICLREC_IPS_C, ICLREC_PROVIDER_SUM, PROVIDER_SUM),
    )
}
DEFAULT_SYSTEM = ICLREC.name
