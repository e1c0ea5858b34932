"""Recommendations for many users at once, by histories or by user ids."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import tensorflow as tf

from tf_iclrec.data.batches import ranking_batch_size
from tf_iclrec.data.histories import Histories
from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.splits.split import Split
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, PADDING_ID, UNKNOWN_ID, Vocabulary
from tf_iclrec.errors import UserError
from tf_iclrec.models.recommender import Recommender
from tf_iclrec.serving.explainer import Explainer, Reasons
from tf_iclrec.serving.item_filters import ItemValues, allowed_items
from tf_iclrec.serving.ranker import NO_INTENT, Ranker
from tf_iclrec.serving.reason_column import FoundReasons, check_because
from tf_iclrec.serving.recommendation_table import recommendation_table
from tf_iclrec.serving.reranking.registry import check_diversity, make_reranker
from tf_iclrec.serving.reranking.reranked_search import RerankedSearch
from tf_iclrec.serving.reranking.reranker import Reranker
from tf_iclrec.serving.searches import Asked, IndexSearch, ListSearch, Search
from tf_iclrec.serving.user_table import ItemIds, id_text, raw_lists_for
from tf_iclrec.settings import is_whole

if TYPE_CHECKING:
    import pyarrow as pa

# Users whose reasons are looked for at a time, and items of theirs.
_EXPLAINED, _EXPLAINED_ITEMS = 64, 1 << 20

OnUnknown = Literal["ignore", "raise"]


class BatchRecommender:
    """A model with its index and the histories it knows, for any number of requests.

    Args:
        model: The recommender.
        split: What it was trained on.
        newer: A newer log to take users' histories from; items that the model does not know
            are left out. By default the histories are those of the log it was trained on, with
            users who could not be split; a log without such users is not copied.
        filter_seen: Whether items of a user's own history are left out where it is not said.

    Example: made once, for many calls of `tf_iclrec.recommend`; eve is new, and rye is unknown.
    >>> from tf_iclrec import PopularityRecommender, leave_one_out, recommend
    >>> log = Interactions.from_sequences({"ann": ["tea", "jam", "oil"]})
    >>> model = PopularityRecommender([1, 2, 3])  # Of jam, oil and tea.
    >>> newer = Interactions.from_sequences({"ann": ["jam"], "eve": ["tea", "rye"]})
    >>> recommender = BatchRecommender(model, leave_one_out(log), newer)
    >>> recommender.users.tolist(), recommender.lengths.tolist()
    (['ann', 'eve'], [1, 1])
    >>> recommend(recommender, user_ids=["eve", "ann"], k=1)["item_id"].tolist()
    ['oil', 'tea']
    """

    def __init__(
        self,
        model: Recommender,
        split: Split,
        newer: Interactions | None = None,
        filter_seen: bool = True,
    ):
        import pyarrow as pa

        newer = split.everybody if newer is None else newer
        self.filter_seen = filter_seen
        self.items = split.interactions.items
        self._row_of_trained = split.trained_rows(np.arange(split.interactions.num_users))
        self.catalogue = split.catalogue
        self.ranker = Ranker(model, split)
        log = split.interactions if newer is None else newer
        self.users = log.users
        self._users = Vocabulary(log.users)
        self._trained_users = self._users if newer is None else None
        if newer is not None and "users" in model.reads:
            self._trained_users = Vocabulary(split.interactions.users)
        self._index_search = IndexSearch(self.ranker)
        if newer is None:
            # As they lie on the disk: a copy of a large log would fill the memory.
            self._histories = Histories(log.item_ids, log.offsets[:-1], log.offsets[1:])
        else:
            ids = self.items.encode(newer.items.ids)[newer.item_ids - NUM_SPECIAL_IDS]
            self._histories = _selected(ids, newer.offsets, ids != UNKNOWN_ID)
        self._rerankers: dict[str, Reranker] = {}
        self._raw_items = pa.array(self.items.ids, pa.string())

    @property
    def lengths(self) -> np.ndarray:
        """``(users,)`` int64 known items of each of ``users``."""
        return self._histories.lengths

    def knows(self, user_ids: Sequence[str]) -> np.ndarray:
        """Which users are in the log, ``(users,)`` bool."""
        return self._users.encode([id_text(user) for user in user_ids]) != UNKNOWN_ID

    def histories_of(self, user_ids: Sequence[str], on_unknown: OnUnknown = "ignore") -> Histories:
        """All interactions of users of the log; none for an unknown user."""
        users = self._users.encode([id_text(user) for user in user_ids])
        if on_unknown == "raise" and (users == UNKNOWN_ID).any():
            stranger = user_ids[int((users == UNKNOWN_ID).argmax())]
            raise UserError(f"User {stranger!r} is not in the data.")
        rows = np.maximum(users - NUM_SPECIAL_IDS, 0)
        starts, ends = self._histories.starts[rows], self._histories.ends[rows]
        ends = np.where(users == UNKNOWN_ID, starts, ends)
        return Histories(self._histories.item_ids, starts, ends).joined()

    def trained_rows(self, user_ids: Sequence[str]) -> np.ndarray | None:
        """Rows ``(users,)`` int32 of users in the training log, -1 = not trained on, for a model
        that has a vector of each; None for others."""
        if "users" not in self.ranker.model.reads:
            return None
        users = self._trained_users.encode([id_text(user) for user in user_ids])
        rows = self._row_of_trained[np.maximum(users - NUM_SPECIAL_IDS, 0)]
        return np.where(users == UNKNOWN_ID, -1, rows)

    def encode_items(self, ids: ItemIds, num_users: int, on_unknown: OnUnknown) -> Histories:
        """Item ids for all users, or a list per user, as internal ids: one list, or
        ``num_users``."""
        return encode_lists(raw_lists_for(ids, num_users), self.items, on_unknown)

    def search(
        self,
        candidates: Histories | None = None,
        only: ItemValues | None = None,
        without: ItemValues | None = None,
        on_unknown: OnUnknown = "ignore",
        may_be_empty: bool = True,
    ) -> Search:
        """How to find items: among all, among one list of candidates, or among a list per user.

        Args:
            candidates: One list, or one per user. Defaults to all items.
            only: Values, by the name of what is known of the items; see `tf_iclrec.recommend`.
            without: Likewise.
            on_unknown: Whether a value that no item has raises.
            may_be_empty: Whether values may leave no item.

        Raises:
            UserError: If no candidate is an item of the data, nothing is known of the items under
                such a name, or no item is left and one must be.
        """
        if candidates is not None and not len(candidates.item_ids):
            raise UserError("None of the candidates is an item of the data.")
        if candidates is None and not (only or without):
            return self._index_search
        allowed = np.ones(len(self.items), dtype=bool)
        if only or without:
            allowed = allowed_items(self.catalogue, only, without, on_unknown == "raise")
            if not (may_be_empty or allowed.any()):
                raise UserError("No item is left: none has all that is asked for.")
        if candidates is None:
            return self._index_search.among(np.flatnonzero(allowed))
        candidates = candidates.distinct()
        is_allowed = allowed[candidates.item_ids - NUM_SPECIAL_IDS]
        if len(candidates.starts) == 1:
            rows = candidates.item_ids[is_allowed] - NUM_SPECIAL_IDS
            return self._index_search.among(rows)
        offsets = np.append(0, candidates.ends)
        return ListSearch(self.ranker, _selected(candidates.item_ids, offsets, is_allowed))

    def diversified(self, search: Search, diversity: float, diversify: str) -> Search:
        """A search whose lists are less of the same; see `tf_iclrec.recommend`.

        Args:
            search: Of the method `search`.
            diversity: From 0, which leaves the search as it is, to 1.
            diversify: A name of `tf_iclrec.serving.reranking.registry.RERANKERS`.

        Raises:
            UserError: If there is no such name or strength, or the model or the data do not have
                what this way needs.
        """
        check_diversity(diversity, diversify)
        if not diversity:
            return search
        if diversify not in self._rerankers:
            made = make_reranker(diversify, self.ranker, self.catalogue)
            self._rerankers[diversify] = made
        return RerankedSearch(search, self._rerankers[diversify], diversity, len(self.items))

    def check_k(self, k: int) -> None:
        """Make sure that ``k`` items can be asked for.

        Raises:
            UserError: If there are not as many items, or ``k`` is not positive.
        """
        if not (is_whole(k) and 1 <= k <= len(self.items)):
            raise UserError(f"k must be from 1 to {len(self.items)}, the number of items, not {k}.")

    def recommend(
        self,
        user_ids: Sequence[str],
        histories: Histories,
        k: int,
        filter_seen: bool | None,
        exclude: Histories,
        search: Search,
        trained_rows: np.ndarray | None = None,
        because: int = 0,
    ) -> pa.Table:
        """The best items of each user, in the columns of the function `recommend`.

        Args:
            user_ids: ``(users,)`` how to name them.
            histories: Their known items.
            k: Items per user.
            filter_seen: Whether their own items are left out; None: as the recommender was made.
            exclude: Items never to return: one list, or one per user.
            search: Of the method `search` or `diversified`.
            trained_rows: Of the method `trained_rows`. Defaults to users unknown in training.
            because: Reasons for each item; see the method `reasons`.
        """
        import pyarrow as pa

        self.check_k(k)
        check_because(because)
        filter_seen = self.filter_seen if filter_seen is None else filter_seen
        num_users = len(histories.starts)
        scores = np.full((num_users, k), -np.inf, dtype=np.float32)
        rows = np.full((num_users, k), -1, dtype=np.int32)
        max_length = self.ranker.model.max_length
        if trained_rows is None:
            trained_rows = np.full(num_users, -1, dtype=np.int32)
        barred = np.zeros(len(self.items), dtype=bool)
        lists = [histories] if filter_seen else []
        if len(exclude.starts) == 1:
            barred[exclude.joined().item_ids - NUM_SPECIAL_IDS] = True
        else:
            lists.append(exclude)
        for users in histories.batches_by_length(ranking_batch_size(len(self.items))):
            item_ids = histories.padded(users, max_length)
            excluded = [np.zeros((len(users), 0), dtype=np.int32)]
            excluded += [one.padded(users, distinct=True) for one in lists]
            excluded = np.concatenate(excluded, axis=1)
            asked = Asked(users, item_ids, trained_rows[users], excluded, barred)
            found = search(asked, k)
            width = found[0].shape[1]
            scores[users, :width], rows[users, :width] = found[0].numpy(), found[1].numpy()
        found = self._raw_items.take(pa.array(rows[np.isfinite(scores)]))
        reasons = None
        if because:
            item_ids = np.where(np.isfinite(scores), rows + NUM_SPECIAL_IDS, PADDING_ID)
            reasons = self._raw_reasons(self.reasons(histories, item_ids, because, trained_rows))
        popular = self.ranker.are_new(histories.lengths == 0, trained_rows)
        return recommendation_table(pa.array(user_ids), found, scores, popular, reasons)

    def reasons(
        self,
        histories: Histories,
        item_ids: np.ndarray,
        most: int = 3,
        trained_rows: np.ndarray | None = None,
    ) -> Reasons:
        """The items of each history that speak most for some items, such as recommended ones.

        Args:
            histories: The users' known items.
            item_ids: ``(users, n)`` int32 internal ids; a special id has no reasons.
            most: Reasons for each, at most.
            trained_rows: As in `recommend`.

        Returns:
            `tf_iclrec.serving.explainer.Reasons` with arrays ``(users, n, most)``, or narrower ones
            where no history that is read has as many items.
        """
        longest = int(histories.lengths.max(initial=0))
        most = min(most, longest, self.ranker.model.max_length or longest)
        shape = (*item_ids.shape, most)
        found = Reasons(
            np.full(shape, PADDING_ID, np.int32),
            np.zeros(shape, np.float32),
            np.full(shape, NO_INTENT, np.int32),
            np.full(shape, UNKNOWN_ID, np.int32),
        )
        num_users = len(histories.starts)
        if trained_rows is None:
            trained_rows = np.full(num_users, -1, dtype=np.int32)
        size = max(1, min(_EXPLAINED, _EXPLAINED_ITEMS // max(1, item_ids.shape[1])))
        for users in histories.batches_by_length(size):
            some = histories.rows(users).joined()
            known = tf.RaggedTensor.from_row_lengths(some.item_ids.astype(np.int32), some.lengths)
            answer = self.explainer(known, trained_rows[users], item_ids[users], most)
            for whole, part in zip(found, answer, strict=True):
                whole[users] = part.numpy()
        return found

    @functools.cached_property
    def explainer(self) -> Explainer:
        """Made when it is first asked for: it looks at every item once."""
        return Explainer(self.ranker, self.catalogue)

    def _raw_reasons(self, reasons: Reasons) -> FoundReasons:
        import pyarrow as pa

        is_reason = reasons.drops > 0
        items = self._raw_items.take(pa.array(reasons.item_ids[is_reason] - NUM_SPECIAL_IDS))
        providers = pa.nulls(len(items), pa.string())
        if self.catalogue.providers is not None:
            ids = reasons.providers[is_reason]
            raw = pa.array(self.catalogue.providers.vocabulary.ids, pa.string())
            providers = raw.take(pa.array(ids - NUM_SPECIAL_IDS, mask=ids == UNKNOWN_ID))
        return FoundReasons(items, reasons.drops, reasons.intents, providers)


def encode_lists(lists: Histories, vocabulary: Vocabulary, on_unknown: OnUnknown) -> Histories:
    """Lists of raw ids, one after the other, as internal ids, unknown ones left out.

    Raises:
        UserError: If an id is unknown and ``on_unknown`` is ``"raise"``.

    Example:
    >>> from tf_iclrec.serving.user_table import raw_lists
    >>> lists = raw_lists([["tea", "silk"], ["jam"]])
    >>> lists = encode_lists(lists, Vocabulary(["jam", "tea"]), "ignore")
    >>> lists.item_ids.tolist(), lists.ends.tolist()
    ([4, 3], [1, 2])
    """
    ids = vocabulary.encode(lists.item_ids)
    if on_unknown == "raise" and (ids == UNKNOWN_ID).any():
        stranger = lists.item_ids[int((ids == UNKNOWN_ID).argmax())]
        raise UserError(f"Item {stranger!r} is not in the data.")
    return _selected(ids, np.append(0, lists.ends), ids != UNKNOWN_ID)


def _selected(ids: np.ndarray, offsets: np.ndarray, keep: np.ndarray) -> Histories:
    """Lists of internal ids that begin at ``offsets``, those alone that are to keep."""
    offsets = np.concatenate([[0], np.cumsum(keep)])[offsets]
    return Histories(ids[keep], offsets[:-1], offsets[1:])
