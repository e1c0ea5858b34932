import keras
import numpy as np
import tensorflow as tf

from tf_iclrec.training.lazy_adam import LazyAdam


def sparse(values, rows, shape):
    return tf.IndexedSlices(tf.constant(values, tf.float32), tf.constant(rows), tf.constant(shape))


def test_rows_with_gradients_move_as_with_adam():
    """As long as every row has a gradient at every step the two are the same."""
    random = np.random.default_rng(0)
    start = random.normal(size=(4, 3)).astype("float32")
    lazy, dense = keras.Variable(start), keras.Variable(start)
    optimizers = LazyAdam(0.1), keras.optimizers.Adam(0.1)
    for _ in range(5):
        # Rows in any order, some of them twice: their gradients add up.
        rows = np.concatenate([random.permutation(4), [1, 3]])
        values = random.normal(size=(6, 3)).astype("float32")
        total = np.zeros((4, 3), dtype="float32")
        np.add.at(total, rows, values)
        optimizers[0].apply([sparse(values, rows, [4, 3])], [lazy])
        optimizers[1].apply([tf.constant(total)], [dense])
    np.testing.assert_allclose(lazy, dense, rtol=1e-5, atol=1e-6)
    assert np.abs(lazy.numpy() - start).max() > 0.1


def test_dense_gradients_are_adams():
    lazy, dense = keras.Variable([1.0, 2.0]), keras.Variable([1.0, 2.0])
    for step in range(3):
        gradient = tf.constant([0.5, -1.0]) * (step + 1)
        for variable, kind in ((lazy, LazyAdam), (dense, keras.optimizers.Adam)):
            optimizer = kind(0.1)
            optimizer.apply([gradient], [variable])
    np.testing.assert_array_equal(lazy, dense)


def test_rows_without_a_gradient_stay_with_their_moments():
    variable = keras.Variable(np.ones((3, 2), "float32"))
    optimizer = LazyAdam(0.1)
    optimizer.apply([sparse([[1.0, 2.0]], [0], [3, 2])], [variable])
    before, moments = variable.numpy(), [v.numpy() for v in optimizer.variables[2:]]
    optimizer.apply([sparse([[1.0, 1.0]], [2], [3, 2])], [variable])
    np.testing.assert_array_equal(variable.numpy()[:2], before[:2])
    assert (variable.numpy()[2] < 1).all()
    for old, new in zip(moments, optimizer.variables[2:], strict=True):
        np.testing.assert_array_equal(new.numpy()[:2], old[:2])


def test_a_step_reads_and_writes_rows_only():
    variable = keras.Variable(np.ones((50, 2), "float32"))
    optimizer = LazyAdam(0.1)
    optimizer.build([variable])

    @tf.function
    def step(values, rows):
        optimizer.apply([tf.IndexedSlices(values, rows, tf.constant([50, 2]))], [variable])

    graph = step.get_concrete_function(tf.zeros((3, 2)), tf.constant([1, 2, 3])).graph
    tables = [variable, *optimizer.variables[2:]]
    handles = {id(table.value.handle) for table in tables}
    captured = {internal.name for external, internal in graph.captures if id(external) in handles}
    assert len(captured) == 3
    readers = {
        operation.type
        for operation in graph.get_operations()
        if any(value.name in captured for value in operation.inputs)
    }
    assert readers <= {"ResourceGather", "ResourceScatterUpdate", "ResourceScatterSub"}
