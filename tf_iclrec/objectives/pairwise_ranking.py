"""The next item before one sampled item (BPR)."""

from typing import Annotated

import keras
from keras import KerasTensor, ops

from tf_iclrec.objectives.objective import EncodedBatch, Objective
from tf_iclrec.settings import Setting, checked


def pairwise_ranking_loss(
    hidden: KerasTensor, positive: KerasTensor, negative: KerasTensor, regularization: float = 0.0
) -> KerasTensor:
    """``-log σ(h·s⁺ - h·s⁻) + λ/2 (|h|² + |s⁺|² + |s⁻|²)`` for each position.

    That the item chosen is ranked before another one, with normally distributed vectors: BPR-Opt
    (Rendle et al., UAI 2009, Sec. 4.1). As in their LearnBPR, the gradient of the second part is
    ``λ`` times the vector.

    Args:
        hidden: ``(positions, dim)`` hidden states.
        positive: ``(positions, dim)`` vectors of the items asked for.
        negative: ``(positions, dim)`` vectors of items that were not chosen.
        regularization: ``λ``. Defaults to 0.

    Returns:
        ``(positions,)``.

    Example: without any preference the loss is ln 2.
    >>> zeros = ops.zeros((1, 4))
    >>> round(float(pairwise_ranking_loss(zeros, zeros, zeros)[0]), 4)
    0.6931
    """
    losses = ops.softplus(-ops.sum(hidden * (positive - negative), axis=-1))
    if not regularization:
        return losses
    squares = ops.square(hidden) + ops.square(positive) + ops.square(negative)
    return losses + regularization / 2 * ops.sum(squares, axis=-1)


@keras.saving.register_keras_serializable("tf_iclrec")
class PairwiseRanking(Objective):
    """Bayesian personalized ranking with one uniformly drawn negative per real position.

    Args:
        weight: Factor of the term in the total loss. Defaults to 1.
        regularization: Factor ``λ`` of the squared vectors in use. Defaults to 0.
    """

    name = "next_item"
    needs_negatives = True

    @checked
    def __init__(
        self,
        weight: float = 1.0,
        regularization: Annotated[
            float,
            Setting("factor of the squared vectors", at_least=0, option="bpr_regularization"),
        ] = 0.0,
    ):
        super().__init__(weight)
        self.regularization = regularization

    def __call__(self, encoded: EncodedBatch) -> KerasTensor:
        losses = pairwise_ranking_loss(*encoded.chosen_and_not(), self.regularization)
        return ops.sum(losses * encoded.position_weights())

    def get_config(self):
        return super().get_config() | {"regularization": self.regularization}
