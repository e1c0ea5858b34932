"""S3-Rec's pre-training as a part: its settings, batches and model."""

from typing import Annotated

import keras
import tensorflow as tf

from tf_iclrec.data.histories import Histories
from tf_iclrec.data.segments import segment_batches
from tf_iclrec.encoders.encoder import Encoder
from tf_iclrec.models.segment_pretrainer import SegmentPretrainer
from tf_iclrec.settings import Setting, checked


class SegmentPretraining:
    """What an encoder learns of sequences before it is trained for the next item.

    S3-Rec (Zhou et al., CIKM 2020) with its two tasks that need no attributes, the variant that
    ICLRec names S3-Rec-ISP: masked items and masked segments; see `SegmentPretrainer`. It goes
    with any encoder that has the vectors of its items at the input, too. Fine-tuning is plain
    training of the same encoder with `SampledCrossEntropy`.

    The defaults are those of the paper (Sec. 5.1.4); the published weights come of 100 epochs (Yelp
    and Sports) and 150 (Beauty, Toys, LastFM).

    An interrupted pre-training goes on with the variables of `model` and of its optimizer and with
    the number of finished epochs, which is the ``first_epoch`` of `batches`.

    Example:
    >>> import numpy as np
    >>> from tf_iclrec import SelfAttentiveEncoder
    >>> histories = Histories(np.arange(3, 13), np.array([0, 4]), np.array([4, 10]))
    >>> pretraining = SegmentPretraining(epochs=1, batch_size=4)
    >>> encoder = SelfAttentiveEncoder(vocabulary_size=13, max_length=5)
    >>> model = pretraining.model(encoder)
    >>> trained = model.fit(
    ...     pretraining.batches(histories, 10, encoder.max_length), epochs=pretraining.epochs,
    ...     shuffle=False, verbose=0)
    >>> list(trained.history)
    ['loss', 'masked_item', 'segment']
    """

    @checked
    def __init__(
        self,
        epochs: Annotated[
            int, Setting("epochs of the pre-training", at_least=0, option="pretraining_epochs")
        ] = 100,
        batch_size: Annotated[
            int,
            Setting(
                "sequences in a batch of the pre-training",
                at_least=1,
                option="pretraining_batch_size",
            ),
        ] = 200,
        learning_rate: Annotated[
            float,
            Setting(
                "learning rate of the pre-training", above=0, option="pretraining_learning_rate"
            ),
        ] = 1e-3,
        mask_ratio: Annotated[
            float,
            Setting(
                "share of the items masked in the pre-training",
                at_least=0,
                at_most=1,
                option="pretraining_mask_ratio",
            ),
        ] = 0.2,
        item_weight: Annotated[
            float, Setting("weight of masked items", at_least=0, option="masked_item_weight")
        ] = 1.0,
        segment_weight: Annotated[
            float, Setting("weight of masked segments", at_least=0, option="segment_weight")
        ] = 0.5,
        prefixes: Annotated[
            bool,
            Setting(
                "pre-train with each beginning of a history, not only with the whole",
                option="pretraining_prefixes",
            ),
        ] = True,
    ):
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.mask_ratio = mask_ratio
        self.item_weight = item_weight
        self.segment_weight = segment_weight
        self.prefixes = prefixes

    def batches(
        self,
        histories: Histories,
        num_items: int,
        max_length: int,
        seed: int = 0,
        first_epoch: int = 0,
    ) -> tf.data.Dataset:
        """`segment_batches` of the training part of each user, with these settings."""
        return segment_batches(
            histories,
            num_items,
            batch_size=self.batch_size,
            max_length=max_length,
            mask_ratio=self.mask_ratio,
            prefixes=self.prefixes,
            seed=seed,
            first_epoch=first_epoch,
        )

    def model(self, encoder: Encoder) -> SegmentPretrainer:
        """A built and compiled model around an encoder, which it shares."""
        model = SegmentPretrainer(encoder, self.item_weight, self.segment_weight)
        model.compile(keras.optimizers.Adam(self.learning_rate))
        model.build_optimizer()
        return model
