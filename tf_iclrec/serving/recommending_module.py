"""The signatures that recommend: histories to ranked items, raw ids in and out."""

import functools

import numpy as np
import tensorflow as tf

from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, PADDING_ID, UNKNOWN_ID, Vocabulary
from tf_iclrec.serving.graph_inputs import (
    as_bytes,
    lists_like,
    lookup_table,
    required,
    strings,
    takes,
)
from tf_iclrec.serving.item_filters import ItemFilters
from tf_iclrec.serving.ranker import EncodedUsers, Ranker
from tf_iclrec.serving.reranking.registry import make_reranker, possible_rerankers
from tf_iclrec.serving.reranking.reranker import num_candidates
from tf_iclrec.serving.retrieval_index import best_of_scores

_NEVER = -float("inf")
# What `recommend` takes beside the history.
_REQUEST = (
    tf.TensorSpec([], tf.int32, "k"),
    strings("exclude"),
    tf.TensorSpec([], tf.bool, "filter_seen"),
    strings("only"),
    strings("without"),
)
_DIVERSITY = (tf.TensorSpec([], tf.float32, "diversity"), tf.TensorSpec([], tf.string, "diversify"))


class RecommendingModule(tf.Module):
    """Vocabulary, model and index in one graph, which recommends.

    Histories are raw item ids ``(batch, length)``, oldest first, ``""`` = padding anywhere, of
    any length: the last ``max_length`` known items are read, and all of them count as seen.
    Unknown items are ignored. A user without a known item gets the items by popularity in the
    training data, and ``from_popularity`` is true for that row. Where fewer items are left than
    were asked for, the rest is ``""`` with score minus infinity.

    Args:
        ranker: The model with its index.
        items: The item vocabulary.
        catalogue: What is known of the items.
        k: Number of items in answers to requests that don't say.
        max_k: The most that a request may ask for. Both are at most the size of the catalogue.
        users: The users of the log, for a model that has a vector of each.
        user_rows: ``(users,)`` int32 their rows in the model, -1 = not trained on.
        filter_seen: Whether items of the history are left out where requests don't say.

    Attributes:
        has_intents: Whether the model has found intents. Of several numbers of intents ``K``, the
            first is served.
    """

    def __init__(
        self,
        ranker: Ranker,
        items: Vocabulary,
        catalogue: Catalogue,
        k: int,
        max_k: int,
        users: Vocabulary | None = None,
        user_rows: np.ndarray | None = None,
        filter_seen: bool = True,
    ):
        super().__init__()
        self.ranker = ranker
        self.filters = ItemFilters(catalogue)
        self.max_k = min(max(k, max_k), len(items))
        self.k = min(k, len(items))
        self.filter_seen = filter_seen
        # Of a saved module, this can be read.
        self.filter_seen_by_default = tf.Variable(filter_seen, trainable=False)
        self.rerankers = {
            name: make_reranker(name, ranker, catalogue)
            for name in possible_rerankers(ranker, catalogue)
        }
        self.has_intents = ranker.model.found_intents
        self.raw_ids = as_bytes(items.ids)
        internal_ids = tf.range(NUM_SPECIAL_IDS, items.size, dtype=tf.int32)
        self.internal_ids = lookup_table(self.raw_ids, internal_ids, UNKNOWN_ID)
        self.user_rows = None
        if users is not None:
            self.user_rows = lookup_table(as_bytes(users.ids), tf.constant(user_rows), -1)

    @takes(strings("history"))
    def best(self, history: tf.Tensor) -> dict[str, tf.Tensor]:
        """The best items for each history, without its own unless the model was made to keep them.

        Args:
            history: ``(batch, length)`` raw item ids.

        Returns:
            ``item_ids`` ``(batch, k)`` strings and ``scores`` ``(batch, k)`` float32, best
            first; ``from_popularity`` ``(batch,)`` bool; and ``intent`` ``(batch,)`` int32,
            -1 for a user without a known item, if the model has intents.
        """
        known = self._known(history)
        seen = known if self.filter_seen else known[:, :0]
        return self._recommended(known, seen.to_tensor(PADDING_ID), self.k)

    @takes(strings("history"), *_REQUEST)
    def recommend(
        self,
        history: tf.Tensor,
        k: tf.Tensor,
        exclude: tf.Tensor,
        filter_seen: tf.Tensor,
        only: tf.Tensor,
        without: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """As `best`, with more to say.

        Args:
            history: ``(batch, length)`` raw item ids.
            k: Number of items to return, from 1 to ``max_k``.
            exclude: ``(batch, m)`` raw item ids that are never returned, ``""`` = padding.
            filter_seen: Whether items of the history are left out.
            only: ``(batch, m)`` values that items must have, each as ``name=value``, ``""`` =
                padding; see `ItemFilters`.
            without: ``(batch, m)`` values that items must not have, likewise.
        """
        return self._asked(history, k, exclude, filter_seen, only, without)

    @takes(strings("user_id", rank=1), strings("history"), *_REQUEST)
    def recommend_to_user(
        self,
        user_id: tf.Tensor,
        history: tf.Tensor,
        k: tf.Tensor,
        exclude: tf.Tensor,
        filter_seen: tf.Tensor,
        only: tf.Tensor,
        without: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """As `recommend`, with each user's own vector where the training data has the user.

        Others are answered from their history alone, as `recommend` does. Where the vector
        suffices, as in matrix factorization, a user without a known item gets the items by it.

        Args:
            user_id: ``(batch,)`` raw user ids.
        """
        users = self._rows_of_users(user_id)
        return self._asked(history, k, exclude, filter_seen, only, without, users)

    @takes(strings("history"), *_REQUEST, *_DIVERSITY)
    def recommend_diverse(
        self,
        history: tf.Tensor,
        k: tf.Tensor,
        exclude: tf.Tensor,
        filter_seen: tf.Tensor,
        only: tf.Tensor,
        without: tf.Tensor,
        diversity: tf.Tensor,
        diversify: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """As `recommend`, with lists that are less of the same; see `Reranker`.

        Args:
            diversity: From 0, the lists of `recommend`, to 1.
            diversify: In what: a name of ``RERANKERS``, such as ``"intents"``; ``""``: the first
                for which the model has what is needed.
        """
        diverse = (diversity, diversify)
        return self._asked(history, k, exclude, filter_seen, only, without, diverse=diverse)

    @takes(strings("user_id", rank=1), strings("history"), *_REQUEST, *_DIVERSITY)
    def recommend_diverse_to_user(
        self,
        user_id: tf.Tensor,
        history: tf.Tensor,
        k: tf.Tensor,
        exclude: tf.Tensor,
        filter_seen: tf.Tensor,
        only: tf.Tensor,
        without: tf.Tensor,
        diversity: tf.Tensor,
        diversify: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """As `recommend_diverse`, with the users' own vectors as in `recommend_to_user`."""
        users, diverse = self._rows_of_users(user_id), (diversity, diversify)
        return self._asked(history, k, exclude, filter_seen, only, without, users, diverse)

    @takes(strings("history"), strings("candidates"))
    def rank(self, history: tf.Tensor, candidates: tf.Tensor) -> dict[str, tf.Tensor]:
        """Score some items only, seen ones too: for allow-lists and re-ranking.

        Args:
            history: ``(batch, length)`` raw item ids.
            candidates: ``(batch, c)`` raw item ids, ``""`` = padding.

        Returns:
            ``scores`` ``(batch, c)`` float32, as the candidates are given, minus infinity for
            unknown ones; ``order`` ``(batch, c)`` int32, the places of the candidates from the
            best to the worst; ``from_popularity`` ``(batch,)`` bool.
        """
        known = self._known(history)
        ids = self.internal_ids.lookup(lists_like(history, candidates, "candidates"))
        any_known = tf.reduce_any(ids >= NUM_SPECIAL_IDS)
        ids = required(
            ids, any_known, ["None of the candidates is an item of this model:", candidates]
        )
        encoded = self._encoded(known)
        scores = self.ranker.index.score(encoded.queries, ids - NUM_SPECIAL_IDS)
        order = tf.argsort(scores, direction="DESCENDING", stable=True)
        return {"scores": scores, "order": order, "from_popularity": encoded.is_new}

    def _asked(
        self, history, k, exclude, filter_seen, only, without, users=None, diverse=None
    ) -> dict[str, tf.Tensor]:
        """The answer to a request, once it is checked."""
        known = self._known(history)
        k = tf.ensure_shape(k, [], name="k_is_a_scalar")
        in_range = (k >= 1) & (k <= self.max_k)
        k = required(k, in_range, [f"k must be from 1 to {self.max_k}, not", k])
        filter_seen = tf.ensure_shape(filter_seen, [], name="filter_seen_is_a_scalar")
        excluded = self.internal_ids.lookup(lists_like(history, exclude, "exclude"))
        seen = tf.where(filter_seen, known.to_tensor(PADDING_ID), PADDING_ID)
        filters = {"only": only, "without": without}
        excluded = tf.concat([seen, excluded], axis=1)
        return self._recommended(known, excluded, k, users, filters, diverse)

    def _rows_of_users(self, user_id: tf.Tensor) -> tf.Tensor:
        return self.user_rows.lookup(tf.ensure_shape(user_id, [None]))

    def _known(self, history: tf.Tensor) -> tf.RaggedTensor:
        """Internal ids of the known items of each history."""
        history = tf.ensure_shape(history, [None, None], name="history_is_batch_by_length")
        ids = self.internal_ids.lookup(history)
        return tf.ragged.boolean_mask(ids, ids >= NUM_SPECIAL_IDS)

    def _encoded(self, known: tf.RaggedTensor, users: tf.Tensor | None = None) -> EncodedUsers:
        recent = self.ranker.recent(known)
        users = tf.fill([tf.shape(recent)[0]], -1) if users is None else users
        return self.ranker.encode(recent, users)

    def _recommended(
        self, known, excluded, k, users=None, filters=None, diverse=None
    ) -> dict[str, tf.Tensor]:
        """The answer for known items, without excluded ``(batch, width)`` internal ids and what
        filters, those of `ItemFilters`, do not allow; diverse in so far and in what."""
        encoded = self._encoded(known, users)
        # What is no item, such as padding, becomes negative: nothing to exclude.
        rows = excluded - NUM_SPECIAL_IDS
        if diverse is None:
            found = self._found(encoded.queries, rows, k, filters)
        else:
            n = num_candidates(k, self.ranker.index.num_items)
            found = self._found(encoded.queries, rows, n, filters)
            found = self._reranked(self.ranker.recent(known), *found, k, *diverse)
        answer = self._answer(*found)
        answer["from_popularity"] = encoded.is_new
        return answer | ({"intent": self._intent(encoded)} if self.has_intents else {})

    def _found(self, queries, rows, k, filters) -> tuple[tf.Tensor, tf.Tensor]:
        """Scores and rows of the best items; all are looked at if any filter is named."""

        def of_all():
            return self.ranker.index(queries, rows, k)

        def of_allowed():
            cells = [lists_like(queries, lists, name) for name, lists in filters.items()]
            scores = tf.where(self.filters(*cells), self.ranker.index.score_all(queries), _NEVER)
            return best_of_scores(scores, rows, k)

        if filters is None:
            return of_all()
        named = tf.concat([tf.reshape(lists, [-1]) for lists in filters.values()], axis=0)
        return tf.cond(tf.reduce_any(named != ""), of_allowed, of_all)

    def _reranked(self, item_ids, scores, rows, k, diversity, diversify):
        """The best ``k`` of found items, by what `recommend_diverse` is told."""
        diversity = tf.ensure_shape(diversity, [], name="diversity_is_a_scalar")
        in_range = (diversity >= 0) & (diversity <= 1)
        diversity = required(diversity, in_range, ["diversity must be from 0 to 1, not", diversity])
        diversify = tf.ensure_shape(diversify, [], name="diversify_is_a_scalar")
        names = list(self.rerankers)
        is_named = tf.where(diversify == "", names[0], diversify) == tf.constant(names)
        message = [f"diversify must be one of {', '.join(names)}, not", diversify]
        which = required(
            tf.argmax(is_named, output_type=tf.int32), tf.reduce_any(is_named), message
        )
        ways = [
            functools.partial(reranker, item_ids, scores, rows, k, diversity)
            for reranker in self.rerankers.values()
        ]
        return tf.switch_case(which, ways)

    def _intent(self, encoded: EncodedUsers) -> tf.Tensor:
        (ids, _), *_ = self.ranker.model.intents(encoded.mean_vectors)
        return tf.where(encoded.is_new, -1, tf.cast(ids, tf.int32))

    def _answer(self, scores: tf.Tensor, rows: tf.Tensor) -> dict[str, tf.Tensor]:
        item_ids = tf.gather(self.raw_ids, tf.maximum(rows, 0))
        return {"item_ids": tf.where(tf.math.is_inf(scores), "", item_ids), "scores": scores}
