"""An encoder and weighted objectives, trained together."""

import functools
from collections.abc import Sequence
from typing import Annotated, Any

import keras
import tensorflow as tf
from keras import KerasTensor, ops

from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.data.new_items import MeansOfKindred
from tf_iclrec.encoders.ensemble import EnsembleEncoder
from tf_iclrec.evaluation.metrics import DEFAULT_CUTOFFS
from tf_iclrec.layers.intent_prototypes import IntentPrototypes
from tf_iclrec.layers.masks import last_valid, valid_mask
from tf_iclrec.layers.unit_vectors import unit_vectors
from tf_iclrec.models.batch_needs import batch_settings, check_batch
from tf_iclrec.models.gradients import add_repeated_rows
from tf_iclrec.models.recommender import Recommender
from tf_iclrec.models.states import hidden_states, mean_states, training_states
from tf_iclrec.objectives.all_rows import AllRows
from tf_iclrec.objectives.objective import (
    EncodedBatch,
    Objective,
    check_together,
    num_replicas,
)
from tf_iclrec.settings import Setting

# What an encoder may read of a batch, a value per position; views of each are named view_...
_STREAMS = ("item_ids", "provider_ids")


@keras.saving.register_keras_serializable("tf_iclrec")
class SequentialRecommender(Recommender):
    """Next-item recommender: any encoder with any objectives (ICLRec Eq. 18).

    One training step encodes the sequences and their views in a single encoder call, hands
    the result to every objective and minimises the weighted sum. Evaluation ranks the whole
    catalogue. Called on a batch, the model gives the score of every item.

    Args:
        encoder: A layer from a batch to the hidden states of one stream, or of the item and
            the provider stream, with ``item_vectors()`` and ``output_dim``; see
            `tf_iclrec.encoders`. States of two streams are put side by side. The members of an
            `EnsembleEncoder` learn side by side, each with all objectives; they share the
            intents, and an item's score is the mean of theirs.
        objectives: Loss terms; see `tf_iclrec.objectives`.
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

    Example:
    >>> from tf_iclrec import SelfAttentiveEncoder, SoftmaxCrossEntropy
    >>> model = SequentialRecommender(
    ...     SelfAttentiveEncoder(vocabulary_size=103, max_length=50), [SoftmaxCrossEntropy()])
    >>> model({"item_ids": ops.array([[0, 5, 9]])}).shape
    TensorShape([1, 100])
    """

    def __init__(
        self,
        encoder: keras.layers.Layer,
        objectives: Sequence[Objective],
        num_intents: Sequence[int] = (),
        temperature: Annotated[
            float,
            Setting(
                "score items by the cosine with the user, divided by this; 0: by the dot product",
                at_least=0,
                option="score_temperature",
            ),
        ] = 0.0,
        cutoffs: Sequence[int] = DEFAULT_CUTOFFS,
        **kwargs,
    ):
        super().__init__(cutoffs, **kwargs)
        self.encoder = encoder
        self.objectives = tuple(objectives)
        self.num_intents = tuple(num_intents)
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
        self.intents = (
            IntentPrototypes(self.num_intents, encoder.state_dim) if self.needs_intents else None
        )
        # Objectives are no layers; those of their weights that are trained are found here.
        self.objective_layers = [term.layer for term in self.objectives if term.layer]
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.term_trackers = [keras.metrics.Mean(name=term.name) for term in self.objectives]

    def build(self, input_shape=None):
        if not self.encoder.built:
            self.encoder.build()
        self.built = True

    def members(self) -> tuple[keras.layers.Layer, ...]:
        """The encoders: those of an ensemble, or the only one. No property: Keras would save what
        it returns a second time."""
        if isinstance(self.encoder, EnsembleEncoder):
            return self.encoder.encoders
        return (self.encoder,)

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

    def call(self, inputs: dict[str, KerasTensor], training: bool = False) -> KerasTensor:
        return self.score(self.user_vectors(inputs, training=training))

    def encode(
        self, inputs: dict[str, KerasTensor], training: bool = False
    ) -> tuple[KerasTensor, KerasTensor]:
        """`user_vectors` and `mean_vectors` of the same sequences, in one pass."""
        inputs = self.encoder.ask_next(inputs)
        hidden = [hidden_states(member, inputs, training) for member in self.members()]
        valid = valid_mask(inputs["item_ids"])
        last = [last_valid(states, valid) for states in hidden]
        means = [
            ops.cast(mean_states(member, inputs, states, training), "float32")
            for member, states in zip(self.members(), hidden, strict=True)
        ]
        return self._user_vectors(last), _side_by_side(means)

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
        return _side_by_side(queries) / len(queries)

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
        items = ops.cast(self._member_item_vectors(member), "float32")
        queries = ops.reshape(queries, (-1, member.num_queries, member.output_dim))
        return ops.max(ops.einsum("bqd,nd->bqn", queries, items), axis=1)

    def item_vectors(self, item_ids: KerasTensor | None = None) -> KerasTensor:
        """Vectors of given ids ``(...,)`` as ``(..., dim)``, or of the whole catalogue ``(items,
        dim)`` float32: the encoder's; with a temperature, of length 1. Of an ensemble, the members'
        side by side."""
        return _side_by_side(
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
        hidden = ops.cast(hidden, "float32")
        if member.num_queries == 1:
            return unit_vectors(hidden) / self.temperature
        outer = ops.shape(hidden)[:-1]
        queries = ops.reshape(hidden, (*outer, member.num_queries, member.output_dim))
        return ops.reshape(unit_vectors(queries), (*outer, member.state_dim)) / self.temperature

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
        # `train_on_batch` gives a tuple.
        batch, _, _ = keras.utils.unpack_x_y_sample_weight(batch)
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
        variables = self.trainable_variables
        gradients = tape.gradient(scaled_loss, variables)
        gradients = add_repeated_rows(gradients, variables, self.optimizer)
        self.optimizer.apply(gradients, variables)
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
            return tf.add_n([term(of_member) for of_member in batches]) / (len(encoded) * copies)

        return [loss(term) for term in self.objectives]

    def _encode(self, batch: dict[str, tf.Tensor]) -> list[EncodedBatch]:
        """Encode the sequences and, where needed, their two views in one call; per member."""
        check_batch(self, batch)
        inputs = {name: batch[name] for name in _STREAMS if name in batch}
        further: list[str] = []
        if self.needs_futures:
            further.append("future")
        if self.needs_views:
            further.append("view")
        # Side by side along the batch, so that taking them apart again costs nothing.
        parts = 1 + 2 * len(further)
        inputs = {
            name: tf.concat(
                [ids, *(part for kind in further for part in _pair(batch[f"{kind}_{name}"]))],
                axis=0,
            )
            for name, ids in inputs.items()
        }
        if "users" in batch:
            inputs["users"] = tf.tile(batch["users"], [parts])
        if self.needs_futures:
            is_future = [False, False, True] + [False] * (parts - 3)
            inputs["is_future"] = tf.repeat(is_future, tf.shape(batch["item_ids"])[0])
        members = self.members()
        states = [training_states(member, inputs) for member in members]
        hidden, compared, vectors = (
            [tf.split(of_member, parts) for of_member in kind] for kind in zip(*states, strict=True)
        )
        futures = [None] * len(members)
        if self.needs_futures:
            cut = [valid_mask(part) for part in _pair(batch["future_item_ids"])]
            futures = [
                tuple(
                    self._apart(member, last_valid(part, real))
                    for part, real in zip(own[1:3], cut, strict=True)
                )
                for member, own in zip(members, hidden, strict=True)
            ]
        queries = [
            self._apart(member, self._as_queries(member, own))
            for member, (own, *_) in zip(members, hidden, strict=True)
        ]
        # The views come last.
        first_view = parts - 2 if self.needs_views else parts
        intents, intents_fitted = [None] * len(members), None
        if self.needs_intents:
            intents = self._intents_of_members([own for own, *_ in vectors])
            intents_fitted = ops.convert_to_tensor(self.intents.fitted)
        sides = [None] * len(members)
        if self.needs_sides:
            last = valid_mask(batch["item_ids"])
            sides = [tf.split(last_valid(own, last), 2, axis=-1) for own, *_ in hidden]
        return [
            EncodedBatch(
                item_ids=batch["item_ids"],
                hidden=self._for_targets(member, queries[index], batch["target_ids"]),
                target_ids=batch["target_ids"],
                target_weights=batch.get("target_weights"),
                item_vectors=functools.partial(self._member_item_vectors, member),
                negative_ids=batch.get("negative_ids"),
                sampled_ids=batch.get("sampled_ids"),
                sampled_log_probabilities=batch.get("sampled_log_probabilities"),
                own_vectors=vectors[index][0],
                view_hidden=tuple(compared[index][first_view:]),
                view_vectors=tuple(vectors[index][first_view:]),
                queries=queries[index],
                futures=futures[index],
                sides=sides[index],
                intents=intents[index],
                intents_fitted=intents_fitted,
            )
            for index, member in enumerate(members)
        ]

    def _intents_of_members(self, vectors: list[tf.Tensor]) -> list[list[tuple]]:
        """The intents of users, found by all members together, as each member sees them."""
        found = self.intents(tf.stop_gradient(tf.cast(_side_by_side(vectors), tf.float32)))
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


def _pair(views: tf.Tensor) -> list[tf.Tensor]:
    return tf.unstack(views, 2, axis=1)


def _side_by_side(parts: Sequence[KerasTensor]) -> KerasTensor:
    return parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=-1)
