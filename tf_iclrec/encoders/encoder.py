"""What all encoders have in common."""

from typing import Annotated, ClassVar

import keras
import numpy as np
from keras import KerasTensor, ops

from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.data.new_items import MeansOfKindred
from tf_iclrec.data.tasks import NextItem, Task
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS
from tf_iclrec.layers.id_embedding import IdEmbedding, without_special_ids
from tf_iclrec.layers.masks import last_valid, valid_mask
from tf_iclrec.settings import Setting, checked

# What an encoder may read of a batch that has a value per position.
STREAMS = ("item_ids", "provider_ids")


class Encoder(keras.layers.Layer):
    """Base of the encoders: sequences of ids to hidden states.

    The vectors of items at the input and at the output are the same. A subclass builds its layers
    in `build_layers` and reads embedded items in `encode`; its settings are the annotated
    parameters of its constructor. A line in `tf_iclrec.encoders.registry` gives it a name.

    Args:
        vocabulary_size: Number of item ids, the three special ones included.
        max_length: Longest sequence. Defaults to 50.
        hidden_dim: Width of embeddings and hidden states. Defaults to 64.
        dropout: Share of values dropped in training. Defaults to 0.5.
        initializer_stddev: Standard deviation of initial weights. Defaults to 0.02.

    Call arguments:
        inputs: Dict with ``item_ids`` ``(batch, time)`` int32, 0 = padding on either side,
            ``time <= max_length``, and what else the encoder reads.

    Attributes:
        num_streams: Number of hidden states per position: 1, or 2 with those of providers.
        num_queries: Number of hidden vectors per position side by side, of which the one that
            likes an item best scores it.
        reads: What the encoder reads: ``"items"``, and ``"providers"``, ``"attributes"`` or
            ``"users"``.
        users_suffice: Whether a user with a vector of their own has a state at any real position,
            also at that of an unknown item.
        task: What it is trained for.
        padding_places: Number of padded places that take part in contrasts and intents; those
            read `encode_whole` then, and without any the hidden states.
        value_embeddings: The tables of what the encoder knows of items besides their ids: of
            providers, then of each further attribute.

    Example: a user is the mean of the items so far.
    >>> class MeanEncoder(Encoder):
    ...     def encode(self, items, valid, training):
    ...         real = ops.cast(valid, items.dtype)[..., None]
    ...         return real * ops.cumsum(items, 1) / ops.maximum(ops.cumsum(real, 1), 1)
    >>> encoder = MeanEncoder(vocabulary_size=6, hidden_dim=4)
    >>> [states] = encoder({"item_ids": ops.array([[3, 4, 0]])})
    >>> tea, jam = encoder.item_vectors(ops.array([3, 4]))
    >>> [np.allclose(*pair) for pair in zip(states, (tea, (tea + jam) / 2, 0 * tea), strict=True)]
    [True, True, True]
    """

    num_streams: ClassVar[int] = 1
    num_queries: int = 1
    padding_places: int = 0
    reads: ClassVar[tuple[str, ...]] = ("items",)
    users_suffice: bool = False
    value_embeddings: tuple[IdEmbedding, ...] = ()

    @checked
    def __init__(
        self,
        vocabulary_size: int,
        max_length: Annotated[
            int, Setting("longest history the model sees, in items", at_least=1)
        ] = 50,
        hidden_dim: Annotated[
            int, Setting("width of embeddings and hidden states", at_least=1)
        ] = 64,
        dropout: Annotated[
            float, Setting("share of values dropped in training", at_least=0, below=1)
        ] = 0.5,
        initializer_stddev: float = 0.02,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.max_length = max_length
        self.hidden_dim = hidden_dim
        self.dropout = dropout
        self.initializer_stddev = initializer_stddev

    @classmethod
    def for_catalogue(cls, catalogue: Catalogue, **settings) -> "Encoder":
        """A new, built encoder.

        Args:
            catalogue: Items, and what is known of them.
            settings: The encoder's settings, and ``name`` and ``dtype`` of a layer.

        Raises:
            UserError: If the encoder reads something that is not known.

        Example: not every encoder can do without providers.
        >>> from tf_iclrec import ENCODERS
        >>> catalogue = Catalogue(num_items=9)
        >>> ENCODERS["self_attentive"].for_catalogue(catalogue, hidden_dim=4).output_dim
        4
        >>> ENCODERS["single_stream"].for_catalogue(catalogue)
        Traceback (most recent call last):
        tf_iclrec.errors.UserError: ...
        """
        encoder = cls(catalogue.vocabulary_size, **settings)
        encoder.build()
        return encoder

    @property
    def task(self) -> Task:
        """What it is trained for: the next item at each position, unless a subclass says
        otherwise."""
        return NextItem()

    @property
    def output_dim(self) -> int:
        """Width of the item vectors."""
        return self.num_streams * self.hidden_dim

    @property
    def state_dim(self) -> int:
        """Width of the states of all streams, or of all queries, side by side."""
        return self.num_queries * self.output_dim

    def members(self) -> tuple["Encoder", ...]:
        """The encoders that this one consists of: itself. No property: Keras would save what it
        returns a second time."""
        return (self,)

    def build(self, input_shape=None):
        self.item_embedding = IdEmbedding(
            self.vocabulary_size,
            self.hidden_dim,
            self.initializer_stddev,
            dtype=self.dtype_policy,
            name="embedding",
        )
        self.item_embedding.build()
        self.build_layers()
        self.built = True

    def build_layers(self) -> None:
        """Build the layers after the embeddings, with the dtype policy of the encoder."""

    def call(self, inputs: dict[str, KerasTensor], training: bool = False) -> KerasTensor:
        item_ids = inputs["item_ids"]
        return self.encode(self.item_embedding(item_ids), valid_mask(item_ids), training)

    def encode(self, items: KerasTensor, valid: KerasTensor, training: bool) -> KerasTensor:
        """Embedded items to hidden states.

        Args:
            items: ``(batch, time, hidden_dim)``.
            valid: ``(batch, time)`` bool, true at real positions.
            training: Whether to drop values.

        Returns:
            ``(batch, time, hidden_dim)``, zero at padded positions.
        """
        raise NotImplementedError

    def last_states(self, inputs: dict[str, KerasTensor], training: bool = False) -> KerasTensor:
        """The states at the last real positions alone, those of all streams side by side.

        Returns:
            ``(batch, state_dim)``, zero for a row of padding.
        """
        streams = keras.tree.flatten(self(inputs, training=training))
        return last_valid(ops.concatenate(streams, axis=-1), valid_mask(inputs["item_ids"]))

    def encode_both_sides(
        self, inputs: dict[str, KerasTensor], training: bool = False
    ) -> KerasTensor:
        """Hidden states for tasks that ask for items from both sides of a sequence.

        Encoders that can look ahead do so here, with the same weights; others give what they
        give when called (S3-Rec Sec. 5.3.2 pre-trains recurrent networks that way).
        """
        return self(inputs, training=training)

    def encode_whole(
        self, inputs: dict[str, KerasTensor], training: bool = False
    ) -> tuple[KerasTensor, KerasTensor]:
        """States of all places of sequences, those without an item included, of encoders that have
        ``padding_places``.

        Args:
            inputs: As the encoder is called with, padded on the left.
            training: Whether to drop values.

        Returns:
            ``(batch, places, dim)``, the last columns those of the input; and for how many places
            of ``max_length`` each state stands, ``(batch, places)`` float32.
        """
        raise NotImplementedError

    def intent_shares(self, inputs: dict[str, KerasTensor]) -> KerasTensor:
        """How much each query counts for users, ``(batch, num_queries)``, of encoders that have
        several; each row sums to 1."""
        raise NotImplementedError

    def ask_next(self, inputs: dict[str, KerasTensor]) -> dict[str, KerasTensor]:
        """Histories, made such that the state at the last real position predicts the next item.

        Encoders that are trained for the next item at each position take them as they are.
        """
        return inputs

    def item_vectors(self, item_ids: KerasTensor | None = None) -> KerasTensor:
        """Output vectors of items, tied to the input embedding.

        Args:
            item_ids: Internal ids ``(...,)`` int32; without it, the whole catalogue.

        Returns:
            ``(..., output_dim)`` in the compute dtype for given ids, otherwise
            ``(vocabulary_size - 3, output_dim)`` float32, row ``i`` belonging to the internal
            id ``i + 3``.
        """
        if item_ids is not None:
            return self.item_embedding(item_ids)
        return without_special_ids(self.item_embedding.embeddings)

    def with_new_items(self, catalogue: Catalogue, means: MeansOfKindred) -> "Encoder":
        """This encoder for a larger catalogue, whose first items are its own and stay as they are.

        In each table of items a new one gets the mean row of the known items of its kind.

        Args:
            catalogue: The larger catalogue.
            means: Of its new items.
        """
        config = self.get_config() | {"vocabulary_size": catalogue.vocabulary_size}
        encoder = type(self).from_config(config)
        encoder.build()
        for larger, weight in zip(encoder.weights, self.weights, strict=True):
            rows = ops.convert_to_numpy(weight)
            if larger.shape != weight.shape:
                rows = np.concatenate([rows, means(rows[NUM_SPECIAL_IDS:])])
            larger.assign(rows)
        return encoder

    def get_config(self):
        return super().get_config() | {
            "vocabulary_size": self.vocabulary_size,
            "max_length": self.max_length,
            "hidden_dim": self.hidden_dim,
            "dropout": self.dropout,
            "initializer_stddev": self.initializer_stddev,
        }
