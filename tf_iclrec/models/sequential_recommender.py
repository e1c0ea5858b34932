"""An encoder and weighted objectives, trained together."""

import functools
from collections.abc import Sequence
from typing import Annotated, Any

import keras
import numpy as np
import tensorflow as tf
from keras import KerasTensor, ops, tree

from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.data.new_items import MeansOfKindred
from tf_iclrec.encoders.encoder import STREAMS, Encoder
from tf_iclrec.encoders.ensemble import EnsembleEncoder
from tf_iclrec.evaluation.metrics import DEFAULT_CUTOFFS
from tf_iclrec.layers.intent_prototypes import IntentPrototypes
from tf_iclrec.layers.masks import last_valid, valid_mask
from tf_iclrec.layers.unit_vectors import unit_vectors
from tf_iclrec.models.batch_needs import batch_settings, check_batch
from tf_iclrec.models.fit_checks import check_fit
from tf_iclrec.models.recommender import Recommender
from tf_iclrec.models.states import (
    Parts,
    hidden_states,
    mean_states,
    side_by_side,
    training_states,
    without_question,
)
from tf_iclrec.objectives.all_rows import AllRows
from tf_iclrec.objectives.objective import (
    EncodedBatch,
    Objective,
    check_together,
    loss_of,
    num_replicas,
)
from tf_iclrec.settings import Setting, checked


@keras.saving.register_keras_serializable("tf_iclrec")
class SequentialRecommender(Recommender):
    """Next-item recommender: any encoder with any objectives (ICLRec Eq. 18).

    One training step encodes the sequences and their views in a single encoder call, hands
    the result to every objective and minimises the weighted sum. Evaluation ranks the whole
    catalogue. Called on a batch, the model gives the score of every item.

    Args:
        encoder: An `Encoder`; states of two streams are put side by side. The members of an
            `EnsembleEncoder` learn side by side, each with all objectives; they share the
            intents, and an item's score is the mean of theirs.
        objectives: Loss terms, or one; see `tf_iclrec.objectives`.
        num_intents: Numbers of intents ``K`` for objectives that need them.
        temperature: If above 0, an item's score is the cosine of its vector and the user's,
            divided by this. Defaults to 0: their dot product. Frequent items have long vectors,
            which a cosine leaves out.
        cutoffs: The ``k`` of HR, NDCG and MRR.

    Call arguments:
        inputs: Dict with ``item_ids`` ``(batch, time)`` int32, 0 = padding, and what else the
            encoder reads.

    Returns:
        Scores ``(batch, items)`` float32; column ``i`` belongs to the internal id ``i + 3``.

    Raises:
        ValueError: If objectives don't go together, or need intents or a stream of providers that
            are not there; in training, if the batches lack what objectives read.

    Example:
    >>> from tf_iclrec import SelfAttentiveEncoder, SoftmaxCrossEntropy
    >>> model = SequentialRecommender(
    ...     SelfAttentiveEncoder(vocabulary_size=103, max_length=50), [SoftmaxCrossEntropy()])
    >>> model({"item_ids": ops.array([[0, 5, 9]])}).shape
    TensorShape([1, 100])
    """

    # How many of the items, the last ones, came after the training.
    num_new_items: int = 0

    @checked
    def __init__(
        self,
        encoder: Encoder | EnsembleEncoder,
        objectives: Objective | Sequence[Objective],
        num_intents: int | Sequence[int] = (),
        temperature: Annotated[
            float,
            Setting(
                "score items by the cosine with the user, divided by this; 0: by the dot product",
                at_least=0,
                option="score_temperature",
            ),
        ] = 0.0,
        cutoffs: int | Sequence[int] = DEFAULT_CUTOFFS,
        **kwargs,
    ):
        super().__init__(cutoffs, **kwargs)
        self.encoder = encoder
        self.objectives = tuple(one.for_task(encoder.task) for one in tree.flatten(objectives))
        self.num_intents = tuple(np.atleast_1d(num_intents).tolist())
        self.temperature = temperature
        self.needs_negatives = any(term.needs_negatives for term in self.objectives)
        self.sampling = next((term.sampling for term in self.objectives if term.sampling), None)
        self.needs_futures = any(term.needs_futures for term in self.objectives)
        self.needs_views = any(term.needs_views for term in self.objectives)
        self.needs_intents = any(term.needs_intents for term in self.objectives)
        self.needs_sides = any(term.needs_sides for term in self.objectives)
        check_together(self.objectives)
        if self.needs_intents and not self.num_intents:
            raise ValueError("These objectives need intents: give num_intents, such as (256,).")
        if self.needs_sides and encoder.num_streams < 2:
            raise ValueError("These objectives need an encoder with a provider stream.")
        dim = encoder.state_dim
        self.intents = IntentPrototypes(self.num_intents, dim) if self.needs_intents else None
        # Objectives are no layers; those of their weights that are trained are found here.
        self.objective_layers = [term.layer for term in self.objectives if term.layer]
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.term_trackers = [keras.metrics.Mean(name=term.name) for term in self.objectives]

    def build(self, input_shape=None):
        if not self.encoder.built:
            self.encoder.build()
        self.built = True

    def members(self) -> tuple[Encoder, ...]:
        """The encoders: those of an ensemble, or the only one."""
        return self.encoder.members()

    @property
    def by_dot_product(self) -> bool:
        return self.encoder.num_queries == 1

    @property
    def has_latent_intents(self) -> bool:
        return self.encoder.num_queries > 1

    @property
    def reads(self) -> tuple[str, ...]:
        return self.encoder.reads

    @property
    def users_suffice(self) -> bool:
        return self.encoder.users_suffice

    @property
    def max_length(self) -> int:
        """Items of a history that are read."""
        return self.encoder.max_length

    @property
    def batch_settings(self) -> dict[str, Any]:
        """What batches to train on must have; see `tf_iclrec.models.batch_needs`."""
        return batch_settings(self)

    @property
    def metrics(self):
        # Those of `evaluate` first, so that its values are beside the first of `metrics_names`.
        return [*self.ranking, self.loss_tracker, *self.term_trackers]

    def fit(
        self, x=None, y=None, batch_size=None, epochs=1, verbose="auto", callbacks=None, **kwargs
    ) -> keras.callbacks.History:
        """Train as `keras.Model.fit` does; see `tf_iclrec.models.fit_checks`. Objectives that use
        intents want an `tf_iclrec.IntentClustering` among the callbacks."""
        check_fit(self, callbacks, **kwargs)
        return super().fit(x, y, batch_size, epochs, verbose, callbacks=callbacks, **kwargs)

    def call(self, inputs: dict[str, KerasTensor], training: bool = False) -> KerasTensor:
        return self.score(self.user_vectors(inputs, training=training))

    def encode(
        self, inputs: dict[str, KerasTensor], training: bool = False
    ) -> tuple[KerasTensor, KerasTensor]:
        """`user_vectors` and `mean_vectors` of the same sequences, in one pass."""
        asked = self.encoder.ask_next(inputs)
        hidden = [hidden_states(member, asked, training) for member in self.members()]
        valid = valid_mask(asked["item_ids"])
        last = [last_valid(states, valid) for states in hidden]
        own = without_question(inputs, asked)
        means = [
            ops.cast(mean_states(member, own, states, training), "float32")
            for member, states in zip(self.members(), hidden, strict=True)
        ]
        return self._user_vectors(last), side_by_side(means)

    def user_vectors(self, inputs: dict[str, KerasTensor], training: bool = False) -> KerasTensor:
        """What scores items, ``(batch, dim)``: the hidden state at each sequence's last step; with
        a temperature, of length ``1 / temperature``. Of an ensemble, the members' side by side,
        divided by their number; of an encoder with several queries, all of them."""
        inputs = self.encoder.ask_next(inputs)
        return self._user_vectors([one.last_states(inputs, training) for one in self.members()])

    def _user_vectors(self, last_states: list[KerasTensor]) -> KerasTensor:
        queries = [
            self._as_queries(member, states)
            for member, states in zip(self.members(), last_states, strict=True)
        ]
        return side_by_side(queries) / len(queries)

    def mean_vectors(self, inputs: dict[str, KerasTensor], training: bool = False) -> KerasTensor:
        """The mean hidden state of each sequence, ``(batch, dim)`` float32: what intents are
        clusters of (ICLRec Sec. 4.1.2)."""
        return self.encode(inputs, training)[1]

    def score(self, user_vectors: KerasTensor) -> KerasTensor:
        """Scores of all items for user vectors ``(batch, dim)``, ``(batch, items)`` float32."""
        vectors = ops.cast(user_vectors, "float32")
        if self.by_dot_product:
            return ops.matmul(vectors, ops.transpose(self.item_vectors()))
        sizes = [member.state_dim for member in self.members()]
        scores = [
            self._best_scores(member, queries)
            for member, queries in zip(
                self.members(), tf.split(vectors, sizes, axis=-1), strict=True
            )
        ]
        return tf.add_n(scores)

    def _best_scores(self, member, queries: KerasTensor) -> KerasTensor:
        """Scores ``(batch, items)`` by the best of a member's queries, ``(batch, state_dim)``."""
        items = ops.transpose(ops.cast(self._member_item_vectors(member), "float32"))
        first, *others = tf.unstack(self._apart(member, queries), axis=1)
        best = ops.matmul(first, items)
        for query in others:
            # One after the other: the scores of all queries at once may not fit into memory.
            with tf.control_dependencies([best]):
                best = ops.maximum(best, ops.matmul(query, items))
        return best

    def item_vectors(self, item_ids: KerasTensor | None = None) -> KerasTensor:
        """Vectors of given ids ``(...,)`` as ``(..., dim)``, or of the whole catalogue ``(items,
        dim)`` float32: the encoder's; with a temperature, of length 1. Of an ensemble, the members'
        side by side."""
        return side_by_side(
            [self._member_item_vectors(member, item_ids) for member in self.members()]
        )

    def _member_item_vectors(self, member, item_ids=None) -> KerasTensor:
        vectors = member.item_vectors(item_ids)
        if not self.temperature:
            return vectors
        return unit_vectors(ops.cast(vectors, "float32"))

    def _as_queries(self, member, hidden: KerasTensor) -> KerasTensor:
        """Hidden states as they score items."""
        if not self.temperature:
            return hidden
        queries = unit_vectors(self._apart(member, ops.cast(hidden, "float32")))
        return tf.reshape(queries, tf.shape(hidden)) / self.temperature

    def _apart(self, member, states: KerasTensor) -> KerasTensor:
        """States ``(..., state_dim)`` as ``(..., num_queries, output_dim)``."""
        outer = tf.unstack(tf.shape(states)[:-1])
        return tf.reshape(states, [*outer, member.num_queries, member.output_dim])

    def _for_targets(self, member, queries: KerasTensor, target_ids: tf.Tensor) -> KerasTensor:
        """Of several queries per position ``(batch, time, num_queries, output_dim)`` the one that
        scores the target best, ``(batch, time, output_dim)``: each learns what it is best at."""
        if member.num_queries == 1:
            return queries[:, :, 0]
        targets = ops.cast(self._member_item_vectors(member, target_ids), queries.dtype)
        best = tf.argmax(tf.einsum("btqd,btd->btq", queries, targets), axis=-1)
        return tf.gather(queries, best, batch_dims=2)

    def train_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        batch = self.batch_of(batch)
        with tf.GradientTape() as tape:
            encoded = self._encode(batch)
            terms = self._terms_of(encoded)
            weighted = [
                term.weight * value for term, value in zip(self.objectives, terms, strict=True)
            ]
            # Of regularizers and `add_loss`; what replicas have is added up.
            further = [tf.cast(tf.reduce_sum(one), "float32") for one in self.losses]
            loss = tf.add_n([*weighted, *(one / num_replicas() for one in further)])
            scaled_loss = self.optimizer.scale_loss(loss)
        self.descend(tape, scaled_loss)
        trackers = (self.loss_tracker, *self.term_trackers)
        for tracker, value in zip(trackers, (loss, *terms), strict=True):
            # What is shown is the mean over replicas.
            tracker.update_state(value * num_replicas())
        return {tracker.name: tracker.result() for tracker in trackers}

    def _terms_of(self, encoded: list[EncodedBatch]) -> list[tf.Tensor]:
        """The terms of the loss, each the mean over the members; of several replicas, this one's
        share of them, as gradients are summed over replicas."""
        replicas = num_replicas()
        every = encoded
        if replicas > 1 and any(term.compares_rows for term in self.objectives):
            every = [AllRows(of_member) for of_member in encoded]

        def loss(term: Objective) -> tf.Tensor:
            batches, copies = (every, replicas) if term.compares_rows else (encoded, 1)
            values = [loss_of(term, of_member) for of_member in batches]
            return tf.add_n(values) / (len(encoded) * copies)

        return [loss(term) for term in self.objectives]

    def _encode(self, batch: dict[str, tf.Tensor]) -> list[EncodedBatch]:
        """Encode the sequences and, where needed, their futures and views in one call; per
        member."""
        check_batch(self, batch)
        wanted = self.needs_futures, self.needs_views
        streams = {name: Parts.of(batch, name, *wanted) for name in STREAMS if name in batch}
        ids = streams["item_ids"]
        # Side by side along the batch, so that taking them apart again costs nothing.
        inputs = {name: tf.concat(parts.each(), axis=0) for name, parts in streams.items()}
        if "users" in batch:
            inputs["users"] = tf.tile(batch["users"], [len(ids.each())])
        if self.needs_futures:
            is_future = [part is ids.futures[1] for part in ids.each()]
            inputs["is_future"] = tf.repeat(is_future, tf.shape(ids.own)[0])
        states = [
            [ids.apart(values) for values in training_states(member, inputs)]
            for member in self.members()
        ]
        intents = [None] * len(states)
        if self.needs_intents:
            intents = self._intents_of_members([vectors.own for *_, vectors in states])
        return [
            self._encoded(member, batch, ids, *of_member, own_intents)
            for member, of_member, own_intents in zip(self.members(), states, intents, strict=True)
        ]

    def _encoded(
        self,
        member,
        batch: dict[str, tf.Tensor],
        ids: Parts,
        hidden: Parts,
        compared: Parts,
        vectors: Parts,
        intents: list[tuple] | None,
    ) -> EncodedBatch:
        """What objectives see of a member, from its `training_states`."""
        queries = self._apart(member, self._as_queries(member, hidden.own))
        futures = [
            self._apart(member, last_valid(states, valid_mask(of_part)))
            for states, of_part in zip(hidden.futures, ids.futures, strict=True)
        ]
        sides = None
        if self.needs_sides:
            sides = tf.split(last_valid(hidden.own, valid_mask(ids.own)), 2, axis=-1)
        return EncodedBatch(
            item_ids=ids.own,
            hidden=self._for_targets(member, queries, batch["target_ids"]),
            target_ids=batch["target_ids"],
            target_weights=batch.get("target_weights"),
            item_vectors=functools.partial(self._member_item_vectors, member),
            negative_ids=batch.get("negative_ids"),
            sampled_ids=batch.get("sampled_ids"),
            sampled_log_probabilities=batch.get("sampled_log_probabilities"),
            own_vectors=vectors.own,
            view_hidden=compared.views,
            view_vectors=vectors.views,
            queries=queries,
            futures=tuple(futures) or None,
            sides=sides,
            intents=intents,
            intents_fitted=ops.convert_to_tensor(self.intents.fitted) if intents else None,
            users=batch.get("users"),
        )

    def _intents_of_members(self, vectors: list[tf.Tensor]) -> list[list[tuple]]:
        """The intents of users, found by all members together, as each member sees them."""
        found = self.intents(tf.stop_gradient(tf.cast(side_by_side(vectors), tf.float32)))
        sizes = [member.state_dim for member in self.members()]
        parts = [(ids, tf.split(prototypes, sizes, axis=-1)) for ids, prototypes in found]
        return [
            [(ids, unit_vectors(of_members[index])) for ids, of_members in parts]
            for index in range(len(sizes))
        ]

    def with_new_items(self, catalogue: Catalogue, means: MeansOfKindred) -> Recommender:
        from tf_iclrec.models.larger_recommender import LargerRecommender  # A subclass of this.

        return LargerRecommender.of(self, catalogue, means)

    def get_config(self):
        return super().get_config() | {
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "objectives": [keras.saving.serialize_keras_object(term) for term in self.objectives],
            "num_intents": self.num_intents,
            "temperature": self.temperature,
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        config["encoder"] = keras.saving.deserialize_keras_object(config["encoder"])
        config["objectives"] = [
            keras.saving.deserialize_keras_object(term) for term in config["objectives"]
        ]
        return cls(**config)
