"""A user's item side against the provider side (IPSRec Eq. 12)."""

import keras
from keras import KerasTensor

from tf_iclrec.objectives.contrast import Contrast
from tf_iclrec.objectives.in_batch_info_nce import in_batch_info_nce
from tf_iclrec.objectives.objective import EncodedBatch


@keras.saving.register_keras_serializable("tf_iclrec")
class ItemProviderContrast(Contrast):
    """The last item state of a user picks the same user's last provider state.

    The provider states of the other users in the batch are the negatives. Needs an encoder
    with two streams.

    Args:
        weight: ``lambda`` of IPSRec Eq. 13. Defaults to 0.1.
        temperature: ``τ`` of Eq. 12. Defaults to 1.
        normalize: Whether to compare directions (cosine) in place of dot products. Defaults
            to False, as published.
        mitigate_false_negatives: Whether users of the same intent are left out of the
            negatives (with several numbers of intents: of the same first one). Defaults to
            False.

    Example: both sides of each of two users agree, or each agrees with the other user's.
    >>> from keras import ops
    >>> items = ops.array([[5.0, 0.0], [0.0, 5.0]])
    >>> contrast = ItemProviderContrast(normalize=True, temperature=0.1)
    >>> for providers in (items, items[::-1]):
    ...     batch = EncodedBatch(None, None, None, sides=(items, providers))
    ...     print(round(float(contrast(batch)), 3))
    0.0
    10.0
    """

    name = "item_provider_contrast"
    prefix = "provider_"
    title = "Item-provider contrast (IPSRec)"
    needs_sides = True

    def __call__(self, encoded: EncodedBatch) -> KerasTensor:
        sides = [self.compared(side) for side in encoded.sides]
        return in_batch_info_nce(*sides, self.temperature, self.groups(encoded))
