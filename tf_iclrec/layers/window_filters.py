"""The convolutions of Caser, over the windows that end at each position."""

import keras
import tensorflow as tf
from keras import KerasTensor, ops


@keras.saving.register_keras_serializable("tf_iclrec")
class WindowFilters(keras.layers.Layer):
    """Horizontal and vertical filters over the last items at each position (Caser, Tang and Wang,
    WSDM 2018, Sec. 3.2).

    The vectors of the last ``L`` items are an image ``E`` of ``L`` rows. A horizontal filter ``F``
    of height ``h`` looks at ``h`` items in a row, wherever they stand in the window, and only
    where it fits best counts::

        o = max over i of relu(F · E[i : i + h] + b)

    There are as many of each height from 1 to ``L``. A vertical filter ``G`` has a weight per row
    and sums the rows up::

        o~ = Σ_l G[l] E[l]

    Where less than ``L`` items came before, the rows in front are zero, and places where a
    horizontal filter sees none but those do not count. That is the same whether the sequence
    begins there or is padded.

    All positions are computed at once: the horizontal filters of all heights are one convolution
    over time with a kernel of zeros in front of the lower ones, the vertical filters one product
    with a band matrix. On a CPU that takes half the time that shifted products take for the
    former, and a quarter for the latter.

    Args:
        window: Items ``L`` in a window.
        num_horizontal: Horizontal filters of each height.
        num_vertical: Vertical filters.

    Call arguments:
        inputs: ``(batch, time, dim)``.
        valid: ``(batch, time)`` bool, true at real positions; padding is before or after them.

    Returns:
        ``(batch, time, window * num_horizontal + num_vertical * dim)``. Values at padded positions
        have no meaning.

    Example:
    >>> layer = WindowFilters(window=5, num_horizontal=16, num_vertical=4)
    >>> layer(ops.ones((2, 7, 64)), ops.ones((2, 7), "bool")).shape
    TensorShape([2, 7, 336])
    """

    def __init__(self, window: int, num_horizontal: int, num_vertical: int, **kwargs):
        super().__init__(**kwargs)
        self.window = window
        self.num_horizontal = num_horizontal
        self.num_vertical = num_vertical

    def build(self, input_shape, *_):
        dim = input_shape[-1]
        self.horizontal = [
            self.add_weight(name=f"horizontal_{height}", shape=(height, dim, self.num_horizontal))
            for height in range(1, self.window + 1)
        ]
        self.bias = self.add_weight(
            name="bias", shape=(self.window * self.num_horizontal,), initializer="zeros"
        )
        self.vertical = self.add_weight(name="vertical", shape=(self.window, self.num_vertical))

    def call(self, inputs: KerasTensor, valid: KerasTensor) -> KerasTensor:
        is_real = ops.cast(valid, self.compute_dtype)[..., None]
        items = ops.cast(inputs, self.compute_dtype) * is_real
        return ops.concatenate([self._best_fits(items, is_real), self._sums(items)], axis=-1)

    def _best_fits(self, items, is_real):
        """Of the horizontal filters, ``(batch, time, window * num_horizontal)``."""
        kernel = ops.concatenate(
            [
                ops.pad(filters, [[self.window - height, 0], [0, 0], [0, 0]])
                for height, filters in enumerate(self.horizontal, start=1)
            ],
            axis=2,
        )
        # Of the windows, this is what the filters make of the last rows.
        fits = tf.nn.conv1d(_preceded(items, self.window - 1), kernel, 1, "VALID")
        fits = ops.relu(fits + self.bias) * is_real
        by_height = tf.split(fits, self.window, axis=2)
        # A filter of height h fits at L - h + 1 places. What is before the start is no more than
        # any fit.
        best = [
            tf.nn.max_pool1d(_preceded(one, places - 1), places, 1, "VALID") if places > 1 else one
            for places, one in zip(range(self.window, 0, -1), by_height, strict=True)
        ]
        return ops.concatenate(best, axis=2)

    def _sums(self, items):
        """Of the vertical filters, ``(batch, time, num_vertical * dim)``."""
        time, dim = tf.shape(items)[1], items.shape[2]
        steps = tf.range(time)
        row = self.window - 1 - (steps[:, None] - steps[None, :])
        inside = (row >= 0) & (row < self.window)
        # Of each position (first axis) the filters' weights of all items, 0 outside its window.
        vertical = ops.pad(self.vertical, [[0, 1], [0, 0]])
        band = tf.gather(vertical, tf.where(inside, row, self.window))
        sums = tf.einsum("tsv,bsd->btvd", band, items)
        return tf.reshape(sums, [-1, time, self.num_vertical * dim])

    def compute_output_shape(self, input_shape, *_):
        width = self.window * self.num_horizontal + self.num_vertical * input_shape[-1]
        return (*input_shape[:-1], width)

    def get_config(self):
        return super().get_config() | {
            "window": self.window,
            "num_horizontal": self.num_horizontal,
            "num_vertical": self.num_vertical,
        }


def _preceded(values, steps):
    """Values ``(batch, time, ...)`` with so many zeros before the first step."""
    return tf.pad(values, [[0, 0], [steps, 0], [0, 0]])
