"""Recommendations for many users at once, by histories or by user ids."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import tensorflow as tf

from tf_iclrec.data.batches import ranking_batch_size
from tf_iclrec.data.histories import Histories
from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.splits.split import Split
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, UNKNOWN_ID, Vocabulary
from tf_iclrec.errors import UserError
from tf_iclrec.models.recommender import Recommender
from tf_iclrec.serving.item_filters import ItemValues, allowed_items
from tf_iclrec.serving.ranker import Ranker
from tf_iclrec.serving.retrieval_index import contains

if TYPE_CHECKING:
    import pyarrow as pa

OnUnknown = Literal["ignore", "raise"]
# Ids for all users, or a list of ids per user.
ItemIds = Sequence[str] | Sequence[Sequence[str]]


class BatchRecommender:
    """A model with its index and the histories it knows, for any number of requests.

    Args:
        model: The recommender.
        split: What it was trained on.
        newer: A newer log to take users' histories from; items that the model does not know
            are left out. By default the histories are those of the log it was trained on.
    """

    def __init__(
        self,
        model: Recommender,
        split: Split,
        newer: Interactions | None = None,
    ):
        import pyarrow as pa

        self.items = split.interactions.items
        self.catalogue = split.catalogue
        self.ranker = Ranker(model, split.training_counts)
        log = split.interactions if newer is None else newer
        self.users = log.users
        self._users = Vocabulary(log.users)
        self._trained_users = self._users if newer is None else None
        if newer is not None and "users" in model.reads:
            self._trained_users = Vocabulary(split.interactions.users)
        self._among_all = _IndexSearch(self.ranker, np.arange(len(self.items)))
        ids = log.item_ids if newer is None else self.items.encode(newer.items.decode(log.item_ids))
        self._histories = _selected(ids, log.offsets, ids != UNKNOWN_ID)
        self._raw_items = pa.array(self.items.ids, pa.string())

    def histories_of(self, user_ids: Sequence[str], on_unknown: OnUnknown = "ignore") -> Histories:
        """All interactions of users of the log; none for an unknown user."""
        users = self._users.encode([str(user) for user in user_ids])
        if on_unknown == "raise" and (users == UNKNOWN_ID).any():
            stranger = user_ids[int((users == UNKNOWN_ID).argmax())]
            raise UserError(f"User {stranger!r} is not in the data.")
        rows = np.maximum(users - NUM_SPECIAL_IDS, 0)
        starts, ends = self._histories.starts[rows], self._histories.ends[rows]
        ends = np.where(users == UNKNOWN_ID, starts, ends)
        return Histories(self._histories.item_ids, starts, ends).joined()

    def trained_rows(self, user_ids: Sequence[str]) -> np.ndarray | None:
        """Rows ``(users,)`` int32 of users in the training log, -1 = not there, for a model that
        has a vector of each; None for others."""
        if "users" not in self.ranker.model.reads:
            return None
        users = self._trained_users.encode([str(user) for user in user_ids])
        return np.where(users == UNKNOWN_ID, -1, users - NUM_SPECIAL_IDS).astype(np.int32)

    def encode_items(self, ids: ItemIds, num_users: int, on_unknown: OnUnknown) -> Histories:
        """Item ids for all users, or a list per user, as internal ids: one list, or
        ``num_users``."""
        ids = list(ids)
        is_per_user = len(ids) > 0 and not isinstance(ids[0], str | bytes | int | np.integer)
        if not is_per_user:
            return encode_lists([ids], self.items, on_unknown)
        if len(ids) != num_users:
            raise UserError(f"There are {num_users} users and {len(ids)} lists of items.")
        return encode_lists(ids, self.items, on_unknown)

    def search(
        self,
        candidates: Histories | None = None,
        only: ItemValues | None = None,
        without: ItemValues | None = None,
        on_unknown: OnUnknown = "ignore",
    ) -> Search:
        """How to find items: among all, among one list of candidates, or among a list per user.

        Args:
            candidates: One list, or one per user. Defaults to all items.
            only: Values, by the name of what is known of the items; see `tf_iclrec.recommend`.
            without: Likewise.
            on_unknown: Whether a value that no item has raises.

        Raises:
            UserError: If no candidate is an item of the data, or nothing is known of the items
                under such a name.
        """
        if candidates is not None and not len(candidates.item_ids):
            raise UserError("None of the candidates is an item of the data.")
        if candidates is None and not (only or without):
            return self._among_all
        allowed = np.ones(len(self.items), dtype=bool)
        if only or without:
            allowed = allowed_items(self.catalogue, only, without, on_unknown == "raise")
        if candidates is None:
            return _IndexSearch(self.ranker, np.flatnonzero(allowed))
        candidates = candidates.distinct()
        is_allowed = allowed[candidates.item_ids - NUM_SPECIAL_IDS]
        if len(candidates.starts) == 1:
            rows = candidates.item_ids[is_allowed] - NUM_SPECIAL_IDS
            return _IndexSearch(self.ranker, rows)
        offsets = np.append(0, candidates.ends)
        return _ListSearch(self.ranker, _selected(candidates.item_ids, offsets, is_allowed))

    def check_k(self, k: int) -> None:
        """Make sure that ``k`` items can be asked for.

        Raises:
            UserError: If there are not as many items, or ``k`` is not positive.
        """
        if not 1 <= k <= len(self.items):
            raise UserError(f"k must be from 1 to {len(self.items)}, the number of items, not {k}.")

    def recommend(
        self,
        user_ids: Sequence[str],
        histories: Histories,
        k: int,
        filter_seen: bool,
        exclude: Histories,
        search: Search,
        trained_rows: np.ndarray | None = None,
    ) -> pa.Table:
        """The best items of each user, in the columns of the function `recommend`.

        Args:
            user_ids: ``(users,)`` how to name them.
            histories: Their known items.
            k: Items per user.
            filter_seen: Whether their own items are left out.
            exclude: Items never to return: one list, or one per user.
            search: Of the method `search`.
            trained_rows: Of the method `trained_rows`. Defaults to users unknown in training.
        """
        import pyarrow as pa

        self.check_k(k)
        num_users = len(histories.starts)
        scores = np.full((num_users, k), -np.inf, dtype=np.float32)
        rows = np.full((num_users, k), -1, dtype=np.int32)
        max_length = self.ranker.model.max_length
        if trained_rows is None:
            trained_rows = np.full(num_users, -1, dtype=np.int32)
        batch_size = ranking_batch_size(len(self.items))
        by_length = np.argsort(histories.lengths, kind="stable")
        for start in range(0, num_users, batch_size):
            users = by_length[start : start + batch_size]
            item_ids = histories.padded(users, max_length)
            excluded = [exclude.padded(users if len(exclude.starts) > 1 else np.zeros_like(users))]
            if filter_seen:
                excluded.append(histories.padded(users))
            asked = Asked(users, item_ids, trained_rows[users], np.concatenate(excluded, axis=1))
            found = search(asked, k)
            width = found[0].shape[1]
            scores[users, :width], rows[users, :width] = found[0].numpy(), found[1].numpy()
        found = np.isfinite(scores)
        user_rows, ranks = np.nonzero(found)
        return pa.table(
            {
                "user_id": pa.array(user_ids).take(pa.array(user_rows)),
                "item_id": self._raw_items.take(pa.array(rows[found])),
                "score": scores[found],
                "rank": (ranks + 1).astype(np.int32),
                "from_popularity": (histories.lengths == 0)[user_rows],
            }
        )


class Asked(NamedTuple):
    """Users of a request.

    Attributes:
        rows: ``(batch,)`` their numbers in the request.
        item_ids: ``(batch, time)`` int32 their histories.
        trained_rows: ``(batch,)`` int32 their rows in the training log, -1 = not there.
        excluded: ``(batch, width)`` int32 items to leave out.
    """

    rows: np.ndarray
    item_ids: np.ndarray
    trained_rows: np.ndarray
    excluded: np.ndarray


# From users and k to scores and rows of the catalogue.
Search = Callable[[Asked, int], tuple[tf.Tensor, tf.Tensor]]

_IDS = tf.TensorSpec([None, None], tf.int32)
_ROWS = tf.TensorSpec([None], tf.int32)
_NUMBER = tf.TensorSpec([], tf.int32)


class _IndexSearch(tf.Module):
    """Search among some rows of the catalogue, the same for all users."""

    def __init__(self, ranker: Ranker, rows: np.ndarray):
        super().__init__()
        self.ranker = ranker
        self.rows = tf.constant(rows, tf.int32)
        self.index = ranker.index
        if len(rows) < ranker.index.num_items:
            self.index = ranker.index.of_rows(tf.constant(rows, tf.int32))
        place_of_id = np.full(ranker.index.num_items + NUM_SPECIAL_IDS, -1, dtype=np.int32)
        place_of_id[rows + NUM_SPECIAL_IDS] = np.arange(len(rows))
        self.place_of_id = tf.constant(place_of_id)

    def __call__(self, asked, k):
        k = min(k, self.index.num_items)
        return self._found(asked.item_ids, asked.trained_rows, asked.excluded, k)

    @tf.function(input_signature=[_IDS, _ROWS, _IDS, _NUMBER])
    def _found(self, item_ids, users, excluded, k):
        queries = self.ranker.encode(item_ids, users).queries
        scores, places = self.index(queries, tf.gather(self.place_of_id, excluded), k)
        return scores, tf.gather(self.rows, tf.maximum(places, 0))


class _ListSearch(tf.Module):
    """Search among a list per user, of internal ids."""

    def __init__(self, ranker: Ranker, lists: Histories):
        super().__init__()
        self.ranker = ranker
        self.lists = lists

    def __call__(self, asked, k):
        listed = self.lists.padded(asked.rows)
        k = min(k, listed.shape[1])
        return self._found(asked.item_ids, asked.trained_rows, asked.excluded, listed, k)

    @tf.function(input_signature=[_IDS, _ROWS, _IDS, _IDS, _NUMBER])
    def _found(self, item_ids, users, excluded, listed, k):
        rows = listed - NUM_SPECIAL_IDS
        scores = self.ranker.index.score(self.ranker.encode(item_ids, users).queries, rows)
        scores = tf.where(contains(excluded, listed), -float("inf"), scores)
        scores, order = tf.math.top_k(scores, k)
        return scores, tf.gather(rows, order, batch_dims=1)


def encode_lists(
    lists: Sequence[Sequence[str]], vocabulary: Vocabulary, on_unknown: OnUnknown
) -> Histories:
    """Lists of raw ids as internal ids, unknown ones left out.

    Raises:
        UserError: If an id is unknown and ``on_unknown`` is ``"raise"``.

    Example:
    >>> lists = encode_lists([["tea", "silk"], ["jam"]], Vocabulary(["jam", "tea"]), "ignore")
    >>> lists.item_ids.tolist(), lists.ends.tolist()
    ([4, 3], [1, 2])
    """
    raw = [str(item) for items in lists for item in items]
    ids = vocabulary.encode(raw)
    if on_unknown == "raise" and (ids == UNKNOWN_ID).any():
        raise UserError(f"Item {raw[int((ids == UNKNOWN_ID).argmax())]!r} is not in the data.")
    lengths = np.fromiter(map(len, lists), np.int64, len(lists))
    return _selected(ids, np.concatenate([[0], np.cumsum(lengths)]), ids != UNKNOWN_ID)


def _selected(ids: np.ndarray, offsets: np.ndarray, keep: np.ndarray) -> Histories:
    """Lists of internal ids that begin at ``offsets``, those alone that are to keep."""
    offsets = np.concatenate([[0], np.cumsum(keep)])[offsets]
    return Histories(ids[keep], offsets[:-1], offsets[1:])
