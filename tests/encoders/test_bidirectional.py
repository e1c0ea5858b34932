import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec import SequentialRecommender, SoftmaxCrossEntropy
from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.data.tasks import Cloze
from tf_iclrec.encoders.bidirectional import BidirectionalEncoder
from tf_iclrec.settings import settings_of

SETTINGS = {
    "vocabulary_size": 30,
    "max_length": 8,
    "hidden_dim": 16,
    "num_blocks": 2,
    "num_heads": 2,
    "feedforward_dim": 24,
    "dropout": 0.5,
    "initializer_stddev": 0.1,
    "cloze_ratio": 0.6,
    "cloze_last": 0.3,
}
ITEMS = [5, 9, 4, 9]
BATCH = np.array([[0, 0, *ITEMS], [*ITEMS, 0, 0], [7, 8, *ITEMS]], dtype="int32")
MASK = 2


def build(**settings):
    """An encoder whose every weight matters, the position tables included."""
    encoder = BidirectionalEncoder(**SETTINGS | settings)
    encoder.build()
    rng = np.random.default_rng(0)
    encoder.set_weights([rng.normal(scale=0.3, size=w.shape) for w in encoder.get_weights()])
    return encoder


@pytest.fixture(scope="module", params=[True, False], ids=["relative", "absolute"])
def encoder(request):
    return build(relative_positions=request.param)


def encode(encoder, ids, **kwargs):
    ids = np.atleast_2d(np.asarray(ids, dtype="int32"))
    return np.asarray(encoder({"item_ids": ids}, **kwargs)).astype("float32")


def ask(encoder, ids, **others):
    asked = encoder.ask_next({"item_ids": np.array(ids, dtype="int32"), **others})
    return {name: np.asarray(value).tolist() for name, value in asked.items()}


def norm(values, layer):
    scale, shift = (np.asarray(weight) for weight in layer.get_weights())
    centred = values - values.mean(axis=-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-12) * scale + shift


def dense(values, layer):
    kernel, bias = layer.get_weights()
    return values @ kernel + bias


def gelu(values):
    return values * 0.5 * (1 + np.vectorize(math.erf)(values / math.sqrt(2)))


def slow_states(encoder, ids):
    """BERT4Rec Sec. 3.3 to 3.5 for one sequence without padding, position by position."""
    transformer, time = encoder.transformer, len(ids)
    (table,) = encoder.item_embedding.get_weights()
    hidden = table[ids].astype("float64")
    if not encoder.relative_positions:
        (positions,) = transformer.positions[0].get_weights()
        rows = [max(0, encoder.max_length - time + place) for place in range(time)]
        hidden = hidden + positions[rows]
    hidden = norm(hidden, transformer.embedding_norm)
    size = encoder.hidden_dim // encoder.num_heads
    for number, block in enumerate(transformer.blocks):
        mixed = np.split(dense(hidden, block.attention.query_key_value), 3, axis=-1)
        attended = np.zeros_like(hidden)
        for head in range(encoder.num_heads):
            query, key, value = (part[:, head * size : (head + 1) * size] for part in mixed)
            scores = query @ key.T / math.sqrt(size)
            if encoder.relative_positions:
                (bias,) = transformer.positions[number].get_weights()
                longest = encoder.max_length - 1
                for q, k in np.ndindex(time, time):
                    distance = min(max(q - k, -longest), longest)
                    scores[q, k] += bias[head, longest + distance]
            weights = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
            attended[:, head * size : (head + 1) * size] = weights @ value
        hidden = norm(hidden + dense(attended, block.attention.output_dense), block.attention_norm)
        forward = block.feed_forward
        update = dense(gelu(dense(hidden, forward.expand)), forward.contract)
        hidden = norm(hidden + update, forward.norm)
    return norm(gelu(dense(hidden, encoder.output_dense)), encoder.output_norm)


@pytest.mark.parametrize("length", [1, 4, 8, 9])
def test_matches_slow_transcription(encoder, length):
    """With nine positions, the two oldest share theirs."""
    ids = np.random.default_rng(1).integers(2, 30, size=length)
    np.testing.assert_allclose(encode(encoder, ids)[0], slow_states(encoder, ids), atol=2e-4)


def test_gives_hidden_states_that_are_zero_at_padding(encoder):
    hidden = encode(encoder, BATCH)
    assert hidden.shape == (3, 6, 16)
    assert not hidden[BATCH == 0].any()
    assert (np.abs(hidden[BATCH != 0]).max(axis=-1) > 0.1).all()


@pytest.mark.parametrize(("left", "right"), [(0, 0), (4, 0), (0, 4), (1, 0), (2, 1)])
def test_padding_never_changes_a_real_position(encoder, left, right):
    padded = encode(encoder, [0] * left + ITEMS + [0] * right)
    alone = encode(encoder, ITEMS)
    np.testing.assert_allclose(padded[:, left : left + len(ITEMS)], alone, atol=5e-6)


def test_other_rows_of_the_batch_change_nothing(encoder):
    together = encode(encoder, BATCH)
    for row, ids in enumerate(BATCH):
        np.testing.assert_allclose(together[row], encode(encoder, ids)[0], atol=5e-6)


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_an_item_is_seen_from_both_sides(encoder, place):
    changed = list(ITEMS)
    changed[place] = 20
    before, after = encode(encoder, ITEMS)[0], encode(encoder, changed)[0]
    assert (np.abs(before - after).max(axis=-1) > 1e-3).all()


@pytest.mark.parametrize("place", [0, 3])
def test_the_order_matters_on_both_sides(encoder, place):
    ids = [5, 9, 4, 7]
    others = [other for other in range(4) if other != place]
    swapped = list(ids)
    swapped[others[0]], swapped[others[1]] = ids[others[1]], ids[others[0]]
    one, other = encode(encoder, ids)[0, place], encode(encoder, swapped)[0, place]
    assert np.abs(one - other).max() > 1e-3


def test_both_sides_is_what_it_always_sees(encoder):
    both = encoder.encode_both_sides({"item_ids": BATCH})
    np.testing.assert_array_equal(both, encode(encoder, BATCH))


def test_is_trained_by_cloze():
    assert build().task == Cloze(0.6, 0.3)
    assert BidirectionalEncoder(30).task == Cloze(0.2, 0.1)
    declared = settings_of(BidirectionalEncoder)
    names = ["cloze_ratio", "cloze_last"]
    assert [declared[name].option("") for name in names] == names
    assert [declared[name].default for name in names] == [0.2, 0.1]


def test_ask_next_appends_a_mask_wherever_the_padding_is():
    asked = ask(build(), [[0, 0, 5, 9], [5, 9, 0, 0], [0, 5, 9, 0], [3, 4, 5, 6], [0, 0, 0, 0]])
    expected = [[0, 0, 5, 9, 2]] * 3 + [[3, 4, 5, 6, 2], [0, 0, 0, 0, 2]]
    assert asked == {"item_ids": expected}


def test_ask_next_drops_the_oldest_beyond_max_length():
    encoder = build(max_length=4)
    assert ask(encoder, [[3, 4, 5, 6]])["item_ids"] == [[3, 4, 5, 6, 2]]
    asked = ask(encoder, [[3, 4, 5, 6, 7, 8], [3, 4, 0, 0, 0, 0], [0, 4, 5, 6, 7, 8]])
    assert asked["item_ids"] == [[5, 6, 7, 8, 2], [0, 0, 3, 4, 2], [5, 6, 7, 8, 2]]


def test_ask_next_treats_providers_alike_and_hands_the_rest_through():
    providers = np.array([[4, 8, 0], [0, 0, 6]], dtype="int32")
    users, seen = np.array([7, 8]), np.array([[5, 9], [0, 5]])
    asked = ask(build(), [[5, 9, 0], [0, 0, 3]], provider_ids=providers, users=users, seen=seen)
    assert asked == {
        "item_ids": [[0, 5, 9, 2], [0, 0, 3, 2]],
        "provider_ids": [[0, 4, 8, 2], [0, 0, 6, 2]],
        "users": [7, 8],
        "seen": seen.tolist(),
    }


def test_ask_next_runs_in_a_graph_of_any_width():
    encoder = build()
    ids = tf.TensorSpec([None, None], tf.int32)
    function = tf.function(
        lambda ids: encoder.ask_next({"item_ids": ids})["item_ids"], input_signature=[ids]
    )
    for width in (0, 3, 8, 12):
        asked = np.asarray(function(np.full((2, width), 5, dtype="int32")))
        kept = min(width, 8)
        assert asked.tolist() == [[5] * kept + [MASK]] * 2


@pytest.mark.parametrize("padding", [(4, 0), (0, 4)])
def test_the_state_of_the_mask_sees_all_items_and_no_padding(encoder, padding):
    left, right = padding
    asked = ask(encoder, [[0] * left + ITEMS + [0] * right])["item_ids"]
    state = encode(encoder, asked)[0, -1]
    np.testing.assert_allclose(state, encode(encoder, [*ITEMS, MASK])[0, -1], atol=5e-6)


def test_at_max_length_the_mask_sees_every_item(encoder):
    items = list(range(10, 18))
    states = encode(encoder, ask(encoder, [items])["item_ids"])
    assert states.shape == (1, 9, 16)
    for place in range(8):
        changed = list(items)
        changed[place] = 25
        other = encode(encoder, ask(encoder, [changed])["item_ids"])
        assert np.abs(states[0, -1] - other[0, -1]).max() > 1e-4


@pytest.mark.parametrize("zero_weights", [False, True])
def test_a_row_of_padding_has_finite_outputs_and_gradients(zero_weights):
    encoder = build()
    if zero_weights:
        encoder.item_embedding.set_weights([np.zeros((30, 16))])
    with tf.GradientTape() as tape:
        hidden = encoder({"item_ids": np.array([[0, 0, 0], [0, 5, 9]])}, training=True)
        loss = tf.reduce_sum(hidden**2)
    assert not np.asarray(hidden)[0].any()
    for gradient in tape.gradient(loss, encoder.trainable_variables):
        assert np.isfinite(tf.convert_to_tensor(gradient)).all()


def test_drops_values_only_in_training(encoder):
    calm = encode(encoder, BATCH, training=False)
    np.testing.assert_array_equal(encode(encoder, BATCH), calm)
    assert np.abs(encode(encoder, BATCH, training=True) - calm).max() > 1e-3


def test_for_a_catalogue_and_config_round_trip(encoder):
    config = encoder.get_config()
    assert config.items() >= SETTINGS.items()
    assert BidirectionalEncoder.from_config(config).get_config() == config
    made = BidirectionalEncoder.for_catalogue(Catalogue(num_items=27), hidden_dim=8)
    assert made.item_vectors().shape == (27, 8)


def test_saved_recommender_gives_the_same_scores(encoder, tmp_path):
    model = SequentialRecommender(encoder, [SoftmaxCrossEntropy()])
    asked = encoder.ask_next({"item_ids": BATCH})
    scores = model(asked)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(asked), scores)
    assert loaded.encoder.task == encoder.task


def test_runs_in_a_saved_model(encoder, tmp_path):
    class Served(tf.Module):
        def __init__(self):
            self.encoder = encoder

        @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32)])
        def last(self, ids):
            return self.encoder(self.encoder.ask_next({"item_ids": ids}))[:, -1]

    served = Served()
    tf.saved_model.save(served, tmp_path / "served")
    loaded = tf.saved_model.load(tmp_path / "served")
    np.testing.assert_allclose(loaded.last(BATCH), served.last(BATCH), atol=1e-6)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_is_near_float32(encoder, dtype):
    half = build(relative_positions=encoder.relative_positions, dtype=dtype)
    assert half({"item_ids": BATCH}).dtype == dtype.removeprefix("mixed_")
    hidden = encode(half, BATCH)
    assert np.isfinite(hidden).all()
    np.testing.assert_allclose(hidden, encode(encoder, BATCH), atol=0.1)


@pytest.mark.parametrize("relative", [True, False])
def test_training_tells_masked_items(relative):
    """Users walk round a circle of twelve items: what is masked follows from both sides."""
    keras.utils.set_random_seed(0)
    encoder = BidirectionalEncoder(
        15,
        max_length=8,
        hidden_dim=16,
        num_blocks=1,
        dropout=0.0,
        initializer_stddev=0.2,
        relative_positions=relative,
        cloze_last=0.3,
    )
    model = SequentialRecommender(encoder, [SoftmaxCrossEntropy()])
    model.compile(keras.optimizers.Adam(0.02))
    starts = np.arange(48)[:, np.newaxis]
    ids = tf.constant(3 + (starts + np.arange(8)) % 12, tf.int32)

    def batch(step):
        inputs, targets = encoder.task.asked({"item_ids": ids}, ids, tf.stack([0, step]))
        return inputs | {"target_ids": targets}

    data = tf.data.Dataset.range(40).map(lambda step: batch(tf.cast(step, tf.int32)))
    losses = model.fit(data, epochs=8, shuffle=False, verbose=0).history["loss"]
    assert losses[-1] < 0.3 * losses[0]
    histories = ids.numpy()[:12, :7]
    scores = np.asarray(model({"item_ids": histories}))
    assert ((scores.argmax(axis=1) + 3) == ids.numpy()[:12, 7]).mean() > 0.9
