"""One step of a gated graph network."""

import keras
from keras import KerasTensor, ops

from tf_iclrec.layers.dense import built_dense


@keras.saving.register_keras_serializable("tf_iclrec")
class GatedGraph(keras.layers.Layer):
    """Nodes take in what their neighbours send, as a GRU takes in an input.

    With ``v`` a node's state, ``p`` and ``n`` the weighted means of the states that point to it
    and of those that it points to, and ``[;]`` side by side (SR-GNN, Wu et al. 2019, Eq. 1-5)::

        a  = [H_in p + b_in; H_out n + b_out]
        z  = σ(W_z a + U_z v)
        r  = σ(W_r a + U_r v)
        ṽ  = tanh(W_o a + U_o (r ⊙ v))
        v' = (1 - z) ⊙ v + z ⊙ ṽ

    The gates and ``ṽ`` have biases, which the paper leaves out and the authors' program has. That
    program applies ``r`` after ``U_o``.

    Args:
        initializer_stddev: Standard deviation of the initial kernels. Defaults to 0.02.

    Call arguments:
        states: ``(nodes, dim)``.
        incoming: ``(nodes, dim)``, zero where nothing points to a node.
        outgoing: ``(nodes, dim)``, zero where a node points to nothing.

    Returns:
        ``(nodes, dim)``.

    Example:
    >>> states = ops.ones((5, 8))
    >>> GatedGraph()(states, ops.zeros((5, 8)), states).shape
    TensorShape([5, 8])
    """

    def __init__(self, initializer_stddev: float = 0.02, **kwargs):
        super().__init__(**kwargs)
        self.initializer_stddev = initializer_stddev

    def build(self, states_shape, incoming_shape=None, outgoing_shape=None):
        dim, stddev, policy = states_shape[-1], self.initializer_stddev, self.dtype_policy
        self.incoming_dense = built_dense(dim, dim, "incoming", stddev, policy)
        self.outgoing_dense = built_dense(dim, dim, "outgoing", stddev, policy)
        # Each W and its U in one product.
        self.gates = built_dense(3 * dim, 2 * dim, "gates", stddev, policy, ops.sigmoid)
        self.candidate = built_dense(3 * dim, dim, "candidate", stddev, policy, ops.tanh)

    def call(
        self, states: KerasTensor, incoming: KerasTensor, outgoing: KerasTensor
    ) -> KerasTensor:
        sent = ops.concatenate(
            [self.incoming_dense(incoming), self.outgoing_dense(outgoing)], axis=-1
        )
        gates = self.gates(ops.concatenate([sent, states], axis=-1))
        update, reset = ops.split(gates, 2, axis=-1)
        candidate = self.candidate(ops.concatenate([sent, reset * states], axis=-1))
        return states + update * (candidate - states)

    def get_config(self):
        return super().get_config() | {"initializer_stddev": self.initializer_stddev}
