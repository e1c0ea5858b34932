"""Each view of a sequence against its intent: ICL (ICLRec Eq. 15-17)."""

import keras
from keras import KerasTensor, ops

from tf_iclrec.objectives.objective import EncodedBatch, Objective

_EXCLUDED = -1e9


def intent_contrast(
    vectors: KerasTensor,
    prototypes: KerasTensor,
    temperature: float = 1.0,
    intent_ids: KerasTensor | None = None,
) -> KerasTensor:
    """InfoNCE between sequence vectors and the intents of a batch, with dot products.

    ``-log exp(h·c_u) / Σ_v exp(h·c_v)``: the positive is the user's own intent, the negatives
    are the intents of the other users; with ``intent_ids``, users of the same intent are no
    negatives. Averaged over rows.

    Args:
        vectors: ``(N, dim)``.
        prototypes: ``(N, dim)``, row ``u`` the intent of user ``u``.
        temperature: Divides the dot products. Defaults to 1.
        intent_ids: Optional ``(N,)`` int, to mitigate false negatives (Eq. 17).

    Returns:
        Scalar.

    Example: three users, two of the same intent; without similarity each picks among all
    three, or among those of different intents.
    >>> zeros = ops.zeros((3, 4))
    >>> round(float(intent_contrast(zeros, zeros)), 4)
    1.0986
    >>> expected = (2 * 0.6931 + 1.0986) / 3
    >>> loss = float(intent_contrast(zeros, zeros, intent_ids=ops.array([7, 7, 2])))
    >>> abs(loss - expected) < 1e-3
    True
    """
    logits = ops.matmul(vectors, ops.transpose(prototypes)) / temperature
    if intent_ids is not None:
        row = ops.arange(ops.shape(intent_ids)[0])
        same_intent = intent_ids[:, None] == intent_ids[None, :]
        false_negative = ops.logical_and(same_intent, row[:, None] != row[None, :])
        logits = ops.where(false_negative, _EXCLUDED, logits)
    positive_logits = ops.sum(vectors * prototypes, axis=-1) / temperature
    return ops.mean(ops.logsumexp(logits, axis=1)) - ops.mean(positive_logits)


@keras.saving.register_keras_serializable("tf_iclrec")
class IntentContrast(Objective):
    """ICL: the mean-pooled views against the intent of the original sequence.

    The losses of both views, and of several numbers of intents, are averaged. Zero until the
    first E-step.

    Args:
        weight: ``lambda`` of ICLRec Eq. 18. Defaults to 0.1.
        temperature: Divides the similarities. Defaults to 1.
        normalize: Whether views have length 1, as intents do, so that similarities are
            cosines. Defaults to False, as published.
        mitigate_false_negatives: FNM, Eq. 17 instead of Eq. 16. Defaults to True.
    """

    name = "intent_contrast"
    needs_views = True
    needs_intents = True

    def __init__(
        self,
        weight: float = 0.1,
        temperature: float = 1.0,
        normalize: bool = False,
        mitigate_false_negatives: bool = True,
    ):
        super().__init__(weight)
        self.temperature = temperature
        self.normalize = normalize
        self.mitigate_false_negatives = mitigate_false_negatives

    def __call__(self, encoded: EncodedBatch) -> KerasTensor:
        views = [ops.cast(view, "float32") for view in encoded.view_vectors]
        if self.normalize:
            views = [ops.normalize(view, axis=-1) for view in views]
        losses = [
            intent_contrast(
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
        return super().get_config() | {
            "temperature": self.temperature,
            "normalize": self.normalize,
            "mitigate_false_negatives": self.mitigate_false_negatives,
        }
