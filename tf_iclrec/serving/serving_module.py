"""The graph that TF Serving runs: everything that a model can be asked, by signature."""

from collections.abc import Callable

import tensorflow as tf

from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, Vocabulary
from tf_iclrec.serving.explainer import Explainer
from tf_iclrec.serving.graph_inputs import as_bytes, lists_like, required, strings, takes
from tf_iclrec.serving.provider_ranking import provider_affinities
from tf_iclrec.serving.ranker import Ranker
from tf_iclrec.serving.recommending_module import RecommendingModule

# What `explain` takes beside the history.
_EXPLAINED = (strings("item_ids"), tf.TensorSpec([], tf.int32, "because"))


class ServingModule(RecommendingModule):
    """The graph that is served: what `RecommendingModule` recommends, and what else a model knows
    of users, items, intents and providers.

    Args:
        See `RecommendingModule`.
    """

    def __init__(self, ranker: Ranker, items: Vocabulary, catalogue: Catalogue, *args, **kwargs):
        super().__init__(ranker, items, catalogue, *args, **kwargs)
        self.providers = catalogue.providers
        self.explainer = Explainer(ranker, catalogue)

    @property
    def signatures(self) -> dict[str, Callable]:
        """The functions that are served, by name."""
        served = {
            "serving_default": self.best,
            "recommend": self.recommend,
            "rank": self.rank,
            "similar_items": self.similar_items,
            "explain": self.explain,
        }
        if self.user_rows is not None:
            served["recommend_to_user"] = self.recommend_to_user
            served["explain_to_user"] = self.explain_to_user
        if self.rerankers:
            served["recommend_diverse"] = self.recommend_diverse
            if self.user_rows is not None:
                served["recommend_diverse_to_user"] = self.recommend_diverse_to_user
        if self.ranker.model.has_latent_intents:
            served["latent_intents"] = self.latent_intents
        if self.ranker.model.by_dot_product:
            served["encode"] = self.encode
            if self.has_intents:
                served["items_of_intent"] = self.items_of_intent
        if self.providers is not None:
            served["provider_affinities"] = self.provider_affinities
        return {
            name: tf.function(method, method.input_signature, autograph=False)
            for name, method in served.items()
        }

    @takes(strings("history"), *_EXPLAINED)
    def explain(
        self, history: tf.Tensor, item_ids: tf.Tensor, because: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Why items are recommended, or would be: the items of the history without which their
        scores would fall most; see `Explainer`.

        Args:
            history: ``(batch, length)`` raw item ids.
            item_ids: ``(batch, n)`` raw ids of what is to be explained, such as the answer of
                `recommend`, ``""`` = padding. An unknown item has no reasons.
            because: Number of reasons for each item, from 1 to ``max_k``.

        Returns:
            ``reasons`` ``(batch, n, because)`` raw item ids, the strongest first, ``""`` where
            there are fewer; ``drops`` ``(batch, n, because)`` float32, how much the item's score
            is lower without the reason, 0 where there is none; ``intents`` ``(batch, n, because)``
            int32 and ``providers`` ``(batch, n, because)`` strings, the intent and the provider
            that both items have, -1 and ``""`` where they have none in common.
        """
        nobody = tf.fill([tf.shape(history)[0]], -1)
        return self._explained(history, item_ids, because, nobody)

    @takes(strings("user_id", rank=1), strings("history"), *_EXPLAINED)
    def explain_to_user(
        self, user_id: tf.Tensor, history: tf.Tensor, item_ids: tf.Tensor, because: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """As `explain`, for the answers of `recommend_to_user`.

        Args:
            user_id: ``(batch,)`` raw user ids.
        """
        return self._explained(history, item_ids, because, self._rows_of_users(user_id))

    def _explained(self, history, item_ids, because, users) -> dict[str, tf.Tensor]:
        known = self._known(history)
        because = tf.ensure_shape(because, [], name="because_is_a_scalar")
        in_range = (because >= 1) & (because <= self.max_k)
        message = [f"because must be from 1 to {self.max_k}, not", because]
        because = required(because, in_range, message)
        ids = self.internal_ids.lookup(lists_like(history, item_ids, "item_ids"))
        found = self.explainer(known, users, ids, because)
        providers = [] if self.providers is None else self.providers.vocabulary.ids
        return {
            "reasons": _raw(self.raw_ids, found.item_ids),
            "drops": found.drops,
            "intents": found.intents,
            "providers": _raw(as_bytes(providers), found.providers),
        }

    @takes(strings("history"))
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

    @takes(strings("history"))
    def latent_intents(self, history: tf.Tensor) -> dict[str, tf.Tensor]:
        """How much each latent intent counts for users, of models with a vector for each.

        Args:
            history: ``(batch, length)`` raw item ids.

        Returns:
            ``intent_shares`` ``(batch, K)`` float32, which sum to 1; zero for a user without a
            known item.
        """
        recent = self.ranker.recent(self._known(history))
        return {"intent_shares": self.ranker.model.encoder.intent_shares({"item_ids": recent})}

    @takes(strings("item_ids", rank=1))
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
        return self.ranker.cosines(tf.maximum(ids - NUM_SPECIAL_IDS, 0))

    @takes(tf.TensorSpec([None], tf.int32, "intents"))
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
        intents = required(intents, in_range, [f"intents must be from 0 to {last}, not", intents])
        queries = tf.pad(tf.gather(centroids, intents), [[0, 0], [0, 1]])
        nothing = tf.zeros([tf.shape(intents)[0], 0], tf.int32)
        return self._answer(*self.ranker.index(queries, nothing, self.k))

    @takes(strings("history"))
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
        return {"provider_ids": tf.gather(as_bytes(vocabulary.ids), order), "affinities": best}


def _raw(raw_ids: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
    """Internal ids as raw ones ``(n,)``; special ones as ""."""
    return tf.gather(tf.concat([as_bytes([""] * NUM_SPECIAL_IDS), raw_ids], axis=0), ids)
