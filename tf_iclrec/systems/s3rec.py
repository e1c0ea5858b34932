"""S3-Rec with items, sequences and segments: pre-training, then training, with or without ICL."""

from tf_iclrec.systems.iclrec_published import PUBLISHED, WITH_PADDING
from tf_iclrec.systems.neural import NEURAL
from tf_iclrec.systems.system import System

_S3REC = {"num_blocks": 2, "pretraining": "segments"}

S3REC_ISP = System(
    "s3rec_isp",
    "pre-trained to fill in items and segments, then trained as SASRec",
    "Zhou et al., CIKM 2020",
    NEURAL,
    PUBLISHED | _S3REC,
)
ICL_S3REC = System(
    "icl_s3rec",
    "the same, then trained as SASRec with intent contrast",
    "Chen et al., WWW 2022, Table 2 (G)",
    NEURAL,
    WITH_PADDING | _S3REC | {"intent_weight": 0.1, "intent_both_ways": True},
)
