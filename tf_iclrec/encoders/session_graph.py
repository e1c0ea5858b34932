"""SR-GNN's encoder: a gated graph network over the graph of a session."""

from typing import Annotated

import keras
import tensorflow as tf
from keras import KerasTensor, ops

from tf_iclrec.encoders.encoder import Encoder
from tf_iclrec.layers.dense import built_dense
from tf_iclrec.layers.gated_graph import GatedGraph
from tf_iclrec.layers.pair_attention import Pairs, attend_pairs
from tf_iclrec.layers.prefix_graphs import PrefixGraphs, running_count
from tf_iclrec.settings import Setting, checked


@keras.saving.register_keras_serializable("tf_iclrec")
class SessionGraphEncoder(Encoder):
    """Sequences as graphs of their items (SR-GNN, Wu et al., AAAI 2019).

    Each distinct item of a prefix is a node with an edge to each item that follows it somewhere.
    The nodes start with the items' embeddings and exchange their states for some steps (Eq. 1-5,
    see `GatedGraph`). What comes out is read with the last item in view (Eq. 6-7)::

        s_l = v_n
        α_i = qᵀ σ(W_1 v_n + W_2 v_i + c)
        s_g = Σ α_i v_i                      over all positions i of the prefix
        s_h = W_3 [s_l; s_g] + b

    The state at a position is ``s_h`` of the prefix that ends there, from the graph of that
    prefix alone. ``b`` is the authors' program's; the paper has none. An edge counts as often as
    it occurs, as in the paper; in the program once.

    Args:
        num_steps: Times that the nodes exchange their states. Defaults to 1, as published. Each
            further step costs more than the one before.

        For the others see `Encoder`; the embeddings are dropped from.

    Returns:
        Hidden states ``(batch, time, hidden_dim)``, zero at padded positions. A position sees
        itself and what came before it.

    Example:
    >>> from keras import ops
    >>> encoder = SessionGraphEncoder(vocabulary_size=100, max_length=50)
    >>> encoder({"item_ids": ops.array([[0, 5, 9, 5]])}).shape
    TensorShape([1, 4, 64])
    """

    @checked
    def __init__(
        self,
        *args,
        num_steps: Annotated[
            int, Setting("steps in which items of a sequence exchange states", at_least=1)
        ] = 1,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        self.num_steps = num_steps

    def build_layers(self):
        dim, stddev, policy = self.hidden_dim, self.initializer_stddev, self.dtype_policy
        self.embedding_dropout = keras.layers.Dropout(self.dropout, dtype=policy)
        self.graph = GatedGraph(stddev, dtype=policy, name="graph")
        self.graph.build((None, dim))
        self.query_projection = built_dense(dim, dim, "query", stddev, policy, use_bias=False)
        self.key_dense = built_dense(dim, dim, "key", stddev, policy)
        self.score = built_dense(dim, 1, "score", stddev, policy, use_bias=False)
        self.output_dense = built_dense(2 * dim, dim, "output", stddev, policy)

    def last_states(self, inputs: dict[str, KerasTensor], training: bool = False) -> KerasTensor:
        # At a fraction of the cost of all.
        return ops.sum(self(inputs, training=training, last_only=True), axis=1)

    def call(
        self, inputs: dict[str, KerasTensor], training: bool = False, last_only: bool = False
    ) -> KerasTensor:
        item_ids = ops.convert_to_tensor(inputs["item_ids"], "int32")
        items = self.embedding_dropout(self.item_embedding(item_ids), training=training)
        graphs = PrefixGraphs(item_ids, last_only)
        states, numbers, states_of_rows = self._exchanged(graphs, items)

        ends = tf.cast(tf.where(graphs.ends), tf.int32)
        row, end = tf.unstack(ends, axis=1)
        last_nodes = tf.stack([row, tf.gather_nd(graphs.node, ends), end], axis=1)
        local = tf.gather(states, tf.gather_nd(numbers, last_nodes))
        pairs = _nodes_of_prefixes(graphs, numbers, states_of_rows)
        queries, keys = self.query_projection(local), self.key_dense(states)
        # In half precision the sums over pairs are not worth their loss.
        attended = attend_pairs(
            *(tf.cast(x, tf.float32) for x in (queries, keys, states)),
            tf.cast(ops.convert_to_tensor(self.score.kernel)[:, 0], tf.float32),
            pairs,
        )
        hidden = self.output_dense(tf.concat([local, tf.cast(attended, local.dtype)], axis=1))
        return tf.scatter_nd(ends, hidden, [*tf.unstack(tf.shape(item_ids)), self.hidden_dim])

    def _exchanged(
        self, graphs: PrefixGraphs, items: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """The states after all steps, the numbers of the nodes' states among them, and how many
        there are of each batch row."""
        states = tf.reshape(items, [-1, self.hidden_dim])
        numbers, changed = graphs.first_numbers(), None
        for _ in range(self.num_steps):
            changed = graphs.changed(changed)
            places = tf.cast(tf.where(changed), tf.int32)
            incoming, outgoing = (
                graphs.mean_of_neighbours(states, numbers, places, offset) for offset in (-1, 1)
            )
            own = tf.gather(states, tf.gather_nd(numbers, places))
            states = self.graph(own, incoming, outgoing)
            numbers = graphs.numbers(changed)
        return states, numbers, tf.math.count_nonzero(changed, axis=[1, 2], dtype=tf.int32)

    def get_config(self):
        return super().get_config() | {"num_steps": self.num_steps}


def _nodes_of_prefixes(
    graphs: PrefixGraphs, numbers: tf.Tensor, states_of_rows: tf.Tensor
) -> Pairs:
    """Each prefix with the states of its nodes, weighted by how often their items stand in it."""
    in_prefixes = tf.transpose(graphs.present, (0, 2, 1))
    by_prefix, by_node = (
        tf.cast(tf.where(flags), tf.int32) for flags in (in_prefixes, graphs.present)
    )
    nodes = tf.gather(by_prefix, [0, 2, 1], axis=1)
    return Pairs(
        query=tf.gather_nd(running_count(graphs.ends), by_prefix[:, :2]) - 1,
        state=tf.gather_nd(numbers, nodes),
        weight=tf.gather_nd(graphs.seen, nodes),
        # The states are in the order of their nodes.
        by_state=tf.gather_nd(running_count(in_prefixes), tf.gather(by_node, [0, 2, 1], axis=1))
        - 1,
        queries_of_rows=tf.math.count_nonzero(graphs.ends, axis=1, dtype=tf.int32),
        states_of_rows=states_of_rows,
        pairs_of_rows=tf.math.count_nonzero(graphs.present, axis=[1, 2], dtype=tf.int32),
    )
