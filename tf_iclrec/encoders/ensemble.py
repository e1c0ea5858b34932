"""Several encoders as one."""

from collections.abc import Sequence

import keras
from keras import KerasTensor, ops

from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.data.new_items import MeansOfKindred
from tf_iclrec.data.tasks import Task


@keras.saving.register_keras_serializable("tf_iclrec")
class EnsembleEncoder(keras.layers.Layer):
    """Encoders that read the same batch, each with vectors of its own, side by side.

    A `SequentialRecommender` trains each by itself and averages their scores, which remain a
    single dot product: of the users' vectors side by side with the items' vectors side by side.
    Members err on different items, so that their mean ranks better than each of them
    (Lakshminarayanan et al., NIPS 2017); the more they differ, the better.

    Args:
        encoders: The members, which are trained for the same task and have as many streams and
            queries; see `tf_iclrec.encoders`.

    Call arguments:
        inputs: What the members read.

    Returns:
        Hidden states of each stream, those of the members side by side, ``(batch, time, sum of
        their widths)``; a tuple where the members have several streams.

    Raises:
        ValueError: If there is no member, or they differ in what they are trained for, their
            streams or queries.

    Example:
    >>> from tf_iclrec import SelfAttentiveEncoder
    >>> encoder = EnsembleEncoder([SelfAttentiveEncoder(100, 50), SelfAttentiveEncoder(100, 50)])
    >>> encoder({"item_ids": ops.array([[0, 5, 9]])}).shape, encoder.output_dim
    (TensorShape([1, 3, 128]), 128)
    """

    def __init__(self, encoders: Sequence[keras.layers.Layer], **kwargs):
        super().__init__(**kwargs)
        self.encoders = tuple(encoders)
        if not self.encoders:
            raise ValueError("An ensemble needs members.")
        for name in ("task", "num_streams", "num_queries"):
            found = [getattr(encoder, name) for encoder in self.encoders]
            if any(one != found[0] for one in found):
                raise ValueError(f"The members of an ensemble differ in their {name}: {found}.")

    def members(self) -> tuple[keras.layers.Layer, ...]:
        """See `Encoder.members`."""
        return self.encoders

    def intent_shares(self, inputs: dict[str, KerasTensor]) -> KerasTensor:
        """The shares of all members, side by side."""
        shares = [encoder.intent_shares(inputs) for encoder in self.encoders]
        return ops.concatenate(shares, axis=-1) / len(shares)

    def ask_next(self, inputs: dict[str, KerasTensor]) -> dict[str, KerasTensor]:
        return self.encoders[0].ask_next(inputs)

    def with_new_items(self, catalogue: Catalogue, means: MeansOfKindred) -> "EnsembleEncoder":
        """See `Encoder.with_new_items`."""
        members = [encoder.with_new_items(catalogue, means) for encoder in self.encoders]
        return EnsembleEncoder(members, name=self.name, dtype=self.dtype_policy)

    def build(self, input_shape=None):
        for encoder in self.encoders:
            if not encoder.built:
                encoder.build()
        self.built = True

    def call(self, inputs: dict[str, KerasTensor], training: bool = False):
        states = [encoder(inputs, training=training) for encoder in self.encoders]
        if self.num_streams == 1:
            return ops.concatenate(states, axis=-1)
        return tuple(ops.concatenate(of_stream, axis=-1) for of_stream in zip(*states, strict=True))

    @property
    def num_streams(self) -> int:
        return self.encoders[0].num_streams

    @property
    def num_queries(self) -> int:
        return self.encoders[0].num_queries

    @property
    def reads(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for encoder in self.encoders for name in encoder.reads))

    @property
    def users_suffice(self) -> bool:
        return all(encoder.users_suffice for encoder in self.encoders)

    @property
    def task(self) -> Task:
        return self.encoders[0].task

    @property
    def max_length(self) -> int:
        return min(encoder.max_length for encoder in self.encoders)

    @property
    def output_dim(self) -> int:
        """Width of the item vectors of all members side by side."""
        return sum(encoder.output_dim for encoder in self.encoders)

    @property
    def state_dim(self) -> int:
        """Width of the states of all members side by side."""
        return sum(encoder.state_dim for encoder in self.encoders)

    def get_config(self):
        encoders = [keras.saving.serialize_keras_object(encoder) for encoder in self.encoders]
        return super().get_config() | {"encoders": encoders}

    @classmethod
    def from_config(cls, config):
        encoders = [keras.saving.deserialize_keras_object(one) for one in config["encoders"]]
        return cls(**{**config, "encoders": encoders})
