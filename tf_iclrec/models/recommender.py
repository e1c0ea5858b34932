"""What every recommender shares: evaluation against the whole catalogue."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.data.new_items import MeansOfKindred
from tf_iclrec.errors import UserError
from tf_iclrec.evaluation.metrics import DEFAULT_CUTOFFS, ranking_metrics
from tf_iclrec.evaluation.ranking import target_ranks
from tf_iclrec.layers.intent_prototypes import IntentPrototypes
from tf_iclrec.models.batch_needs import check_ranking_batch
from tf_iclrec.models.stepwise_model import StepwiseModel


class Recommender(StepwiseModel):
    """A model that, called on a batch, gives scores ``(batch, items)``.

    ``evaluate`` on batches of `tf_iclrec.evaluation_batches` reports HR, NDCG and MRR.

    Args:
        cutoffs: The ``k`` of the metrics.

    Attributes:
        by_dot_product: Whether scores are dot products of ``user_vectors`` and ``item_vectors``.
        has_latent_intents: Whether its encoder has ``intent_shares``.
        max_length: Items of a history that are read; None: all.
        reads: What the model reads: ``"items"``, and ``"users"``, ``"providers"`` or
            ``"attributes"``.
        users_suffice: Whether it has something to say of users of the training data without a
            single item; their place is then that of an unknown one.
        intents: Where a model has intents, its `IntentPrototypes`.
    """

    by_dot_product: bool = False
    has_latent_intents: bool = False
    max_length: int | None = None
    reads: tuple[str, ...] = ("items",)
    users_suffice: bool = False
    intents: IntentPrototypes | None = None

    def __init__(self, cutoffs: int | Sequence[int] = DEFAULT_CUTOFFS, **kwargs):
        super().__init__(**kwargs)
        self.cutoffs = (cutoffs,) if isinstance(cutoffs, int) else tuple(cutoffs)
        self.ranking = ranking_metrics(self.cutoffs)

    @property
    def metrics(self):
        return self.ranking

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        # Under a strategy Keras takes a batch to build a model by, and with it an epoch of
        # `training_batches`. Recommenders are built by then.
        if not self.built:
            super()._maybe_symbolic_build(iterator, data_batch)

    @property
    def found_intents(self) -> bool:
        """Whether the model has intents, and an E-step has found them."""
        return self.intents is not None and float(self.intents.fitted) > 0

    def test_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        batch = self.batch_of(batch)
        check_ranking_batch(batch, self.max_length)
        scores = self(batch, training=False)
        ranks = target_ranks(scores, batch["target_ids"], batch["seen_ids"])
        for metric in self.ranking:
            metric.update_state(ranks)
        return {metric.name: metric.result() for metric in self.ranking}

    def export(self, filepath: str | Path, *args, input_signature: Any = None, **kwargs) -> None:
        """`keras.Model.export` of the bare model: internal ids in, the scores of all items out.

        One that takes raw ids, leaves seen items out and gives the best ones:
        `tf_iclrec.export_saved_model`.

        Args:
            filepath: A new folder.
            input_signature: By default dicts with ``item_ids`` ``(batch, time)`` int32, 0 is
                padding, and where the model reads them ``provider_ids`` ``(batch, time)`` and
                ``users`` ``(batch,)``.
        """
        read = {"items": ("item_ids", 2), "providers": ("provider_ids", 2), "users": ("users", 1)}
        inputs = {
            name: keras.layers.InputSpec(dtype="int32", shape=(None,) * rank)
            for kind, (name, rank) in read.items()
            if kind in self.reads
        }
        super().export(filepath, *args, input_signature=input_signature or [inputs], **kwargs)

    def with_new_items(self, catalogue: Catalogue, means: MeansOfKindred) -> "Recommender":
        """This model for a larger catalogue, whose first items are its own.

        Args:
            catalogue: The larger catalogue.
            means: Of its new items.

        Raises:
            UserError: If the model has no vectors of items.
        """
        raise UserError(
            "This model has no vectors of items, and so no place for new ones: train again."
        )

    def get_config(self):
        return super().get_config() | {"cutoffs": self.cutoffs}
