"""How models are compiled that have a training step of their own."""

import keras


class StepwiseModel(keras.Model):
    """A model that builds itself and its optimizer before the training step is traced."""

    def build_optimizer(self) -> None:
        """Make the optimizer's variables, if they are not there; the model must be compiled."""
        if not self.built:
            self.build()
        if not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)

    def make_train_function(self, force: bool = False):
        # Made inside the graph of the training step, its variables cost a second tracing of it.
        self.build_optimizer()
        return super().make_train_function(force)

    def _resolve_auto_jit_compile(self) -> bool:
        # XLA is for those who ask for it with `compile(jit_compile=True)`: it makes a program for
        # every shape of a batch, and on a CPU a training step several times slower.
        return False
