"""A SavedModel for TF Serving: raw ids in, raw ids out."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import tensorflow as tf

from tf_iclrec.data.item_attributes import ItemAttribute
from tf_iclrec.data.splits.split import Split
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, PADDING_ID, UNKNOWN_ID, Vocabulary
from tf_iclrec.files import replace_directory
from tf_iclrec.models.recommender import Recommender
from tf_iclrec.serving.provider_ranking import provider_affinities
from tf_iclrec.serving.ranker import EncodedUsers, Ranker
from tf_iclrec.serving.warm_up import write_warm_up_requests
from tf_iclrec.settings import Setting

DEFAULT_K = 20
DEFAULT_MAX_K = 1000


def _strings(name: str, rank: int = 2) -> tf.TensorSpec:
    return tf.TensorSpec([None] * rank, tf.string, name)


def _takes(*specs: tf.TensorSpec) -> Callable[[Callable], Callable]:
    """Marks a method with what it takes. It becomes a graph when it is asked for: of a
    `tf.function` that is there, all would be traced, also those that a model can't answer."""

    def mark(method: Callable) -> Callable:
        method.input_signature = specs
        return method

    return mark


class ServingModule(tf.Module):
    """The graph that is served: vocabulary, model and index in one.

    Histories are raw item ids ``(batch, length)``, oldest first, ``""`` = padding anywhere, of
    any length: the last ``max_length`` known items are read, and all of them count as seen.
    Unknown items are ignored. A user without a known item gets the items by popularity in the
    training data, and ``from_popularity`` is true for that row. Where fewer items are left than
    were asked for, the rest is ``""`` with score minus infinity.

    Args:
        ranker: The model with its index.
        items: The item vocabulary.
        k: Number of items in answers to requests that don't say.
        max_k: The most that a request may ask for. Both are at most the size of the catalogue.
        providers: The items' providers, where they are known.
        users: The users of the log, for a model that has a vector of each.
        user_rows: ``(users,)`` int32 their rows in the model, -1 = not trained on.

    Attributes:
        has_intents: Whether the model has intents. Of several numbers of intents ``K``, the
            first is served.
    """

    def __init__(
        self,
        ranker: Ranker,
        items: Vocabulary,
        k: int = DEFAULT_K,
        max_k: int = DEFAULT_MAX_K,
        providers: ItemAttribute | None = None,
        users: Vocabulary | None = None,
        user_rows: np.ndarray | None = None,
    ):
        super().__init__()
        self.ranker = ranker
        self.providers = providers
        self.max_k = min(max(k, max_k), len(items))
        self.k = min(k, len(items))
        self.has_intents = ranker.model.intents is not None
        self.raw_ids = tf.constant([str(item).encode() for item in items.ids])
        internal_ids = tf.range(NUM_SPECIAL_IDS, items.size, dtype=tf.int32)
        self.internal_ids = _table(self.raw_ids, internal_ids, UNKNOWN_ID)
        self.user_rows = None
        if users is not None:
            raw_users = tf.constant([str(user).encode() for user in users.ids])
            self.user_rows = _table(raw_users, tf.constant(user_rows), -1)

    @property
    def signatures(self) -> dict[str, Callable]:
        """The functions that are served, by name."""
        served = {
            "serving_default": self.best,
            "recommend": self.recommend,
            "rank": self.rank,
            "similar_items": self.similar_items,
        }
        if self.user_rows is not None:
            served["recommend_to_user"] = self.recommend_to_user
        if self.ranker.model.has_latent_intents:
            served["latent_intents"] = self.latent_intents
        if self.ranker.model.by_dot_product:
            served["encode"] = self.encode
            if self.has_intents:
                served["items_of_intent"] = self.items_of_intent
        if self.providers is not None:
            served["provider_affinities"] = self.provider_affinities
        return {
            name: tf.function(method, input_signature=method.input_signature)
            for name, method in served.items()
        }

    @_takes(_strings("history"))
    def best(self, history: tf.Tensor) -> dict[str, tf.Tensor]:
        """The best unseen items for each history.

        Args:
            history: ``(batch, length)`` raw item ids.

        Returns:
            ``item_ids`` ``(batch, k)`` strings and ``scores`` ``(batch, k)`` float32, best
            first; ``from_popularity`` ``(batch,)`` bool; and ``intent`` ``(batch,)`` int32,
            -1 for a user without a known item, if the model has intents.
        """
        known = self._known(history)
        return self._recommended(known, known.to_tensor(PADDING_ID), self.k)

    @_takes(
        _strings("history"),
        tf.TensorSpec([], tf.int32, "k"),
        _strings("exclude"),
        tf.TensorSpec([], tf.bool, "filter_seen"),
    )
    def recommend(
        self, history: tf.Tensor, k: tf.Tensor, exclude: tf.Tensor, filter_seen: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """As `best`, with more to say.

        Args:
            history: ``(batch, length)`` raw item ids.
            k: Number of items to return, from 1 to ``max_k``.
            exclude: ``(batch, m)`` raw item ids that are never returned, ``""`` = padding.
            filter_seen: Whether items of the history are left out.
        """
        return self._asked(self._known(history), None, history, k, exclude, filter_seen)

    @_takes(
        _strings("user_id", rank=1),
        _strings("history"),
        tf.TensorSpec([], tf.int32, "k"),
        _strings("exclude"),
        tf.TensorSpec([], tf.bool, "filter_seen"),
    )
    def recommend_to_user(
        self,
        user_id: tf.Tensor,
        history: tf.Tensor,
        k: tf.Tensor,
        exclude: tf.Tensor,
        filter_seen: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """As `recommend`, with each user's own vector where the training data has the user.

        Others are answered from their history alone, as `recommend` does.

        Args:
            user_id: ``(batch,)`` raw user ids.
        """
        users = self.user_rows.lookup(tf.ensure_shape(user_id, [None]))
        return self._asked(self._known(history), users, history, k, exclude, filter_seen)

    def _asked(self, known, users, history, k, exclude, filter_seen) -> dict[str, tf.Tensor]:
        k = tf.ensure_shape(k, [], name="k_is_a_scalar")
        in_range = (k >= 1) & (k <= self.max_k)
        k = _required(k, in_range, [f"k must be from 1 to {self.max_k}, not", k])
        filter_seen = tf.ensure_shape(filter_seen, [], name="filter_seen_is_a_scalar")
        excluded = self.internal_ids.lookup(_lists_like(history, exclude, "exclude"))
        seen = tf.where(filter_seen, known.to_tensor(PADDING_ID), PADDING_ID)
        return self._recommended(known, tf.concat([seen, excluded], axis=1), k, users)

    @_takes(_strings("history"), _strings("candidates"))
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
        ids = self.internal_ids.lookup(_lists_like(history, candidates, "candidates"))
        any_known = tf.reduce_any(ids >= NUM_SPECIAL_IDS)
        ids = _required(
            ids, any_known, ["None of the candidates is an item of this model:", candidates]
        )
        encoded = self._encoded(known)
        scores = self.ranker.index.score(encoded.queries, ids - NUM_SPECIAL_IDS)
        order = tf.argsort(scores, direction="DESCENDING", stable=True)
        return {"scores": scores, "order": order, "from_popularity": encoded.is_new}

    @_takes(_strings("history"))
    def encode(self, history: tf.Tensor) -> dict[str, tf.Tensor]:
        """User vectors, for retrieval or models elsewhere.

        Args:
            history: ``(batch, length)`` raw item ids.

        Returns:
            ``user_vectors`` ``(batch, dim)`` float32, zero for a user without a known item;
            and if the model has intents, ``intent`` as in `best` and ``intent_affinities``
            ``(batch, K)`` float32, which sum to 1.
        """
        encoded = self._encoded(self._known(history))
        # Without the last coordinate, which is the popularity's.
        answer = {"user_vectors": encoded.queries[:, :-1]}
        if self.has_intents:
            affinities = self.ranker.model.intents.affinities(encoded.mean_vectors)[0]
            answer |= {"intent": self._intent(encoded), "intent_affinities": affinities}
        return answer

    @_takes(_strings("history"))
    def latent_intents(self, history: tf.Tensor) -> dict[str, tf.Tensor]:
        """How much each latent intent counts for users, of models with a vector for each.

        Args:
            history: ``(batch, length)`` raw item ids.

        Returns:
            ``intent_shares`` ``(batch, K)`` float32, which sum to 1; zero for a user without a
            known item.
        """
        recent = self._recent(self._known(history))
        return {"intent_shares": self.ranker.model.encoder.intent_shares({"item_ids": recent})}

    @_takes(_strings("item_ids", rank=1))
    def similar_items(self, item_ids: tf.Tensor) -> dict[str, tf.Tensor]:
        """The items nearest to each item.

        Args:
            item_ids: ``(batch,)`` raw item ids.

        Returns:
            ``item_ids`` ``(batch, k)`` strings and ``scores`` ``(batch, k)`` float32, best
            first: the cosine of the item vectors, or what a model without them gives for a
            history of that item alone. An unknown item has no neighbours.
        """
        ids = self.internal_ids.lookup(tf.ensure_shape(item_ids, [None]))
        rows = ids - NUM_SPECIAL_IDS
        likeness = self._likeness(ids)
        is_itself = rows[:, tf.newaxis] == tf.range(tf.shape(likeness)[1])
        unusable = is_itself | (rows < 0)[:, tf.newaxis]
        scores, nearest = tf.math.top_k(tf.where(unusable, -float("inf"), likeness), self.k)
        return self._answer(scores, nearest)

    def _likeness(self, ids: tf.Tensor) -> tf.Tensor:
        """``(batch, items)`` of each item ``(batch,)`` to all."""
        if not self.ranker.model.by_dot_product:
            history = tf.RaggedTensor.from_row_lengths(ids, tf.ones_like(ids))
            return self._encoded(history).queries
        # Without the counts, which stand in the coordinate after the model's own.
        vectors = self.ranker.index.vectors[:, : self.ranker.model.encoder.output_dim]
        own = tf.gather(vectors, tf.maximum(ids - NUM_SPECIAL_IDS, 0))
        cosines = tf.matmul(tf.math.l2_normalize(own, axis=1), vectors, transpose_b=True)
        return cosines * tf.math.rsqrt(tf.reduce_sum(vectors * vectors, axis=1) + 1e-12)

    @_takes(tf.TensorSpec([None], tf.int32, "intents"))
    def items_of_intent(self, intents: tf.Tensor) -> dict[str, tf.Tensor]:
        """What an intent is about: the items that score best for its centroid.

        Args:
            intents: ``(batch,)`` numbers of intents, from 0 to ``K - 1``.

        Returns:
            ``item_ids`` ``(batch, k)`` strings and ``scores`` ``(batch, k)`` float32.
        """
        intents = tf.ensure_shape(intents, [None])
        centroids = tf.convert_to_tensor(self.ranker.model.intents.centroids[0])
        last = centroids.shape[0] - 1
        in_range = tf.reduce_all((intents >= 0) & (intents <= last))
        intents = _required(intents, in_range, [f"intents must be from 0 to {last}, not", intents])
        queries = tf.pad(tf.gather(centroids, intents), [[0, 0], [0, 1]])
        nothing = tf.zeros([tf.shape(intents)[0], 0], tf.int32)
        return self._answer(*self.ranker.index(queries, nothing, self.k))

    @_takes(_strings("history"))
    def provider_affinities(self, history: tf.Tensor) -> dict[str, tf.Tensor]:
        """How likely each provider is to offer a user's next item.

        Args:
            history: ``(batch, length)`` raw item ids.

        Returns:
            ``provider_ids`` ``(batch, n)`` strings and ``affinities`` ``(batch, n)`` float32,
            the largest first, of the ``k`` nearest providers or all that there are; see
            `tf_iclrec.provider_affinities`. For a user without a known item, the providers'
            shares of all interactions.
        """
        encoded = self._encoded(self._known(history))
        scores = self.ranker.index.score_all(encoded.queries)
        # Popularity is a count, and a softmax over its logarithm the share of all counts.
        is_new = encoded.is_new[:, tf.newaxis]
        scores = tf.where(is_new, tf.math.log(tf.maximum(scores, 1e-9)), scores)
        vocabulary = self.providers.vocabulary
        affinities = provider_affinities(scores, self.providers)
        best, order = tf.math.top_k(affinities, min(self.k, len(vocabulary)))
        raw_ids = tf.constant([str(provider).encode() for provider in vocabulary.ids])
        return {"provider_ids": tf.gather(raw_ids, order), "affinities": best}

    def _known(self, history: tf.Tensor) -> tf.RaggedTensor:
        """Internal ids of the known items of each history."""
        history = tf.ensure_shape(history, [None, None], name="history_is_batch_by_length")
        ids = self.internal_ids.lookup(history)
        return tf.ragged.boolean_mask(ids, ids >= NUM_SPECIAL_IDS)

    def _recent(self, known: tf.RaggedTensor) -> tf.Tensor:
        """The last items that the model reads, ``(batch, time)``."""
        longest = self.ranker.model.max_length
        recent = (known if longest is None else known[:, -longest:]).to_tensor(PADDING_ID)
        # At least one column, for a batch without any known item.
        width = tf.maximum(tf.shape(recent)[1], 1)
        return tf.pad(recent, [[0, 0], [0, width - tf.shape(recent)[1]]])

    def _encoded(self, known: tf.RaggedTensor, users: tf.Tensor | None = None) -> EncodedUsers:
        recent = self._recent(known)
        users = tf.fill([tf.shape(recent)[0]], -1) if users is None else users
        return self.ranker.encode(recent, users)

    def _recommended(self, known, excluded, k, users=None) -> dict[str, tf.Tensor]:
        """The answer for known items, without excluded ``(batch, width)`` internal ids."""
        encoded = self._encoded(known, users)
        # What is no item, such as padding, becomes negative: nothing to exclude.
        found = self.ranker.index(encoded.queries, excluded - NUM_SPECIAL_IDS, k)
        answer = self._answer(*found) | {"from_popularity": encoded.is_new}
        return answer | ({"intent": self._intent(encoded)} if self.has_intents else {})

    def _intent(self, encoded: EncodedUsers) -> tf.Tensor:
        (ids, _), *_ = self.ranker.model.intents(encoded.mean_vectors)
        return tf.where(encoded.is_new, -1, tf.cast(ids, tf.int32))

    def _answer(self, scores: tf.Tensor, rows: tf.Tensor) -> dict[str, tf.Tensor]:
        item_ids = tf.gather(self.raw_ids, tf.maximum(rows, 0))
        return {"item_ids": tf.where(tf.math.is_inf(scores), "", item_ids), "scores": scores}


def _table(keys: tf.Tensor, values: tf.Tensor, default: int) -> tf.lookup.StaticHashTable:
    return tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(keys, values), default_value=default
    )


def _required(value: tf.Tensor, condition: tf.Tensor, message: list) -> tf.Tensor:
    """``value``, or an error that is raised before anything is computed from it."""
    with tf.control_dependencies([tf.debugging.Assert(condition, message)]):
        return tf.identity(value)


def _lists_like(history: tf.Tensor, lists: tf.Tensor, name: str) -> tf.Tensor:
    """Lists ``(batch, any)`` of which there must be one for each history."""
    lists = tf.ensure_shape(lists, [None, None], name=f"{name}_is_batch_by_length")
    rows, histories = tf.shape(lists)[0], tf.shape(history)[0]
    message = [f"{name} must have one row for each history. Rows and histories:", rows, histories]
    return _required(lists, rows == histories, message)


def export_saved_model(
    model: Recommender,
    split: Split,
    directory: str | Path,
    k: Annotated[
        int, Setting("items in served answers to requests that don't say", at_least=1)
    ] = DEFAULT_K,
    max_k: Annotated[int, Setting("the most that a request may ask for", at_least=1)] = (
        DEFAULT_MAX_K
    ),
) -> None:
    """Write a SavedModel with the signatures of `ServingModule`, and requests to warm it up.

    Args:
        model: The recommender.
        split: What it was trained on, for the vocabularies and popularity.
        directory: The version folder, such as ``savedmodels/shop/1``; replaced if it exists.
        k: Number of items in answers to requests that don't say.
        max_k: The most that a request may ask for.
    """
    directory = Path(directory)
    directory.parent.mkdir(parents=True, exist_ok=True)
    log = split.interactions
    ranker = Ranker(model, split.training_counts)
    users = Vocabulary(log.users) if "users" in model.reads else None
    rows = split.trained_rows(np.arange(log.num_users))
    module = ServingModule(ranker, log.items, k, max_k, log.providers, users, rows)
    signatures = module.signatures
    with replace_directory(directory) as path:
        tf.saved_model.save(module, str(path), signatures=signatures)
        write_warm_up_requests(path, directory.parent.name, signatures, module.raw_ids[0])
