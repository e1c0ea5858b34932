"""How models are compiled that have a training step of their own."""

from typing import Any

import keras
import tensorflow as tf

from tf_iclrec.models.gradients import add_repeated_rows


class StepwiseModel(keras.Model):
    """A model that builds itself and its optimizer before the training step is traced."""

    def compile(self, optimizer: Any = "adam", **kwargs: Any) -> None:
        """Configure training; see `keras.Model.compile`.

        Args:
            optimizer: An optimizer, or its name.
            **kwargs: Keras' others, but for those of losses and metrics, which this model has.

        Raises:
            ValueError: If a loss or metric is given.
        """
        for name in ("loss", "loss_weights", "metrics", "weighted_metrics"):
            if kwargs.get(name) is not None:
                raise ValueError(
                    f"compile({name}=...) is not read here: a {type(self).__name__} has losses and "
                    "metrics of its own. Losses are its objectives, and cutoffs the k of its "
                    "metrics."
                )
        super().compile(optimizer, **kwargs)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        # Keras' own does nothing where `compile` is another.
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.built:
            self.build_optimizer()

    def batch_of(self, data: Any) -> Any:
        """A batch as it is, or as `train_on_batch` and `test_on_batch` give it: in a tuple.

        Raises:
            ValueError: If targets or weights stand beside it.
        """
        batch, targets, weights = keras.utils.unpack_x_y_sample_weight(data)
        if targets is not None or weights is not None:
            raise ValueError(
                "A batch is one dictionary: its targets are in target_ids, their weights in "
                "target_weights."
            )
        return batch

    def descend(self, tape: tf.GradientTape, loss: tf.Tensor) -> None:
        """Take a step of the optimizer.

        Args:
            tape: What recorded the loss.
            loss: Scalar, as ``optimizer.scale_loss`` gives it.
        """
        variables = self.trainable_variables
        gradients = tape.gradient(loss, variables)
        self.optimizer.apply(add_repeated_rows(gradients, variables, self.optimizer), variables)

    def build_optimizer(self) -> None:
        """Make the optimizer's variables, if they are not there; the model must be compiled."""
        if not self.built:
            self.build()
        if not self.optimizer.built:
            # `fit` may be called outside the scope in which the model was made.
            with self.distribute_strategy.scope():
                self.optimizer.build(self.trainable_variables)

    def make_train_function(self, force: bool = False):
        # Made inside the graph of the training step, its variables cost a second tracing of it.
        self.build_optimizer()
        return super().make_train_function(force)

    def _resolve_auto_jit_compile(self) -> bool:
        # XLA is for those who ask for it with `compile(jit_compile=True)`: it makes a program for
        # every shape of a batch, and on a CPU a training step several times slower.
        return False
