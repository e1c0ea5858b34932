"""Sequential recommendation that knows users' intents, for TensorFlow and Keras 3.

ICLRec (Chen et al., WWW 2022) and the models around it: data in, training with
``model.fit()``, full-ranking evaluation, and a SavedModel out.
"""

import sys
import types

from tf_iclrec.startup import load_tensorflow

load_tensorflow()

from tf_iclrec.analysis.compare_runs import compare_runs
from tf_iclrec.analysis.evaluate_run import evaluate_run
from tf_iclrec.analysis.intents.describe import describe_intents
from tf_iclrec.analysis.intents.intent_report import IntentReport
from tf_iclrec.analysis.vectors.structure import vector_structure
from tf_iclrec.config import Config, make_config
from tf_iclrec.data.augmentation import ViewRatios
from tf_iclrec.data.batches import evaluation_batches, sequence_batches, training_batches
from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.item_attributes import ItemAttribute
from tf_iclrec.data.item_cells import read_item_attribute
from tf_iclrec.data.item_sampler import Sampling
from tf_iclrec.data.preparation.selection import Selection
from tf_iclrec.data.reading import load_interactions
from tf_iclrec.data.splits.leave_one_out import leave_one_out
from tf_iclrec.data.splits.registry import SPLITS
from tf_iclrec.data.splits.split import Split
from tf_iclrec.data.splits.time import by_time
from tf_iclrec.data.vocabulary import Vocabulary
from tf_iclrec.encoders.cross_stream import CrossStreamEncoder
from tf_iclrec.encoders.encoder import Encoder
from tf_iclrec.encoders.ensemble import EnsembleEncoder
from tf_iclrec.encoders.provider_sum import ProviderSumEncoder
from tf_iclrec.encoders.registry import ENCODERS
from tf_iclrec.encoders.self_attentive import SelfAttentiveEncoder
from tf_iclrec.encoders.single_stream import SingleStreamEncoder
from tf_iclrec.errors import LostProcessError, NonFiniteLossError, UserError
from tf_iclrec.evaluation.groups import GROUPINGS, Grouping
from tf_iclrec.evaluation.held_out import held_out_ranks
from tf_iclrec.evaluation.metrics import metrics_of_ranks
from tf_iclrec.evaluation.significance import (
    confidence_interval,
    holm_correction,
    paired_t_test,
)
from tf_iclrec.fit import build_model, fit
from tf_iclrec.models.popularity import PopularityRecommender
from tf_iclrec.models.sequential_recommender import SequentialRecommender
from tf_iclrec.objectives.contrast import Contrast
from tf_iclrec.objectives.intent_contrast import IntentContrast
from tf_iclrec.objectives.item_provider_contrast import ItemProviderContrast
from tf_iclrec.objectives.objective import Objective
from tf_iclrec.objectives.registry import CONTRASTS, NEXT_ITEM_LOSSES
from tf_iclrec.objectives.sampled_cross_entropy import SampledCrossEntropy
from tf_iclrec.objectives.sampled_softmax import SampledSoftmaxCrossEntropy
from tf_iclrec.objectives.sequence_contrast import SequenceContrast
from tf_iclrec.objectives.softmax_cross_entropy import SoftmaxCrossEntropy
from tf_iclrec.recommendation import recommend
from tf_iclrec.rolling import fit_at_dates
from tf_iclrec.runs import Run, load_run
from tf_iclrec.serving.batch_recommender import BatchRecommender
from tf_iclrec.serving.new_items import with_new_items
from tf_iclrec.serving.provider_ranking import (
    limit_per_provider,
    provider_affinities,
    provider_mean_vectors,
)
from tf_iclrec.serving.saved_model import export_saved_model
from tf_iclrec.serving.saved_model_recommender import SavedModelRecommender, recommend_batches
from tf_iclrec.settings import Setting
from tf_iclrec.systems.registry import SYSTEMS
from tf_iclrec.systems.system import System
from tf_iclrec.training.intent_clustering import IntentClustering
from tf_iclrec.training.lazy_adam import LazyAdam
from tf_iclrec.training.number_of_intents import NumberOfIntents, choose_num_intents

__version__ = "0.6.10"

__all__ = [
    "CONTRASTS",
    "ENCODERS",
    "GROUPINGS",
    "NEXT_ITEM_LOSSES",
    "SPLITS",
    "SYSTEMS",
    "BatchRecommender",
    "Catalogue",
    "Config",
    "Contrast",
    "CrossStreamEncoder",
    "Encoder",
    "EnsembleEncoder",
    "Grouping",
    "IntentClustering",
    "IntentContrast",
    "IntentReport",
    "Interactions",
    "ItemAttribute",
    "ItemProviderContrast",
    "LazyAdam",
    "LostProcessError",
    "NonFiniteLossError",
    "NumberOfIntents",
    "Objective",
    "PopularityRecommender",
    "ProviderSumEncoder",
    "Run",
    "SampledCrossEntropy",
    "SampledSoftmaxCrossEntropy",
    "Sampling",
    "SavedModelRecommender",
    "Selection",
    "SelfAttentiveEncoder",
    "SequenceContrast",
    "SequentialRecommender",
    "Setting",
    "SingleStreamEncoder",
    "SoftmaxCrossEntropy",
    "Split",
    "System",
    "UserError",
    "ViewRatios",
    "Vocabulary",
    "build_model",
    "by_time",
    "choose_num_intents",
    "compare_runs",
    "confidence_interval",
    "describe_intents",
    "evaluate_run",
    "evaluation_batches",
    "export_saved_model",
    "fit",
    "fit_at_dates",
    "held_out_ranks",
    "holm_correction",
    "leave_one_out",
    "limit_per_provider",
    "load_interactions",
    "load_run",
    "make_config",
    "metrics_of_ranks",
    "paired_t_test",
    "provider_affinities",
    "provider_mean_vectors",
    "read_item_attribute",
    "recommend",
    "recommend_batches",
    "sequence_batches",
    "training_batches",
    "vector_structure",
    "with_new_items",
]


class _Package(types.ModuleType):
    """Keeps `tf_iclrec.recommend` the function where the command of that name is imported too."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in __all__ and isinstance(value, types.ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
