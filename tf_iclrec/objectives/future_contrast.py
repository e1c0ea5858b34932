"""The past of a sequence against its future (DSSRec's seq2seq loss)."""

import math
from typing import Annotated

import keras
import tensorflow as tf
from keras import KerasTensor, ops

from tf_iclrec.objectives.contrast import Contrast
from tf_iclrec.objectives.in_batch_info_nce import others_of_group
from tf_iclrec.objectives.objective import EXCLUDED, EncodedBatch
from tf_iclrec.settings import Setting, checked


def past_to_future_losses(
    past: KerasTensor,
    future: KerasTensor,
    temperature: float = 1.0,
    group_ids: KerasTensor | None = None,
) -> KerasTensor:
    """InfoNCE from each vector of a user's past to the same vector of that user's future.

    ``-log exp(past_uk · future_uk / τ) / Σ_v Σ_l exp(past_uk · future_vl / τ)`` for user ``u`` and
    intent ``k``: the negatives are the other intents of the user, and all of the other users;
    with ``group_ids``, users of the same group are no negatives to each other.

    Args:
        past: ``(batch, K, dim)``.
        future: ``(batch, K, dim)``.
        temperature: ``τ``. Defaults to 1.
        group_ids: Optional ``(batch,)`` or ``(batch, kinds)`` int: see `others_of_group`.

    Returns:
        ``(batch, K)``.

    Example: two users with two intents each, without any similarity: one of four.
    >>> losses = past_to_future_losses(ops.zeros((2, 2, 4)), ops.zeros((2, 2, 4)))
    >>> losses.shape, round(float(losses[0, 0]), 4)
    (TensorShape([2, 2]), 1.3863)
    """
    intents, dim = past.shape[1:]
    pasts, futures = (ops.reshape(part, (-1, dim)) for part in (past, future))
    logits = ops.matmul(pasts, ops.transpose(futures)) / temperature
    if group_ids is not None:
        false = others_of_group(group_ids)
        false = ops.repeat(ops.repeat(false, intents, axis=0), intents, axis=1)
        logits = ops.where(false, EXCLUDED, logits)
    own = ops.sum(past * future, axis=-1) / temperature
    return ops.reshape(ops.logsumexp(logits, axis=1), (-1, intents)) - own


@keras.saving.register_keras_serializable("tf_iclrec")
class FutureContrast(Contrast):
    """What a user did up to some place picks what the same user did after it.

    DSSRec's loss from sequence to sequence (Ma et al., KDD 2020). Each sequence is cut in two at
    random; the encoder reads both parts, the later one in reverse. For each intent ``k`` (vector
    of an encoder with several, else there is one) the past's vector is to pick the future's
    among those of all intents and users in the batch, by ``past · future / sqrt(D)``. Not every
    intent of the past goes on: only the pairs with the lowest loss, of which it can be believed,
    are learned from. The loss is the sum over these pairs divided by the number of users.

    Args:
        weight: Factor of the term in the total loss. Defaults to 0.1; DSSRec has 1.
        temperature: Divides the similarities further. Defaults to 1.
        normalize: Whether to compare directions (cosine, then without ``sqrt(D)``) in place of dot
            products. Defaults to False, as published.
        mitigate_false_negatives: Whether users of the same intent are left out of the negatives
            (with several numbers of intents: of the same first one). Defaults to False.
        confident_share: ``λ``, the share of pairs that are learned from. Defaults to 0.5.
    """

    name = "future_contrast"
    prefix = "future_"
    title = "Future contrast (DSSRec)"
    needs_futures = True

    @checked
    def __init__(
        self,
        *args,
        confident_share: Annotated[
            float,
            Setting(
                "share of pairs of past and future learned from, the surest", above=0, at_most=1
            ),
        ] = 0.5,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        self.confident_share = confident_share

    def __call__(self, encoded: EncodedBatch) -> KerasTensor:
        past, future = (self.compared(part) for part in encoded.futures)
        scale = 1.0 if self.normalize else math.sqrt(past.shape[-1])
        temperature = self.temperature * scale
        losses = past_to_future_losses(past, future, temperature, self.groups(encoded))
        pairs = tf.size(losses)
        count = tf.round(self.confident_share * tf.cast(pairs, tf.float32))
        count = tf.maximum(tf.cast(count, tf.int32), tf.minimum(pairs, 1))
        confident = -tf.math.top_k(-tf.reshape(losses, [-1]), count, sorted=False).values
        return tf.reduce_sum(confident) / ops.cast(ops.shape(losses)[0], "float32")

    def get_config(self) -> dict:
        return super().get_config() | {"confident_share": self.confident_share}
