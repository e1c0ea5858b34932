"""What a model makes of the items that a split holds out: ranks, lists and metrics."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import numpy as np
import tensorflow as tf

from tf_iclrec.data.batches import evaluation_batches, sampled_rows
from tf_iclrec.data.splits.split import HeldOutPart, Split
from tf_iclrec.errors import UserError
from tf_iclrec.evaluation.metrics import metrics_of_ranks
from tf_iclrec.evaluation.ranking import rank_and_list
from tf_iclrec.settings import Setting, checked


@checked
def held_out_answers(
    model: Callable[[dict[str, tf.Tensor]], tf.Tensor],
    split: Split,
    part: HeldOutPart,
    k: int = 0,
    filter_seen: Annotated[
        bool, Setting("leave items of a user's own history out of the ranking")
    ] = True,
    evaluation_users: Annotated[
        int, Setting("users whose next item is ranked at most", at_least=1)
    ] = 100_000,
) -> tuple[np.ndarray, np.ndarray]:
    """Rank of each evaluated held-out item in the whole catalogue, and the best items for its
    history.

    Args:
        model: A `Recommender`, or another function from batches to scores.
        split: The log and what is held out.
        part: ``"valid"`` or ``"test"``.
        k: Length of the lists of best items; 0 if none are wanted.
        filter_seen: Whether items of the visible history are left out.
        evaluation_users: Of more held-out items, so many are drawn, always the same ones.

    Returns:
        Ranks ``(n,)`` int32, 1 = best, and lists ``(n, k)`` int32 internal ids, best first, 0 where
        no item is left.

    Raises:
        UserError: If nothing is held out.
        ValueError: If the scores are not ``(batch, items)``.
    """
    if not len(split.held_out(part).users):
        raise UserError(f"Nothing is held out ({part}), so that nothing can be evaluated.")
    num_items = split.interactions.num_items

    def scores_of(batch: dict[str, tf.Tensor]) -> tf.Tensor:
        scores = model(batch)
        if scores.shape.rank != 2 or scores.shape[1] not in (None, num_items):
            raise ValueError(
                f"The scores have the shape {tuple(scores.shape)}, and (batch, {num_items}) is "
                "expected: a column for each of split.interactions.items.ids."
            )
        return scores

    batches = evaluation_batches(
        split,
        part,
        model=model,
        filter_seen=filter_seen,
        max_users=evaluation_users,
    )
    return rank_and_list(scores_of, batches, k)


def held_out_ranks(
    model: Callable[[dict[str, tf.Tensor]], tf.Tensor],
    split: Split,
    part: HeldOutPart,
    **settings: Any,
) -> np.ndarray:
    """Rank of each evaluated held-out item in the whole catalogue.

    Args:
        model: A model of the library, or any function from a batch of `evaluation_batches` to the
            scores of all items ``(batch, items)``; column ``i`` belongs to the internal id
            ``i + 3``, the item ``split.interactions.items.ids[i]``. Of a function's batches the
            sequences have all items.
        split: The log and what is held out.
        part: ``"valid"`` or ``"test"``.
        settings: ``filter_seen=False`` ranks items of a user's own history, too; of more than
            ``evaluation_users``, by default 100,000, so many are drawn, always the same ones.

    Returns:
        ``(n,)`` int32, 1 = best. Their metrics: `metrics_of_ranks`.

    Raises:
        UserError: If nothing is held out.
        ValueError: If the scores have another shape.

    Example: by a fixed order of the items.
    >>> from tf_iclrec import Interactions, leave_one_out
    >>> log = Interactions.from_sequences({"ann": ["tea", "jam", "oil"], "bob": ["oil", "rye"] * 2})
    >>> split = leave_one_out(log)
    >>> split.interactions.items.ids.tolist()
    ['jam', 'oil', 'rye', 'tea']
    >>> def in_order(batch):
    ...     return tf.tile([[4.0, 3.0, 2.0, 1.0]], [tf.size(batch["rows"]), 1])
    >>> held_out_ranks(in_order, split, "test", filter_seen=False).tolist()
    [2, 3]
    """
    return held_out_answers(model, split, part, **settings)[0]


def users_of_ranks(split: Split, part: HeldOutPart, ranks: np.ndarray) -> np.ndarray:
    """Whose the targets are that `held_out_ranks` ranked, ``(n,)`` rows of the log."""
    users = split.held_out(part).users
    return users[sampled_rows(len(users), len(ranks))]


def evaluate_held_out(
    model: Callable[[dict[str, tf.Tensor]], tf.Tensor],
    split: Split,
    parts: Sequence[HeldOutPart] = ("valid", "test"),
    **settings: Any,
) -> dict[str, dict[str, float]]:
    """Full-ranking metrics of a recommender.

    Args:
        model: A `Recommender`.
        split: The log and what is held out.
        parts: What to evaluate.
        settings: Of `held_out_answers`.

    Returns:
        For each part, metric names such as ``"NDCG@20"`` to values.
    """
    return {
        part: metrics_of_ranks(held_out_ranks(model, split, part, **settings)) for part in parts
    }
