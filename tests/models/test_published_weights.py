import math

import numpy as np
import pytest

from tf_iclrec import Catalogue, UserError, build_model, make_config
from tf_iclrec.models.published_weights import (
    load_published_weights,
    published_settings,
    published_vocabulary,
)

HIDDEN, HEADS, BLOCKS, LENGTH, ITEMS = 8, 2, 3, 20, 15


def convert(weights, num_heads=HEADS):
    config = make_config(**published_settings(weights, num_heads))
    model = build_model(config, Catalogue(len(published_vocabulary(weights))))
    load_published_weights(model, weights)
    return model


def internal_ids(history):
    """The checkpoint's item i is the library's id i + 2."""
    return np.where(history > 0, history + 2, 0).astype("int32")


@pytest.fixture(scope="module")
def golden(shared):
    folder = shared / "golden" / "iclrec_beauty"
    with np.load(folder / "weights.npz") as weights, np.load(folder / "reference.npz") as reference:
        return dict(weights), dict(reference)


@pytest.fixture(scope="module")
def beauty(golden):
    return convert(golden[0])


def test_beauty_user_vectors_are_the_published_programs(golden, beauty):
    reference = golden[1]
    vectors = beauty.user_vectors({"item_ids": internal_ids(reference["history"])})
    assert vectors.shape == (256, 64)
    np.testing.assert_allclose(vectors, reference["user_vector"], atol=1e-4)


def test_beauty_top_items_are_the_published_programs(golden, beauty, shared):
    reference = golden[1]
    scores = np.array(beauty({"item_ids": internal_ids(reference["history"])}))
    with (shared / "data" / "sequences" / "Beauty.txt").open() as file:
        for row, line in zip(scores, file, strict=False):
            _, *seen, _ = map(int, line.split())  # user, history, target
            row[np.array(seen) - 1] = -np.inf
    top = np.argsort(-scores, axis=1, kind="stable")[:, :20]
    for user, columns in enumerate(top):
        expected = reference["top20_scores"][user]
        known = dict(zip(reference["top20_items"][user] - 1, expected, strict=True))
        # Items may change places, or the last one its place in the list, at equal scores.
        reference_scores = [known.get(column, scores[user, column]) for column in columns]
        np.testing.assert_allclose(reference_scores, expected, rtol=0, atol=1e-5)


def test_beauty_states_are_of_the_published_lengths(golden, beauty):
    """Of which the means are mostly padding: what it was trained with, seen in the weights."""
    inputs = {"item_ids": internal_ids(golden[1]["history"])}
    users, means = (np.asarray(vectors) for vectors in beauty.encode(inputs))
    lengths = [np.linalg.norm(vectors, axis=-1).mean() for vectors in (users, means)]
    assert lengths == pytest.approx([3.56, 1.55], abs=0.01)


def test_beauty_settings_and_vocabulary(golden):
    config = make_config(**published_settings(golden[0], num_heads=2))
    names = ("hidden_dim", "num_blocks", "num_heads", "max_length", "relative_positions")
    assert [config.encoder[name] for name in names] == [64, 1, 2, 50, False]
    assert config.encoder.padding_places == 50
    vocabulary = published_vocabulary(golden[0])
    assert len(vocabulary) == 12101
    assert vocabulary.encode(["1", "12101", "12102"]).tolist() == [3, 12103, 1]


@pytest.fixture
def weights():
    """A checkpoint of random numbers, in the published names and shapes."""
    shapes = {
        "item_embeddings.weight": (ITEMS + 2, HIDDEN),
        "position_embeddings.weight": (LENGTH, HIDDEN),
        "LayerNorm.weight": (HIDDEN,),
        "LayerNorm.bias": (HIDDEN,),
    }
    for index in range(BLOCKS):
        block = f"item_encoder.layer.{index}"
        for name in ("query", "key", "value", "dense"):
            shapes[f"{block}.attention.{name}.weight"] = (HIDDEN, HIDDEN)
            shapes[f"{block}.attention.{name}.bias"] = (HIDDEN,)
        shapes[f"{block}.intermediate.dense_1.weight"] = (4 * HIDDEN, HIDDEN)
        shapes[f"{block}.intermediate.dense_1.bias"] = (4 * HIDDEN,)
        shapes[f"{block}.intermediate.dense_2.weight"] = (HIDDEN, 4 * HIDDEN)
        shapes[f"{block}.intermediate.dense_2.bias"] = (HIDDEN,)
        for half in ("attention", "intermediate"):
            shapes[f"{block}.{half}.LayerNorm.weight"] = (HIDDEN,)
            shapes[f"{block}.{half}.LayerNorm.bias"] = (HIDDEN,)
    rng = np.random.default_rng(0)
    return {
        name: rng.normal(scale=0.5, size=shape).astype("float32") for name, shape in shapes.items()
    }


def slow_states(weights, history):
    """The published program's forward pass for one history ``(LENGTH,)``, padded on the left.

    Keys that a query may not see have 10,000 taken off their scores, padded ones and later ones
    alike: where that is all of them, it cancels.
    """

    def linear(x, name):
        return weights[f"{name}.weight"] @ x + weights[f"{name}.bias"]

    def norm(x, name):
        x = (x - x.mean()) / np.sqrt(x.var() + 1e-12)
        return x * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def gelu(x):
        return np.array([0.5 * v * (1 + math.erf(v / math.sqrt(2))) for v in x])

    hidden = [
        norm(
            weights["item_embeddings.weight"][history[t]].astype("float64")
            + weights["position_embeddings.weight"][t],
            "LayerNorm",
        )
        for t in range(LENGTH)
    ]
    size = HIDDEN // HEADS
    for index in range(BLOCKS):
        name = f"item_encoder.layer.{index}"
        query, key, value = (
            [linear(state, f"{name}.attention.{part}") for state in hidden]
            for part in ("query", "key", "value")
        )
        after = []
        for t in range(LENGTH):
            attended = np.zeros(HIDDEN)
            for head in range(HEADS):
                part = slice(head * size, (head + 1) * size)
                scores = np.array(
                    [
                        query[t][part] @ key[s][part] / math.sqrt(size)
                        - (0 if s <= t and history[s] > 0 else 10_000)
                        for s in range(LENGTH)
                    ]
                )
                shares = np.exp(scores - scores.max())
                for s, share in enumerate(shares / shares.sum()):
                    attended[part] += share * value[s][part]
            x = linear(attended, f"{name}.attention.dense")
            x = norm(hidden[t] + x, f"{name}.attention.LayerNorm")
            update = gelu(linear(x, f"{name}.intermediate.dense_1"))
            update = linear(update, f"{name}.intermediate.dense_2")
            after.append(norm(x + update, f"{name}.intermediate.LayerNorm"))
        hidden = after
    return np.array(hidden)


def test_several_blocks_give_the_vectors_of_a_slow_forward_pass(weights):
    rng = np.random.default_rng(1)
    history = np.zeros((4, LENGTH), dtype="int32")
    for row, length in zip(history, (1, 2, 11, LENGTH), strict=True):
        row[-length:] = rng.integers(1, ITEMS + 1, size=length)
    model = convert(weights)
    states = np.array([slow_states(weights, row) for row in history])
    inputs = {"item_ids": internal_ids(history)}
    vectors, means = (np.asarray(one) for one in model.encode(inputs))
    expected = states[:, -1]
    np.testing.assert_allclose(vectors, expected, rtol=1e-4, atol=1e-5)
    # Padded states as well: they are most of what is clustered and compared.
    whole, _ = model.encoder.encode_whole(inputs)
    np.testing.assert_allclose(whole, states, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(means, states.mean(axis=1), rtol=1e-4, atol=1e-5)
    for row, mean in zip(history, means, strict=True):
        padded_behind = internal_ids(np.append(row[row > 0], 0)[:LENGTH])[np.newaxis]
        found = np.asarray(model.mean_vectors({"item_ids": padded_behind}))[0]
        np.testing.assert_allclose(found, mean, rtol=1e-4, atol=1e-5)
    items = weights["item_embeddings.weight"][1:-1]
    scores = model({"item_ids": internal_ids(history)})
    np.testing.assert_allclose(scores, expected @ items.T, rtol=1e-4, atol=1e-4)


def test_settings_follow_from_the_shapes(weights):
    settings = published_settings(weights, num_heads=4)
    names = ("hidden_dim", "num_blocks", "num_heads", "max_length")
    assert [settings[name] for name in names] == [HIDDEN, BLOCKS, 4, LENGTH]


ONE_BLOCK = [
    "item_embeddings.weight",
    "position_embeddings.weight",
    "LayerNorm.weight",
    "LayerNorm.bias",
    *(
        f"item_encoder.layer.0.{layer}.{kind}"
        for layer in (
            *(f"attention.{name}" for name in ("query", "key", "value", "dense", "LayerNorm")),
            *(f"intermediate.{name}" for name in ("dense_1", "dense_2", "LayerNorm")),
        )
        for kind in ("weight", "bias")
    ),
    "item_encoder.layer.2.intermediate.LayerNorm.bias",
]


@pytest.mark.parametrize("name", ONE_BLOCK)
def test_a_missing_parameter_is_named(weights, name):
    del weights[name]
    with pytest.raises(UserError, match=f"no parameter '{name}'"):
        convert(weights)


@pytest.mark.parametrize("name", ONE_BLOCK)
def test_a_wrong_shape_is_a_user_error(weights, name):
    model = convert(weights)
    weights[name] = np.concatenate([weights[name], weights[name]], axis=-1)
    with pytest.raises(UserError, match="shape"):
        load_published_weights(model, weights)


def test_shapes_that_only_fit_together_are_a_user_error(weights):
    query, key = "item_encoder.layer.0.attention.query", "item_encoder.layer.0.attention.key"
    for kind in ("weight", "bias"):
        both = np.concatenate([weights[f"{query}.{kind}"], weights[f"{key}.{kind}"]])
        weights[f"{query}.{kind}"], weights[f"{key}.{kind}"] = both[:3], both[3:]
    with pytest.raises(UserError, match="shape"):
        convert(weights)


def test_an_unusual_feed_forward_width_is_a_user_error(weights):
    weights["item_encoder.layer.0.intermediate.dense_1.weight"] = np.zeros((5, HIDDEN))
    with pytest.raises(UserError, match=f"width is 5; only {4 * HIDDEN}"):
        published_settings(weights, HEADS)


def test_heads_that_do_not_divide_the_width_are_a_user_error(weights):
    with pytest.raises(UserError, match="width 8 can't be divided into 3 attention heads"):
        convert(weights, num_heads=3)
