import numpy as np
import pytest

from tf_iclrec import SequentialRecommender, SoftmaxCrossEntropy
from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.encoders.convolutional import ConvolutionalEncoder
from tf_iclrec.settings import settings_of

SETTINGS = {
    "vocabulary_size": 30,
    "max_length": 8,
    "hidden_dim": 6,
    "dropout": 0.5,
    "initializer_stddev": 0.1,
    "num_users": 4,
    "window": 3,
    "num_horizontal_filters": 5,
    "num_vertical_filters": 2,
}
ITEMS = [5, 9, 4, 9, 11]
BATCH = np.array([[0, 0, *ITEMS], [*ITEMS, 0, 0], [7, 8, *ITEMS]], dtype="int32")
USERS = np.array([2, 0, 3], dtype="int32")


def build(**settings):
    """An encoder whose every weight matters, the biases included."""
    encoder = ConvolutionalEncoder(**SETTINGS | settings)
    encoder.build()
    rng = np.random.default_rng(0)
    encoder.set_weights([rng.normal(scale=0.5, size=w.shape) for w in encoder.get_weights()])
    return encoder


@pytest.fixture
def encoder():
    return build()


def encode(encoder, ids, users=2, **kwargs):
    ids = np.atleast_2d(np.asarray(ids, dtype="int32"))
    inputs = {"item_ids": ids}
    if users is not None:
        inputs["users"] = np.broadcast_to(np.asarray(users, "int32"), len(ids))
    return np.asarray(encoder(inputs, **kwargs)).astype("float32")


def slow_scores(encoder, items, user):
    """Tang and Wang Sec. 3.2-3.3 for the last item of a sequence, filter by filter."""
    table = encoder.item_embedding.get_weights()[0]
    image = np.zeros((encoder.window, encoder.hidden_dim))
    for row, item in enumerate(reversed(items[-encoder.window :])):
        image[encoder.window - 1 - row] = table[item]
    found = []
    biases = iter(encoder.filters.bias.numpy())
    for height in range(1, encoder.window + 1):
        filters = encoder.filters.horizontal[height - 1].numpy()
        for number in range(encoder.num_horizontal_filters):
            bias = next(biases)
            fits = [
                max(0, (image[start : start + height] * filters[:, :, number]).sum() + bias)
                for start in range(encoder.window - height + 1)
                # A place in front of the first item is none.
                if start + height > encoder.window - len(items)
            ]
            found.append(max(fits))
    for weights in encoder.filters.vertical.numpy().T:
        found.extend(sum(weight * row for weight, row in zip(weights, image, strict=True)))
    kernel, bias = encoder.join.get_weights()
    joined = list(np.maximum(0, np.array(found) @ kernel + bias))
    if encoder.num_users:
        known = user is not None and 0 <= user < encoder.num_users
        own = encoder.user_embedding.get_weights()[0][user] if known else np.zeros(6)
        joined.extend(own)
    output = encoder.output_embedding.get_weights()[0][3:]
    return output[:, :-1] @ np.array(joined) + output[:, -1]


@pytest.mark.parametrize("window", [1, 3, 5])
@pytest.mark.parametrize("num_users", [0, 4])
@pytest.mark.parametrize("user", [2, -1, 4, None])
def test_scores_match_a_slow_transcription(window, num_users, user):
    encoder = build(window=window, num_users=num_users)
    model = SequentialRecommender(encoder, [SoftmaxCrossEntropy()])
    for length in range(1, len(ITEMS) + 1):
        items = ITEMS[:length]
        hidden = encode(encoder, [0, *items, 0], user)[0, length]
        expected = slow_scores(encoder, items, user)
        np.testing.assert_allclose(model.score(hidden[None])[0], expected, atol=1e-5)
        # Training at all places is training on all windows.
        at_once = encode(encoder, ITEMS, user)[0, length - 1]
        np.testing.assert_allclose(at_once, hidden, atol=2e-6)


def test_item_vectors_are_a_table_of_their_own(encoder):
    table = encoder.output_embedding.get_weights()[0]
    assert encoder.item_vectors().shape == (27, 13)
    np.testing.assert_array_equal(encoder.item_vectors(), table[3:])
    np.testing.assert_array_equal(encoder.item_vectors(np.array([[3, 29]])), table[[[3, 29]]])


def test_is_made_for_a_catalogue_with_its_users():
    encoder = ConvolutionalEncoder.for_catalogue(Catalogue(27, num_users=7), hidden_dim=4)
    assert (encoder.vocabulary_size, encoder.num_users, encoder.output_dim) == (30, 7, 9)
    assert encoder.reads == ("items", "users")


def test_declares_its_settings():
    declared = settings_of(ConvolutionalEncoder)
    names = ("window", "num_horizontal_filters", "num_vertical_filters")
    assert [declared[name].default for name in names] == [5, 16, 4]
    assert "num_users" not in declared
