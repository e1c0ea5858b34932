"""A sequence against its intent: ICL (ICLRec Eq. 15-17)."""

from typing import Annotated

import keras
from keras import KerasTensor, ops

from tf_iclrec.objectives.in_batch_info_nce import in_batch_info_nce
from tf_iclrec.objectives.objective import EncodedBatch
from tf_iclrec.objectives.sequence_contrast import two_view_info_nce
from tf_iclrec.objectives.view_contrast import ViewContrast
from tf_iclrec.settings import Setting


@keras.saving.register_keras_serializable("tf_iclrec")
class IntentContrast(ViewContrast):
    """ICL: the mean-pooled views against the intent of the original sequence.

    The negatives are the intents of the other users in the batch. The losses of both views,
    and of several numbers of intents, are averaged. Zero until the first E-step.

    Args:
        weight: ``lambda`` of ICLRec Eq. 18. Defaults to 0.1.
        mitigate_false_negatives: FNM, Eq. 17 instead of Eq. 16. Defaults to False, as in the
            published scripts.
        both_ways: Whether the views of the other users are negatives as well, and each intent picks
            its view among all views and the other intents: the loss of SeqCL with the intents as
            second view, as in the authors' program. Defaults to False, Eq. 16.

        For the others see `ViewContrast`; intents have length 1.
    """

    name = "intent_contrast"
    prefix = "intent_"
    title = "Intent contrast (ICL)"
    needs_intents = True

    def __init__(
        self,
        *args,
        both_ways: Annotated[
            bool, Setting("views are negatives too, and intents pick views (the authors' program)")
        ] = False,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        self.both_ways = both_ways

    def __call__(self, encoded: EncodedBatch) -> KerasTensor:
        views = self.views_of(encoded)
        loss = two_view_info_nce if self.both_ways else in_batch_info_nce
        losses = [
            loss(
                view,
                prototypes,
                self.temperature,
                ids if self.mitigate_false_negatives else None,
            )
            for ids, prototypes in encoded.intents
            for view in views
        ]
        return ops.mean(ops.stack(losses)) * encoded.intents_fitted

    def get_config(self) -> dict:
        return super().get_config() | {"both_ways": self.both_ways}
