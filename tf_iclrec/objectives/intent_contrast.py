"""A sequence against its intent: ICL (ICLRec Eq. 15-17)."""

from typing import Annotated, Literal

import keras
from keras import KerasTensor, ops

from tf_iclrec.objectives.contrast import Contrast
from tf_iclrec.objectives.in_batch_info_nce import in_batch_info_nce
from tf_iclrec.objectives.objective import EncodedBatch
from tf_iclrec.settings import Setting


@keras.saving.register_keras_serializable("tf_iclrec")
class IntentContrast(Contrast):
    """ICL: the mean-pooled views against the intent of the original sequence.

    The negatives are the intents of the other users in the batch. The losses of both views,
    and of several numbers of intents, are averaged. Zero until the first E-step.

    The views are augmented sequences, as published, or the sequence as it is, in which case the
    only noise is the encoder's dropout (as in SimCSE, Gao et al., EMNLP 2021): a third of the
    encoder's work.

    Args:
        weight: ``lambda`` of ICLRec Eq. 18. Defaults to 0.1.
        temperature: Divides the similarities. Defaults to 1.
        normalize: Whether views have length 1, as intents do, so that similarities are
            cosines. Defaults to False, as published.
        mitigate_false_negatives: FNM, Eq. 17 instead of Eq. 16. Defaults to False, as in the
            published scripts.
        views: ``"augmented"`` sequences, or the sequence itself under ``"dropout"``. Defaults to
            ``"augmented"``.
    """

    name = "intent_contrast"
    prefix = "intent_"
    title = "Intent contrast (ICL)"
    needs_intents = True

    def __init__(
        self,
        *args,
        views: Annotated[
            Literal["augmented", "dropout"],
            Setting(
                "what is compared with the intents: augmented sequences, or the sequence as "
                "it is under dropout"
            ),
        ] = "augmented",
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        self.views = views
        self.needs_views = views == "augmented"

    def __call__(self, encoded: EncodedBatch) -> KerasTensor:
        views = encoded.view_vectors if self.needs_views else (encoded.own_vectors,)
        views = [self.compared(view) for view in views]
        losses = [
            in_batch_info_nce(
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
        return super().get_config() | {"views": self.views}
