"""Caser's encoder: convolutions over the last items, and the user."""

from typing import Annotated

import keras
from keras import KerasTensor, ops

from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.encoders.encoder import Encoder
from tf_iclrec.layers.id_embedding import IdEmbedding, without_special_ids
from tf_iclrec.layers.masks import valid_mask
from tf_iclrec.layers.user_embedding import UserEmbedding
from tf_iclrec.layers.window_filters import WindowFilters
from tf_iclrec.settings import Setting, checked


@keras.saving.register_keras_serializable("tf_iclrec")
class ConvolutionalEncoder(Encoder):
    """Convolutions over the last items, beside a vector of the user (Caser, Tang and Wang,
    WSDM 2018, Sec. 3).

    From the last ``L`` items at each position, horizontal filters take ``o`` and vertical ones
    ``o~`` (see `WindowFilters`). With the user's vector ``P_u`` the scores of the items are::

        z = relu(W [o; o~] + b)
        y = W' [z; P_u] + b'

    So the hidden state is ``[z; P_u; 1]``, and the vector of an item at the output is its row of
    ``W'`` and ``b'``, a table of its own beside the embeddings at the input. Each position is
    trained as its window would be, with one target.

    A user who is unknown, or not named, has the vector zero: the last items alone speak then. The
    mean of the known users' vectors did no better for users left out of a training on MovieLens
    100K.

    Args:
        num_users: Users with a vector of their own. Defaults to 0: nobody has one, and ``P_u`` is
            left out.
        window: Items ``L`` in a window. Defaults to 5.
        num_horizontal_filters: Horizontal filters of each height from 1 to ``L``. Defaults to 16.
        num_vertical_filters: Vertical filters. Defaults to 4.

        For the others see `Encoder`. Dropout is that of ``[o; o~]``.

    Call arguments:
        inputs: Dict with ``item_ids`` ``(batch, time)`` int32, 0 = padding on either side, and
            optionally ``users`` ``(batch,)`` int32, rows of the log; -1 is an unknown user.

    Returns:
        Hidden states ``(batch, time, output_dim)``, zero at padded positions; a position sees
        itself and the ``L - 1`` items before it. ``output_dim`` is ``2 * hidden_dim + 1``.

    Example:
    >>> encoder = ConvolutionalEncoder(vocabulary_size=100, num_users=20, window=5)
    >>> encoder({"item_ids": ops.array([[0, 5, 9]]), "users": ops.array([7])}).shape
    TensorShape([1, 3, 129])
    """

    reads = ("items", "users")

    @checked
    def __init__(
        self,
        vocabulary_size: int,
        *args,
        num_users: int = 0,
        window: Annotated[int, Setting("last items that a prediction sees", at_least=1)] = 5,
        num_horizontal_filters: Annotated[
            int, Setting("filters over whole items, of each height", at_least=1)
        ] = 16,
        num_vertical_filters: Annotated[
            int, Setting("filters that weigh the last items", at_least=1)
        ] = 4,
        **kwargs,
    ):
        super().__init__(vocabulary_size, *args, **kwargs)
        self.num_users = num_users
        self.window = window
        self.num_horizontal_filters = num_horizontal_filters
        self.num_vertical_filters = num_vertical_filters

    @classmethod
    def for_catalogue(cls, catalogue: Catalogue, **settings) -> "ConvolutionalEncoder":
        encoder = cls(catalogue.vocabulary_size, num_users=catalogue.num_users, **settings)
        encoder.build()
        return encoder

    @property
    def output_dim(self) -> int:
        return self.hidden_dim * (2 if self.num_users else 1) + 1

    def build_layers(self):
        policy, stddev = self.dtype_policy, self.initializer_stddev
        self.filters = WindowFilters(
            self.window,
            self.num_horizontal_filters,
            self.num_vertical_filters,
            dtype=policy,
            name="filters",
        )
        shape = (None, None, self.hidden_dim)
        self.filters.build(shape)
        self.filter_dropout = keras.layers.Dropout(self.dropout, dtype=policy)
        self.join = keras.layers.Dense(self.hidden_dim, "relu", dtype=policy, name="join")
        self.join.build(self.filters.compute_output_shape(shape))
        self.user_embedding = None
        if self.num_users:
            self.user_embedding = UserEmbedding(
                self.num_users, self.hidden_dim, stddev, dtype=policy, name="users"
            )
            self.user_embedding.build()
        self.output_embedding = IdEmbedding(
            self.vocabulary_size, self.output_dim, stddev, dtype=policy, name="output"
        )
        self.output_embedding.build()

    def call(self, inputs: dict[str, KerasTensor], training: bool = False) -> KerasTensor:
        item_ids = inputs["item_ids"]
        valid = valid_mask(item_ids)
        filtered = self.filters(self.item_embedding(item_ids), valid)
        recent = self.join(self.filter_dropout(filtered, training=training))
        parts = [recent, ops.ones_like(recent[..., :1])]
        if self.user_embedding:
            users = inputs.get("users")
            if users is None:
                user = ops.zeros_like(recent)
            else:
                user = self.user_embedding(users)[:, None] * ops.ones_like(recent[..., :1])
            parts.insert(1, user)
        return ops.concatenate(parts, axis=-1) * ops.cast(valid, recent.dtype)[..., None]

    def item_vectors(self, item_ids: KerasTensor | None = None) -> KerasTensor:
        """Output vectors of items, the rows of ``W'`` and ``b'``; see `Encoder.item_vectors`."""
        if item_ids is not None:
            return self.output_embedding(item_ids)
        return without_special_ids(self.output_embedding.embeddings)

    def get_config(self):
        return super().get_config() | {
            "num_users": self.num_users,
            "window": self.window,
            "num_horizontal_filters": self.num_horizontal_filters,
            "num_vertical_filters": self.num_vertical_filters,
        }
