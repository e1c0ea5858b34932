"""What holds for every encoder.

A line in `ENCODERS` is all it takes to be tested here: with the default settings, and with embedded
positions where there is a choice; with all that the encoder reads, and without users as well. The
tables below name further settings to test, and where an encoder's arithmetic or idea asks for
something else, with the reason.
"""

import dataclasses
import functools
import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec import SequentialRecommender, SoftmaxCrossEntropy
from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.data.item_attributes import ItemAttribute, special_ids_and
from tf_iclrec.data.tasks import Cloze, OwnItems
from tf_iclrec.data.vocabulary import Vocabulary
from tf_iclrec.encoders.encoder import Encoder
from tf_iclrec.encoders.registry import ENCODERS
from tf_iclrec.objectives.intent_contrast import IntentContrast
from tf_iclrec.objectives.registry import NEXT_ITEM_LOSSES
from tf_iclrec.objectives.sequence_contrast import SequenceContrast
from tf_iclrec.settings import settings_of

# Settings to test beside the default ones.
VARIANTS = {
    "gru": [{"num_layers": 2, "gru_dim": 12}],
    "convolutional": [{"window": 3}],
    "session_graph": [{"num_steps": 2}, {"num_steps": 3}],
    "hstu": [{"num_heads": 2}],
}
# How far states may lie apart that ought to be equal: what rounding does to states of their size.
ROUNDING = {"gru": 1e-6, "matrix_factorization": 1e-6, "cross_stream": 3e-6, "hstu": 5e-6}
# The same between bfloat16 and float32.
HALF_ROUNDING = {
    **{"gru": 0.02, "matrix_factorization": 0.005},
    **{"cross_stream": 0.1, "disentangled": 0.1, "hstu": 0.15},
}
# Weights, by the ends of their paths, that a softmax over the next items has no gradient for.
WITHOUT_GRADIENT = {
    "disentangled": (
        # Only `FutureContrast` reads a user's future.
        "future_intent_bias",
        # Of a shift that all intents share, the softmax over them sees nothing.
        "prototype_norm/beta",
    ),
}

ITEMS = [5, 9, 4, 9]
BATCH = np.array([[0, 0, *ITEMS], [*ITEMS, 0, 0], [7, 8, *ITEMS], [0, *ITEMS, 0]], dtype="int32")
REAL = BATCH != 0
NUMBERS = np.arange(27)
PROVIDERS, OTHER_PROVIDERS = (special_ids_and(3 + (k * NUMBERS + 1) % 9) for k in (5, 4))
CATALOGUE = Catalogue(
    num_items=27,
    num_users=4,
    providers=ItemAttribute(Vocabulary([*"abcdefghi"]), PROVIDERS),
    attributes={
        "category": ItemAttribute(Vocabulary([*"abcde"]), special_ids_and(3 + NUMBERS % 5))
    },
)
# Two that are known, one who is no row of the log, and an unknown one.
USERS = np.array([2, 0, 4, -1], dtype="int32")


@dataclasses.dataclass(frozen=True)
class Case:
    """An encoder by name, its settings, and whether it is called with items alone or with all that
    it reads: with users, and with providers that are others than those of the items."""

    name: str
    settings: tuple[tuple[str, object], ...] = ()
    alone: bool = False

    def __str__(self):
        settings = [f"{name}={value}" for name, value in self.settings]
        return "-".join([self.name, *settings, *(["items_alone"] if self.alone else [])])

    @property
    def encoder(self):
        return encoder_of(self.name, self.settings)

    @property
    def atol(self):
        return ROUNDING.get(self.name, 2e-6)

    def inputs(self, ids, first_user=0):
        """Sequences as the encoder reads them; the users take turns."""
        inputs = {"item_ids": np.atleast_2d(np.asarray(ids, dtype="int32"))}
        reads = () if self.alone else ENCODERS[self.name].reads
        if "users" in reads:
            inputs["users"] = np.resize(np.roll(USERS, -first_user), len(inputs["item_ids"]))
        if "providers" in reads:
            inputs["provider_ids"] = OTHER_PROVIDERS[inputs["item_ids"]]
        return inputs

    def encode(self, ids, first_user=0, encoder=None, **kwargs):
        """Hidden states ``(streams, batch, time, dim)`` float32."""
        states = (encoder or self.encoder)(self.inputs(ids, first_user), **kwargs)
        return np.stack([np.asarray(one).astype("float32") for one in keras.tree.flatten(states)])

    @functools.cache  # noqa: B019
    def encoded_batch(self):
        return self.encode(BATCH)

    @functools.cache  # noqa: B019
    def encoded_items(self):
        """One sequence without padding, of each user."""
        return self.encode([ITEMS] * len(USERS))

    def follows(self, rows):
        """``(rows,)``, whether states depend on the items at all: not those of users whose vectors
        are learned in place of a sequence's."""
        if self.alone or not isinstance(self.encoder.task, OwnItems):
            return np.full(rows, True)
        return np.resize((USERS < 0) | (CATALOGUE.num_users <= USERS), rows)


def new_encoder(name, settings, dtype="float32"):
    """An encoder whose every weight matters: position tables, biases and norms included."""
    keras.utils.set_random_seed(0)
    given = {"hidden_dim": 16, "dropout": 0.5, "max_length": 8, "dtype": dtype} | dict(settings)
    encoder = ENCODERS[name].for_catalogue(CATALOGUE, **given)
    rng = np.random.default_rng(0)
    for weight in encoder.trainable_variables:
        weight.assign_add(rng.normal(scale=0.2, size=weight.shape))
    return encoder


@functools.cache
def encoder_of(name, settings=(), dtype="float32"):
    """The same for all tests, which leave its weights as they are."""
    return new_encoder(name, settings, dtype)


def variants(name):
    positions = "relative_positions" in settings_of(ENCODERS[name])
    found = [{}, *([{"relative_positions": False}] if positions else []), *VARIANTS.get(name, [])]
    return [Case(name, tuple(settings.items())) for settings in found]


def ways(variant, without=("users",)):
    """The variant with all that it reads, and with items alone where one of these is missing then.
    Providers are looked up, so that mostly needs no further test."""
    reads = set(ENCODERS[variant.name].reads).intersection(without)
    return [variant, *([dataclasses.replace(variant, alone=True)] if reads else [])]


EACH_VARIANT = [variant for name in ENCODERS for variant in variants(name)]
in_each_case = pytest.mark.parametrize(
    "case", [case for variant in EACH_VARIANT for case in ways(variant)], ids=str
)
in_each_variant = pytest.mark.parametrize("variant", EACH_VARIANT, ids=str)
of_each_name = pytest.mark.parametrize("name", ENCODERS)


@pytest.fixture
def trained(variant):
    """The variant's encoder, which has its weights back after the test."""
    weights = variant.encoder.get_weights()
    yield variant.encoder
    variant.encoder.set_weights(weights)


def skip_if_it_looks_ahead(case):
    if isinstance(case.encoder.task, Cloze):
        pytest.skip("masked items are asked for from both sides, so all positions see all others")


@in_each_case
def test_gives_states_that_are_zero_at_padding(case):
    encoder, states = case.encoder, case.encoded_batch()
    assert len(states) == encoder.num_streams
    assert encoder.state_dim == encoder.num_queries * encoder.output_dim
    assert states.shape[1:] == (*BATCH.shape, encoder.state_dim // encoder.num_streams)
    assert not states[:, ~REAL].any()
    assert (np.abs(states[:, REAL]).max(axis=-1) > 0.1).all()


@in_each_case
def test_padding_never_changes_a_real_position(case):
    for sides in ([(4, 0), (0, 4), (1, 3), (2, 2)], [(1, 0), (0, 1)]):
        ids = [[0] * left + ITEMS + [0] * right for left, right in sides for _ in USERS]
        states = case.encode(ids)
        assert not states[:, np.array(ids) == 0].any()
        for row in range(len(ids)):
            real = states[:, row, np.array(ids[row]) != 0]
            expected = case.encoded_items()[:, row % len(USERS)]
            np.testing.assert_allclose(real, expected, rtol=0, atol=case.atol)


@in_each_case
def test_other_rows_of_the_batch_change_nothing(case):
    for row, ids in enumerate(BATCH):
        alone = case.encode(ids, first_user=row)[:, 0]
        np.testing.assert_allclose(case.encoded_batch()[:, row], alone, rtol=0, atol=case.atol)


@in_each_case
def test_a_later_item_never_changes_an_earlier_state(case):
    """But each state from there on, as far as a window reaches that ends there."""
    skip_if_it_looks_ahead(case)
    place = np.repeat(np.arange(4), len(USERS))[:, np.newaxis]
    changed = case.encode(np.where(np.arange(4) == place, 20, ITEMS))
    difference = np.abs(changed - np.tile(case.encoded_items(), (1, 4, 1, 1))).max(axis=-1)
    steps = np.arange(4) - place
    assert (difference[:, steps < 0] <= 1e-6).all()
    seen = (steps >= 0) & (steps < getattr(case.encoder, "window", 4))
    seen &= case.follows(len(place))[:, np.newaxis]
    assert ((difference > 1e-2) == seen).all()


@in_each_case
def test_a_place_is_encoded_as_the_prefix_that_ends_there(case):
    """So training at all places is training on all prefixes. Positions counted from the end of
    the sequence differ between the two."""
    skip_if_it_looks_ahead(case)
    for length in range(1, 4):
        place = case.encoded_items()[:, :, length - 1]
        prefix = case.encode([ITEMS[:length]] * len(USERS))[:, :, -1]
        if getattr(case.encoder, "relative_positions", True):
            np.testing.assert_allclose(place, prefix, rtol=0, atol=case.atol)
        else:
            assert (np.abs(place - prefix).max(axis=-1) > 1e-2).all()


@in_each_case
def test_the_order_of_earlier_items_matters(case):
    """Unless the task is to tell a user's items, whatever their order."""
    states = case.encode([[5, 9, 4]] * 4 + [[9, 5, 4]] * 4)[:, :, -1]
    difference = np.abs(states[:, :4] - states[:, 4:]).max(axis=-1)
    if isinstance(case.encoder.task, OwnItems):
        assert (difference <= case.atol).all()
    else:
        assert (difference > 1e-2).all()


@in_each_case
def test_accepts_one_item_and_sequences_of_the_full_length(case):
    assert case.encoder.max_length == 8
    for items in ([3], range(3, 11)):
        states = case.encode([[*items]] * 4)
        assert np.isfinite(states).all()
        assert (np.abs(states).max(axis=-1) > 1e-2).all()


@in_each_case
def test_padding_gets_no_gradient_and_every_real_item_does(case):
    encoder, inputs = case.encoder, case.inputs(BATCH)
    tables = {"item_ids": encoder.item_embedding}
    if "provider_ids" in inputs:
        tables["provider_ids"] = encoder.value_embeddings[0]
    with tf.GradientTape() as tape:
        states, *_ = keras.tree.flatten(encoder(inputs))
        loss = tf.reduce_sum(states * np.random.default_rng(1).normal(size=states.shape))
    variables = {name: table.embeddings.value for name, table in tables.items()}
    for name, gradient in tape.gradient(loss, variables).items():
        gradient = np.asarray(tf.convert_to_tensor(gradient))
        assert np.isfinite(gradient).all()
        assert not gradient[0].any()
        ids = inputs[name][case.follows(len(BATCH))]
        assert gradient[np.unique(ids[ids > 0])].any(axis=1).all()


@in_each_variant
@pytest.mark.parametrize("tables", ["drawn", "zero"])
def test_a_row_of_padding_has_finite_states_and_gradients(variant, trained, tables):
    """Also where tables are zero, as published weights have it for the padding id."""
    for weight in trained.trainable_variables:
        if tables == "zero" and weight.name in ("embeddings", "table"):
            weight.assign(np.zeros(weight.shape))
    for case in ways(variant):
        for ids in ([[0, 0, 0], [0, 5, 9]], [[0, 0, 0]])[: 1 + (tables == "drawn")]:
            with tf.GradientTape() as tape:
                streams = keras.tree.flatten(trained(case.inputs(ids), training=True))
                loss = tf.add_n([tf.reduce_sum(stream**2) for stream in streams])
            for stream in streams:
                assert np.isfinite(stream).all()
                assert not np.asarray(stream)[0].any()
            for gradient in tape.gradient(loss, trained.trainable_variables):
                # Some weights take no part: of users if none is named, and of the output.
                assert gradient is None or np.isfinite(tf.convert_to_tensor(gradient)).all()


@in_each_case
def test_drops_values_only_in_training(case):
    np.testing.assert_array_equal(case.encode(BATCH, training=False), case.encoded_batch())
    dropped = np.abs(case.encode(BATCH, training=True) - case.encoded_batch()).max(axis=(2, 3))
    if case.alone and isinstance(case.encoder.task, OwnItems):
        assert not dropped.any()  # Only vectors of users are dropped from.
    else:
        assert (dropped > 1e-2).all()


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
@in_each_case
def test_mixed_precision_is_near_float32(case, dtype):
    half = encoder_of(case.name, case.settings, dtype)
    streams = keras.tree.flatten(half(case.inputs(BATCH)))
    assert {stream.dtype.name for stream in streams} == {dtype.removeprefix("mixed_")}
    atol = HALF_ROUNDING.get(case.name, 0.05)
    if dtype == "mixed_float16":
        atol /= 4  # It has three bits more.
    for stream, expected in zip(streams, case.encoded_batch(), strict=True):
        stream = np.asarray(stream).astype("float32")
        np.testing.assert_allclose(stream, expected, rtol=0, atol=atol)
    assert half.item_vectors().dtype == "float32"
    assert half.item_vectors(np.array([5])).dtype == streams[0].dtype


@of_each_name
def test_item_vectors_are_those_of_the_catalogue(name):
    encoder = Case(name).encoder
    vectors = np.asarray(encoder.item_vectors())
    assert vectors.shape == (27, encoder.output_dim)
    assert vectors.dtype == "float32"
    np.testing.assert_array_equal(encoder.item_vectors(np.array([[3, 29]])), vectors[[[0, 26]]])


@of_each_name
def test_every_argument_comes_back_from_the_config(name):
    kind, given = ENCODERS[name], {}
    for owner in kind.__mro__[: kind.__mro__.index(Encoder) + 1]:
        for parameter in inspect.signature(owner).parameters.values():
            if (
                parameter.kind is parameter.POSITIONAL_OR_KEYWORD
                or parameter.kind is parameter.KEYWORD_ONLY
            ):
                given.setdefault(parameter.name, another_value(parameter.default))
    assert given.keys() >= settings_of(kind).keys()
    config = kind(**given).get_config()
    assert config.items() >= given.items()
    assert kind.from_config(config).get_config() == config


def another_value(default):
    """What an argument can be as well as this default."""
    if default is None or default is inspect.Parameter.empty:
        return 24
    other = {bool: lambda: not default, int: lambda: default + 2, float: lambda: default / 2}
    return other.get(type(default), lambda: (*default, 8))()


@in_each_variant
def test_is_a_layer_of_a_functional_model(variant):
    inputs = {"item_ids": keras.Input((None,), dtype="int32", name="item_ids")}
    states = variant.encoder(inputs)
    width = variant.encoder.state_dim // variant.encoder.num_streams
    assert {one.shape for one in keras.tree.flatten(states)} == {(None, None, width)}
    found = np.stack(keras.tree.flatten(keras.Model(inputs, states)({"item_ids": BATCH})))
    alone = ways(variant, without=("users", "providers"))[-1]
    np.testing.assert_array_equal(found, alone.encoded_batch())


@in_each_variant
def test_saved_and_loaded_it_gives_the_same(variant, tmp_path):
    model = SequentialRecommender(variant.encoder, [SoftmaxCrossEntropy()])
    model.build()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    task = loaded.encoder.task
    assert (type(task), vars(task)) == (type(model.encoder.task), vars(model.encoder.task))
    # What is known of the items is saved with the encoder.
    for case in ways(variant, without=("users", "providers")):
        inputs = case.inputs(BATCH)
        np.testing.assert_array_equal(loaded(inputs), model(inputs))
        states = case.encode(BATCH, encoder=loaded.encoder)
        np.testing.assert_array_equal(states, case.encoded_batch())


SERVED = [
    *(case for name in ENCODERS for case in ways(Case(name))),
    # A layer that the default has not.
    *variants("gru")[1:],
    # With its mask it may be longer than the table of positions.
    *variants("bidirectional")[1:],
]


@pytest.mark.parametrize("case", SERVED, ids=str)
def test_runs_in_a_saved_model(case, tmp_path):
    encoder = case.encoder
    specs = {
        name: tf.TensorSpec([None] * value.ndim, tf.int32)
        for name, value in case.inputs(BATCH).items()
    }

    def encode(inputs):
        return keras.tree.flatten(encoder(encoder.ask_next(inputs)))

    served = tf.Module()
    served.encoder = encoder
    served.encode = tf.function(encode, input_signature=[specs], autograph=False)
    tf.saved_model.save(served, tmp_path / "served")
    loaded = tf.saved_model.load(tmp_path / "served")
    for ids in (BATCH, BATCH[:1, :3]):
        inputs = case.inputs(ids)
        for one, other in zip(loaded.encode(inputs), encode(inputs), strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=case.atol)


def training_batch(case):
    """What a step of any training reads: each real position has a target."""
    inputs = {name: tf.constant(value) for name, value in case.inputs(BATCH).items()}
    streams = {name: ids for name, ids in inputs.items() if name != "users"}
    targets = tf.constant(np.where(REAL, BATCH % 27 + 3, 0), tf.int32)
    streams, targets = case.encoder.task.asked(streams, targets, tf.constant([0, 1]))
    views = {f"view_{name}": tf.stack([ids, ids[:, ::-1]], axis=1) for name, ids in streams.items()}
    return (
        inputs
        | streams
        | views
        | {
            "target_ids": targets,
            "negative_ids": tf.where(targets > 0, (targets + 4) % 27 + 3, 0),
            "sampled_ids": tf.constant([4, 11, 20, 29, 11]),
            "sampled_log_probabilities": tf.constant([-2.0, -1.0, -3.0, -2.0, -1.0]),
        }
    )


@in_each_variant
def test_a_softmax_loss_has_a_gradient_for_every_weight(variant, trained):
    model = SequentialRecommender(trained, [SoftmaxCrossEntropy()])
    model.compile(keras.optimizers.SGD(1.0), jit_compile=False)
    model.build_optimizer()
    before = {weight.path: weight.numpy() for weight in trained.trainable_variables}
    model.train_step(training_batch(variant))
    exceptions = WITHOUT_GRADIENT.get(variant.name, ())
    for weight in trained.trainable_variables:
        moved = np.abs(weight.numpy() - before[weight.path]).max() > 1e-6
        assert moved == (not weight.path.endswith(exceptions)), weight.path


@of_each_name
def test_trains_with_each_loss_and_contrasts(name):
    variant = variants(name)[0]
    encoder, batch = new_encoder(name, variant.settings), training_batch(variant)
    centroids = np.random.default_rng(2).normal(size=(2, encoder.state_dim))
    scores = []
    for loss in NEXT_ITEM_LOSSES.values():
        terms = [loss(), IntentContrast(), SequenceContrast()]
        model = SequentialRecommender(encoder, terms, num_intents=(2,))
        model.intents.update([centroids])
        model.compile(keras.optimizers.SGD(0.01), jit_compile=False)
        model.build_optimizer()
        values = model.train_step(batch)
        assert values.keys() == {"loss", "next_item", "intent_contrast", "sequence_contrast"}
        assert all(np.isfinite(value) and value > 0 for value in values.values())
        scores.append(model(variant.inputs(BATCH)).numpy())
    assert np.isfinite(scores).all()
    assert (np.abs(np.diff(scores, axis=0)).max(axis=(1, 2)) > 1e-5).all()


@of_each_name
def test_learns_in_a_graph(name):
    """By the settings that have most to learn."""
    variant = variants(name)[-1]
    encoder = new_encoder(name, variant.settings)
    model = SequentialRecommender(encoder, [SoftmaxCrossEntropy()])
    model.compile(keras.optimizers.SGD(0.1), jit_compile=False)
    model.build_optimizer()
    step, batch = tf.function(model.train_step, autograph=False), training_batch(variant)
    losses = []
    for _ in range(20):
        model.reset_metrics()
        losses.append(float(step(batch)["loss"]))
    print("LOSS", name, np.round(losses, 2))
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
