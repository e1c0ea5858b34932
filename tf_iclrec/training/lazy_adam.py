"""Adam whose steps follow the batch, not the size of the catalogue."""

import keras
import tensorflow as tf

from tf_iclrec.models.gradients import each_row_once


@keras.saving.register_keras_serializable("tf_iclrec")
class LazyAdam(keras.optimizers.Adam):
    """Adam that leaves rows of an embedding alone which have no gradient.

    Where a gradient is sparse, only its rows and their moments are read and written; a row's
    moments don't decay while it has no gradient. Dense gradients are treated as by Adam.

    Args:
        learning_rate: Step size.

        For the others see `keras.optimizers.Adam`; there is no ``amsgrad``, ``weight_decay``,
        ``gradient_accumulation_steps`` or ``use_ema``.

    Raises:
        ValueError: If one of these is given.

    Example: of three rows one has a gradient.
    >>> variable = keras.Variable([[1.0], [1.0], [1.0]])
    >>> gradient = tf.IndexedSlices(tf.constant([[2.0]]), tf.constant([1]), tf.constant([3, 1]))
    >>> LazyAdam(0.5).apply([gradient], [variable])
    >>> variable.numpy().round(4).tolist()
    [[1.0], [0.5], [1.0]]
    """

    # For `tf_iclrec.models.gradients`: gradients are to stay sparse.
    steps_by_row = True

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in ("amsgrad", "weight_decay", "gradient_accumulation_steps", "use_ema"):
            if getattr(self, name):
                raise ValueError(
                    f"LazyAdam has no {name}, which touches the rows that it leaves alone: take "
                    "keras.optimizers.Adam."
                )

    def update_step(self, gradient, variable, learning_rate):
        if not isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable, learning_rate)
            return
        # Here, not before: replicas' slices and those of other training loops arrive as they are.
        gradient = each_row_once(gradient)
        rows, values = gradient.indices, gradient.values
        index = self._get_variable_index(variable)
        m, v = self._momentums[index].value, self._velocities[index].value
        step = tf.cast(self.iterations + 1, values.dtype)
        learning_rate = tf.cast(learning_rate, values.dtype)
        new_m = self.beta_1 * tf.gather(m, rows) + (1.0 - self.beta_1) * values
        new_v = self.beta_2 * tf.gather(v, rows) + (1.0 - self.beta_2) * tf.square(values)
        correction = tf.sqrt(1.0 - self.beta_2**step) / (1.0 - self.beta_1**step)
        change = learning_rate * correction * new_m / (tf.sqrt(new_v) + self.epsilon)
        m.scatter_update(tf.IndexedSlices(new_m, rows))
        v.scatter_update(tf.IndexedSlices(new_v, rows))
        variable.scatter_sub(tf.IndexedSlices(change, rows))
