"""Losses of the next item and contrasts beside them, by name."""

from tf_iclrec.objectives.attribute_contrast import AttributeContrast
from tf_iclrec.objectives.bpr_max import BprMax
from tf_iclrec.objectives.contrast import Contrast
from tf_iclrec.objectives.disentangled_softmax import DisentangledSoftmax
from tf_iclrec.objectives.future_contrast import FutureContrast
from tf_iclrec.objectives.intent_contrast import IntentContrast
from tf_iclrec.objectives.item_provider_contrast import ItemProviderContrast
from tf_iclrec.objectives.objective import Objective
from tf_iclrec.objectives.pairwise_ranking import PairwiseRanking
from tf_iclrec.objectives.sampled_cross_entropy import SampledCrossEntropy
from tf_iclrec.objectives.sampled_softmax import SampledSoftmaxCrossEntropy
from tf_iclrec.objectives.sequence_contrast import SequenceContrast
from tf_iclrec.objectives.softmax_cross_entropy import SoftmaxCrossEntropy

NEXT_ITEM_LOSSES: dict[str, type[Objective]] = {
    "softmax": SoftmaxCrossEntropy,
    "sampled_softmax": SampledSoftmaxCrossEntropy,
    "sampled": SampledCrossEntropy,
    "bpr": PairwiseRanking,
    "bpr_max": BprMax,
    "disentangled_softmax": DisentangledSoftmax,
}

CONTRASTS: dict[str, type[Contrast]] = {
    kind.name: kind
    for kind in (
        *(SequenceContrast, IntentContrast, AttributeContrast),
        *(ItemProviderContrast, FutureContrast),
    )
}
