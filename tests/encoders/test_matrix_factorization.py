import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec import UserError
from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.data.tasks import OwnItems
from tf_iclrec.encoders.matrix_factorization import MatrixFactorizationEncoder
from tf_iclrec.objectives.objective import EncodedBatch
from tf_iclrec.objectives.pairwise_ranking import PairwiseRanking

SETTINGS = {
    "vocabulary_size": 30,
    "max_length": 8,
    "hidden_dim": 6,
    "dropout": 0.5,
    "initializer_stddev": 0.1,
    "num_users": 4,
    "fold_in_ridge": 0.5,
}
ITEMS = [5, 9, 4, 9]
BATCH = np.array([[0, 0, *ITEMS], [*ITEMS, 0, 0], [7, 8, *ITEMS]], dtype="int32")
USERS = np.array([2, 0, -1], dtype="int32")


def build(**settings):
    encoder = MatrixFactorizationEncoder(**SETTINGS | settings)
    encoder.build()
    rng = np.random.default_rng(0)
    encoder.set_weights([rng.normal(scale=0.5, size=w.shape) for w in encoder.get_weights()])
    return encoder


@pytest.fixture
def encoder():
    return build()


@pytest.fixture(params=[2, -1, 4, None], ids=["known", "unknown", "no_row", "not_named"])
def user(request):
    return request.param


def encode(encoder, ids, users, **kwargs):
    ids = np.atleast_2d(np.asarray(ids, dtype="int32"))
    inputs = {"item_ids": ids}
    if users is not None:
        inputs["users"] = np.broadcast_to(np.asarray(users, "int32"), len(ids))
    return np.asarray(encoder(inputs, **kwargs)).astype("float32")


def slow_fold_in(encoder, history):
    """The minimum of Σ (w·v - [v in history])² + λ |w|² over all items, by least squares."""
    items = encoder.item_vectors().numpy().astype("float64")
    bought = np.bincount(np.array(history) - 3, minlength=len(items))
    ridge = encoder.fold_in_ridge * np.linalg.eigvalsh(items.T @ items).mean()
    rows = np.concatenate([items, np.sqrt(ridge) * np.eye(items.shape[1])])
    return np.linalg.lstsq(rows, np.concatenate([bought, np.zeros(items.shape[1])]))[0]


def test_a_known_user_has_the_same_vector_at_each_real_position(encoder):
    hidden = encode(encoder, BATCH[:2], USERS[:2])
    vectors = encoder.user_embedding.get_weights()[0]
    for row, user in enumerate(USERS[:2]):
        real = hidden[row][BATCH[row] != 0]
        np.testing.assert_array_equal(real, np.tile(vectors[user], (4, 1)))


@pytest.mark.parametrize("user", [-1, 4, None])
def test_other_users_are_folded_in_from_their_history_so_far(encoder, user):
    hidden = encode(encoder, [0, *ITEMS], user)[0, 1:]
    for length in range(1, 5):
        expected = slow_fold_in(encoder, ITEMS[:length])
        np.testing.assert_allclose(hidden[length - 1], expected, atol=1e-5)


def test_the_special_ids_are_no_items_of_a_history(encoder):
    hidden = encode(encoder, [5, 1, 2, 9], None)[0, -1]
    np.testing.assert_allclose(hidden, slow_fold_in(encoder, [5, 9]), atol=1e-5)


def test_vectors_of_zero_fold_in_as_zero(encoder):
    encoder.item_embedding.set_weights([np.zeros((30, 6))])
    assert not encode(encoder, BATCH, None).any()


def test_without_users_all_are_folded_in():
    encoder = build(num_users=0)
    np.testing.assert_array_equal(encode(encoder, BATCH, USERS), encode(encoder, BATCH, None))
    assert len(encoder.weights) == 1


def test_learns_the_items_of_each_user_by_bpr():
    """The step of a training: users and items are moved, and own items come first."""
    encoder = build(dropout=0.0, initializer_stddev=0.02)
    term, optimizer = PairwiseRanking(), keras.optimizers.Adam(0.1)
    items = np.array([[3, 4, 5], [0, 6, 7], [8, 9, 10]], dtype="int32")
    negatives = np.where(items, 11 + np.arange(9).reshape(3, 3), 0).astype("int32")
    users = np.array([0, 1, 3])
    before = encoder.get_weights()

    @tf.function(jit_compile=False)
    def step():
        with tf.GradientTape() as tape:
            hidden = encoder({"item_ids": items, "users": users}, training=True)
            loss = term(EncodedBatch(hidden, items, encoder.item_vectors, negative_ids=negatives))
        variables = encoder.trainable_variables
        gradients = tape.gradient(loss, variables)
        optimizer.apply([tf.convert_to_tensor(gradient) for gradient in gradients], variables)
        return loss

    for _ in range(30):
        loss = step()
    assert float(loss) < 0.1
    scores = encode(encoder, items, users)[:, -1] @ encoder.item_vectors().numpy().T
    for row in range(3):
        own, others = (ids[row][ids[row] > 0] - 3 for ids in (items, negatives))
        assert scores[row, own].min() > scores[row, others].max()
    # The user who was not there, and items that nobody was asked for, are as before.
    np.testing.assert_array_equal(before[1][2], encoder.get_weights()[1][2])
    np.testing.assert_array_equal(before[0][20:], encoder.get_weights()[0][20:])


def test_nobody_is_folded_in_while_users_are_trained(encoder):
    hidden = encode(encoder, BATCH, USERS, training=True)
    assert not hidden[2].any()
    dropped, vectors = hidden[0, -1], encoder.user_embedding.get_weights()[0][2]
    np.testing.assert_allclose(dropped[dropped != 0], 2 * vectors[dropped != 0], rtol=1e-6)


def test_padding_gets_no_gradient(encoder):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(encoder({"item_ids": BATCH}) ** 2)
    gradient = tape.gradient(loss, encoder.item_embedding.embeddings.value)
    gradient = np.asarray(tf.convert_to_tensor(gradient))
    assert np.isfinite(gradient).all()
    assert not gradient[:3].any()
    assert gradient[3:].any(axis=1).all()


def test_is_made_for_a_catalogue_with_its_users():
    encoder = MatrixFactorizationEncoder.for_catalogue(Catalogue(27, num_users=7), hidden_dim=4)
    assert (encoder.vocabulary_size, encoder.num_users, encoder.output_dim) == (30, 7, 4)
    assert encoder.reads == ("items", "users")
    assert isinstance(encoder.task, OwnItems)
    with pytest.raises(UserError, match="number of users"):
        MatrixFactorizationEncoder.for_catalogue(Catalogue(27))
