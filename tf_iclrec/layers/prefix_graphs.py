"""The session graphs of all prefixes of sequences, sharing what they have in common."""

import tensorflow as tf

from tf_iclrec.data.vocabulary import PADDING_ID


class PrefixGraphs:
    """A directed graph for each prefix of each sequence: its items, an edge from each to the next.

    The nodes are the distinct items; each is named by the position where its item first stands.
    An edge counts as often as its two items follow each other (SR-GNN, Wu et al. 2019,
    "Constructing Session Graphs").

    A prefix that is one item longer has one more edge. In the first step of a graph network that
    changes the states of the edge's two ends alone, in each further step those of their
    neighbours as well; all other nodes have the state that they had in the prefix before. So the
    states of all prefixes are kept in one list without repetition, and numbers ``(batch, node,
    prefix)`` say which of them a node has. After one step these are two states per item of a
    sequence instead of one per item of each prefix: of 50 items 99 and not 1,275.

    Args:
        ids: ``(batch, time)`` int32, 0 = padding on either side.
        last_only: Whether only the whole sequences are asked for, not their prefixes.

    Attributes:
        ends: ``(batch, time)`` bool, true where a prefix ends.
        node: ``(batch, time)`` int32, the node of each position.
        stands: ``(batch, node, position)`` bool, whether the node's item stands there.
        seen: ``(batch, node, prefix)`` float32, how often it does so in a prefix.
        present: ``(batch, node, prefix)`` bool, whether the prefix has the node.

    Example: the third item is the first again.
    >>> graphs = PrefixGraphs(tf.constant([[7, 9, 7]]))
    >>> graphs.node.numpy().tolist(), graphs.seen[0].numpy().tolist()
    ([[0, 1, 0]], [[1.0, 1.0, 2.0], [0.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
    """

    def __init__(self, ids: tf.Tensor, last_only: bool = False):
        self.last_only = last_only
        self.valid = ids != PADDING_ID
        steps = tf.range(tf.shape(ids)[1])
        same = (ids[:, :, tf.newaxis] == ids[:, tf.newaxis]) & self.valid[:, tf.newaxis]
        self.node = tf.argmax(tf.cast(same, tf.int32), axis=2, output_type=tf.int32)
        self.ends = self.valid
        if last_only:
            place = tf.where(self.valid, steps + 1, 0)
            last = tf.reduce_max(place, axis=1, keepdims=True)
            self.ends = self.valid & (place == last)
        is_node = self.valid & (self.node == steps)
        self.stands = same & is_node[:, :, tf.newaxis]
        # [position, prefix]
        self._inside = steps[:, tf.newaxis] <= steps
        # TensorFlow's cumulative sums take four times as long.
        self.seen = tf.matmul(*(tf.cast(x, tf.float32) for x in (self.stands, self._inside)))
        self.present = (self.seen > 0) & self.ends[:, tf.newaxis]

    def changed(self, before: tf.Tensor | None = None) -> tf.Tensor:
        """Which nodes have a state that they have not had in the prefix before.

        Args:
            before: The same after one step less; None for the first step.

        Returns:
            ``(batch, node, prefix)`` bool.
        """
        if self.last_only:
            return self.present
        if before is None:
            return self.present & (self.stands | _shifted(self.stands, 1, axis=2))
        # [row, position, prefix]
        moved = _any_of(tf.transpose(self.stands, (0, 2, 1)), before) & self._inside
        beside = (_shifted(moved, 1, axis=1) | _shifted(moved, -1, axis=1)) & self._inside
        return before | (_any_of(self.stands, beside) & self.present)

    def first_numbers(self) -> tf.Tensor:
        """The numbers before any step, of states that are the vectors of all positions."""
        batch, time = tf.unstack(tf.shape(self.node))
        numbers = tf.reshape(tf.range(batch * time), [batch, time, 1])
        return tf.broadcast_to(numbers, [batch, time, time])

    def numbers(self, changed: tf.Tensor) -> tf.Tensor:
        """The numbers of the nodes' states in a list of the changed ones.

        Args:
            changed: ``(batch, node, prefix)`` bool; the list is in the order of `tf.where`.

        Returns:
            ``(batch, node, prefix)`` int32, without meaning where a node is not present.
        """
        # A node has changed in the first prefix that has it.
        return running_count(changed) - 1

    def mean_of_neighbours(
        self, states: tf.Tensor, numbers: tf.Tensor, places: tf.Tensor, offset: int
    ) -> tf.Tensor:
        """The mean of the states at the other ends of a node's edges (Fig. 2 of the paper).

        Args:
            states: ``(states, dim)``.
            numbers: ``(batch, node, prefix)`` int32 rows of ``states``.
            places: ``(places, 3)`` int32: batch row, node and prefix.
            offset: -1 for the edges that enter the node, 1 for those that leave it.

        Returns:
            ``(places, dim)``, zero where there is no edge.
        """
        row, _, prefix = tf.unstack(places, axis=1)
        steps = tf.range(tf.shape(self.node)[1])
        latest = prefix[:, tf.newaxis] - max(offset, 0)
        edges = tf.gather_nd(self.stands, places[:, :2]) & (steps <= latest)
        edges &= tf.gather(_shifted(self.valid, -offset, axis=1), row)
        place, position = tf.unstack(tf.cast(tf.where(edges), tf.int32), axis=1)
        row, prefix = tf.gather(row, place), tf.gather(prefix, place)
        neighbour = tf.gather_nd(self.node, tf.stack([row, position + offset], axis=1))
        number = tf.gather_nd(numbers, tf.stack([row, neighbour, prefix], axis=1))
        # One edge from nothing to nowhere: without any, TensorFlow does not set the gradient.
        count = tf.shape(places)[0]
        padded = tf.pad(states, [[0, 1], [0, 0]])
        number = tf.concat([number, [tf.shape(states)[0]]], axis=0)
        place = tf.concat([place, [count]], axis=0)
        return tf.sparse.segment_mean(padded, number, place, num_segments=count + 1)[:-1]


def running_count(flags: tf.Tensor) -> tf.Tensor:
    """How many flags are set up to and with each, in the order of `tf.where`; int32.

    Example:
    >>> running_count(tf.constant([[True, False], [False, True]])).numpy().tolist()
    [[1, 1], [1, 2]]
    """
    return tf.reshape(tf.cumsum(tf.reshape(tf.cast(flags, tf.int32), [-1])), tf.shape(flags))


def _shifted(values: tf.Tensor, offset: int, axis: int) -> tf.Tensor:
    """Booleans moved along an axis by one place, up for 1 and down for -1."""
    kept = [slice(None)] * axis + [slice(None, -1) if offset > 0 else slice(1, None)]
    paddings = [[0, 0]] * values.shape.rank
    paddings[axis] = [1, 0] if offset > 0 else [0, 1]
    return tf.pad(values[tuple(kept)], paddings)


def _any_of(left: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    """Product of boolean matrices."""
    return tf.matmul(tf.cast(left, tf.float32), tf.cast(right, tf.float32)) > 0
