import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec import (
    CrossStreamEncoder,
    Interactions,
    SampledCrossEntropy,
    SelfAttentiveEncoder,
    SequentialRecommender,
)
from tf_iclrec.data.splits.leave_one_out import leave_one_out
from tf_iclrec.encoders.bidirectional import BidirectionalEncoder
from tf_iclrec.models.segment_pretrainer import SegmentPretrainer, mutual_information_loss
from tf_iclrec.models.segment_pretraining import SegmentPretraining
from tf_iclrec.settings import settings_of

NAMES = ("masked_ids", "context_ids", "segment_ids", "other_segment_ids")


@pytest.fixture(scope="module")
def log():
    """Half of the users walk round one circle of twelve items, half round another."""
    return Interactions.from_sequences(
        {
            f"user {u}": [f"{12 * (u % 2) + (u // 2 + step) % 12:02}" for step in range(9 + u % 4)]
            for u in range(48)
        }
    )


@pytest.fixture(scope="module")
def histories(log):
    return leave_one_out(log).train


def new_encoder(kind=SelfAttentiveEncoder, **settings):
    keras.utils.set_random_seed(0)
    defaults = {"max_length": 10, "hidden_dim": 16, "num_blocks": 1, "dropout": 0.0}
    return kind(27, **defaults | {"initializer_stddev": 0.2} | settings)


def sigmoid(value):
    return 1 / (1 + np.exp(-value))


def slow_loss(context, positive, negative, bilinear):
    """S3-Rec Eq. 12-13 and 16-17 with the positive and one negative under the sum."""
    fits, fits_not = (
        sigmoid(
            sum(
                context[i] * bilinear[i, j] * other[j]
                for i in range(len(context))
                for j in range(len(other))
            )
        )
        for other in (positive, negative)
    )
    return -(fits - np.log(np.exp(fits) + np.exp(fits_not)))


def test_loss_matches_slow_transcription():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(3, 7, 4)).astype("float32")
    bilinear = rng.normal(size=(4, 4)).astype("float32")
    losses = mutual_information_loss(*rows, bilinear)
    expected = [slow_loss(*row, bilinear) for row in rows.swapaxes(0, 1)]
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


def test_loss_by_hand():
    # f is 3/4 of the one and 1/4 of the other: ln(1 + exp(-1/2)).
    context, other = np.array([[1.0, 0.0]]), np.array([[5.0, np.log(3)]])
    bilinear = np.array([[0.0, 1.0], [0.0, 0.0]])
    (loss,) = mutual_information_loss(context, other, -other, bilinear)
    assert float(loss) == pytest.approx(np.log(1 + np.exp(-0.5)))


@pytest.fixture(scope="module", params=["one stream", "two streams"])
def pretrainer(request):
    encoder = (
        new_encoder()
        if request.param == "one stream"
        else new_encoder(CrossStreamEncoder, provider_vocabulary_size=9)
    )
    model = SegmentPretrainer(encoder, item_weight=0.7, segment_weight=0.3)
    model.build()
    rng = np.random.default_rng(0)
    for weight in model.trainable_variables:
        weight.assign_add(rng.normal(scale=0.3, size=weight.shape))
    for bilinear in (model.item_bilinear, model.segment_bilinear):
        # Small, so that no sigmoid is at its end.
        bilinear.assign(rng.normal(scale=0.03, size=bilinear.shape))
    return model


@pytest.fixture
def batch(histories):
    return next(iter(SegmentPretraining(batch_size=12).batches(histories, 24, max_length=10)))


def test_losses_are_those_of_the_states_at_masks_and_ends(pretrainer, batch):
    encoder = pretrainer.encoder

    def states(name):
        of_streams = encoder.encode_both_sides({"item_ids": batch[name]})
        return np.concatenate(keras.tree.flatten(of_streams), axis=-1)

    of_items, of_segments = pretrainer.losses_of(batch)
    masked, context, segment, other = (states(name) for name in NAMES)
    item_bilinear = np.asarray(pretrainer.item_bilinear)
    expected = [
        slow_loss(
            masked[row, place],
            *(
                np.asarray(encoder.item_vectors(batch[name][row, place]))
                for name in ("target_ids", "negative_ids")
            ),
            item_bilinear,
        )
        for row, place in np.argwhere(batch["target_ids"] != 0)
    ]
    np.testing.assert_allclose(of_items, expected, rtol=2e-4)
    segment_bilinear = np.asarray(pretrainer.segment_bilinear)
    expected = [
        slow_loss(context[row, -1], segment[row, -1], other[row, -1], segment_bilinear)
        for row in range(12)
    ]
    np.testing.assert_allclose(of_segments, expected, rtol=2e-4)
    assert np.std(of_items) > 1e-3
    assert np.std(of_segments) > 1e-3


def test_a_step_reports_means_and_minimises_the_weighted_sums_by_sequence(pretrainer, batch):
    of_items, of_segments = (np.asarray(losses) for losses in pretrainer.losses_of(batch))
    pretrainer.compile(keras.optimizers.SGD(0.0), run_eagerly=True)
    data = tf.data.Dataset.from_tensors(batch)
    history = pretrainer.fit(data, epochs=1, shuffle=False, verbose=0).history
    assert history["masked_item"][0] == pytest.approx(of_items.mean(), rel=1e-4)
    assert history["segment"][0] == pytest.approx(of_segments.mean(), rel=1e-4)
    expected = (0.7 * of_items.sum() + 0.3 * of_segments.sum()) / 12
    assert history["loss"][0] == pytest.approx(expected, rel=1e-4)


def test_users_are_handed_to_encoders_that_read_them(batch):
    class Personal(SelfAttentiveEncoder):
        reads = ("items", "users")

        def encode_both_sides(self, inputs, training=False):
            assert inputs["users"].shape[0] == inputs["item_ids"].shape[0]
            self.seen_users = inputs["users"]
            return super().encode_both_sides(inputs, training)

    model = SegmentPretrainer(new_encoder(Personal))
    model.build()
    model.losses_of(batch)
    users = np.tile(batch["users"], 4)
    np.testing.assert_array_equal(model.encoder.seen_users, users)


@pytest.fixture(scope="module")
def pretrained(histories):
    pretraining = SegmentPretraining(epochs=6, batch_size=32, learning_rate=0.01)
    model = pretraining.model(new_encoder())
    data = pretraining.batches(histories, 24, max_length=10)
    return model, model.fit(data, epochs=6, shuffle=False, verbose=0).history


def test_pre_training_lowers_both_losses(pretrained):
    _, history = pretrained
    # Nothing known costs ln 2 = 0.69; the least that there can be is 0.31.
    assert history["masked_item"][0] > history["masked_item"][-1] + 0.05
    assert history["segment"][0] > history["segment"][-1] + 0.05
    assert history["masked_item"][-1] < 0.5
    assert history["segment"][-1] < 0.55


def test_the_same_encoder_is_then_trained_for_the_next_item(pretrained):
    model, _ = pretrained
    before = [weight.copy() for weight in model.encoder.get_weights()]
    recommender = SequentialRecommender(model.encoder, [SampledCrossEntropy()])
    recommender.build()
    for weight, pretrained_weight in zip(model.encoder.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, pretrained_weight)
    bilinear = {"item_bilinear", "segment_bilinear"}
    assert not bilinear & {weight.name for weight in recommender.trainable_variables}


def test_goes_with_a_bidirectional_encoder_and_mixed_precision(histories):
    pretraining = SegmentPretraining(batch_size=64, prefixes=False)
    encoder = new_encoder(BidirectionalEncoder, dtype="mixed_bfloat16")
    data = pretraining.batches(histories, 24, max_length=10)
    history = pretraining.model(encoder).fit(data, shuffle=False, verbose=0).history
    assert np.isfinite(history["loss"]).all()


def test_an_interrupted_pre_training_goes_on_as_if_it_had_not_been(histories, tmp_path):
    pretraining = SegmentPretraining(batch_size=64, prefixes=False)

    def train(model, epoch):
        model.run_eagerly = True  # A step takes less than a graph of it.
        data = pretraining.batches(histories, 24, 10, seed=3, first_epoch=epoch)
        model.fit(data, initial_epoch=epoch, epochs=epoch + 1, shuffle=False, verbose=0)

    whole = pretraining.model(new_encoder())
    train(whole, epoch=0)
    whole.save_weights(tmp_path / "one.weights.h5")
    train(whole, epoch=1)
    continued = pretraining.model(new_encoder(initializer_stddev=0.1))
    continued.load_weights(tmp_path / "one.weights.h5")
    train(continued, epoch=1)
    assert int(continued.optimizer.iterations) == int(whole.optimizer.iterations) == 2
    for one, other in zip(continued.variables, whole.variables, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_saved_model_has_the_same_losses(pretrainer, batch, tmp_path):
    pretrainer.save(tmp_path / "pretrainer.keras")
    loaded = keras.saving.load_model(tmp_path / "pretrainer.keras")
    assert (loaded.item_weight, loaded.segment_weight) == (0.7, 0.3)
    for one, other in zip(loaded.losses_of(batch), pretrainer.losses_of(batch), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_settings_are_those_of_the_paper():
    declared = settings_of(SegmentPretraining).values()
    assert {one.option("x_"): one.default for one in declared} == {
        "pretraining_epochs": 100,
        "pretraining_batch_size": 200,
        "pretraining_learning_rate": 1e-3,
        "pretraining_mask_ratio": 0.2,
        "masked_item_weight": 1.0,
        "segment_weight": 0.5,
        "pretraining_prefixes": True,
    }
    model = SegmentPretraining(item_weight=0.3, learning_rate=0.02).model(new_encoder())
    assert (model.item_weight, model.segment_weight) == (0.3, 0.5)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.02)
