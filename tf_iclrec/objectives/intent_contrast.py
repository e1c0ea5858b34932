"""A sequence against its intent: ICL (ICLRec Eq. 15-17)."""

import keras
from keras import KerasTensor, ops

from tf_iclrec.objectives.objective import EncodedBatch
from tf_iclrec.objectives.view_contrast import ViewContrast


@keras.saving.register_keras_serializable("tf_iclrec")
class IntentContrast(ViewContrast):
    """ICL: the mean-pooled views against the intent of the original sequence.

    The negatives are the intents of the other users in the batch. The losses of both views,
    and of several numbers of intents, are averaged. Zero until the first E-step.

    Args:
        weight: ``lambda`` of ICLRec Eq. 18. Defaults to 0.1.
        mitigate_false_negatives: FNM, Eq. 17 instead of Eq. 16. Defaults to False, as in the
            published scripts.

        For the others see `ViewContrast`; intents have length 1.

    Example: two users of one intent: each picks one of two that are alike, ln 2. With FNM they are
    no negatives to each other, and before the first E-step there is nothing to pick.
    >>> same = ops.array([[0.6, 0.8], [0.6, 0.8]])
    >>> def batch(fitted):
    ...     return EncodedBatch(None, None, None, view_vectors=(same, same),
    ...         intents=[(ops.array([7, 7]), same)], intents_fitted=ops.array(fitted))
    >>> terms = [IntentContrast(), IntentContrast(mitigate_false_negatives=True)]
    >>> [[round(float(term(batch(fitted))), 3) for term in terms] for fitted in (1.0, 0.0)]
    [[0.693, 0.0], [0.0, 0.0]]
    """

    name = "intent_contrast"
    prefix = "intent_"
    title = "Intent contrast (ICL)"
    needs_intents = True

    def __call__(self, encoded: EncodedBatch) -> KerasTensor:
        views = self.views_of(encoded)
        losses = [
            self.loss(view, prototypes, self.groups(encoded, ids))
            for ids, prototypes in encoded.intents
            for view in views
        ]
        return ops.mean(ops.stack(losses)) * encoded.intents_fitted
