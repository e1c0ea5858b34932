import keras
import numpy as np
import pytest

from tf_iclrec import EnsembleEncoder, SelfAttentiveEncoder, SingleStreamEncoder
from tf_iclrec.encoders.bidirectional import BidirectionalEncoder
from tf_iclrec.encoders.convolutional import ConvolutionalEncoder
from tf_iclrec.encoders.disentangled import DisentangledEncoder
from tf_iclrec.encoders.gru import GruEncoder

IDS = np.array([[0, 5, 9], [4, 7, 8]], dtype="int32")


def member(hidden_dim=8, max_length=6):
    return SelfAttentiveEncoder(20, max_length, hidden_dim=hidden_dim)


@pytest.fixture
def ensemble():
    keras.utils.set_random_seed(0)
    return EnsembleEncoder([member(), member(hidden_dim=4, max_length=5)])


def test_states_of_the_members_are_side_by_side(ensemble):
    states = np.asarray(ensemble({"item_ids": IDS}))
    assert states.shape == (2, 3, 12)
    assert (ensemble.output_dim, ensemble.max_length, ensemble.num_streams) == (12, 5, 1)
    wide, narrow = ensemble.encoders
    np.testing.assert_allclose(states[..., :8], wide({"item_ids": IDS}), rtol=1e-6)
    np.testing.assert_allclose(states[..., 8:], narrow({"item_ids": IDS}), rtol=1e-6)


def test_each_stream_of_the_members_is_side_by_side():
    members = [SingleStreamEncoder(20, 9, 6, hidden_dim=4) for _ in range(2)]
    ensemble = EnsembleEncoder(members)
    items, providers = ensemble({"item_ids": IDS})
    assert items.shape == providers.shape == (2, 3, 8)
    first_items, first_providers = members[0]({"item_ids": IDS})
    np.testing.assert_allclose(items[..., :4], first_items, rtol=1e-6)
    np.testing.assert_allclose(providers[..., :4], first_providers, rtol=1e-6)
    assert (ensemble.output_dim, ensemble.num_streams) == (16, 2)


def test_members_start_differently(ensemble):
    keras.utils.set_random_seed(0)
    first, second = EnsembleEncoder([member(), member()]).encoders
    first.build()
    second.build()
    tables = [np.asarray(one.item_embedding.embeddings) for one in (first, second)]
    assert abs(np.corrcoef(tables[0].ravel(), tables[1].ravel())[0, 1]) < 0.3


def test_config_round_trip(ensemble):
    again = EnsembleEncoder.from_config(ensemble.get_config())
    assert [one.hidden_dim for one in again.encoders] == [8, 4]
    ensemble.build()
    again.build()
    again.set_weights(ensemble.get_weights())
    np.testing.assert_array_equal(again({"item_ids": IDS}), ensemble({"item_ids": IDS}))


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (lambda: SingleStreamEncoder(20, 9, 6, hidden_dim=4), "num_streams"),
        # Trained for the next item, it would see it.
        (lambda: BidirectionalEncoder(20, 6, hidden_dim=4), "task"),
        (lambda: BidirectionalEncoder(20, 6, hidden_dim=4, cloze_ratio=0.5), "task"),
        (lambda: DisentangledEncoder(20, 6, hidden_dim=4), "num_queries"),
    ],
)
def test_members_go_together(other, what):
    with pytest.raises(ValueError, match=f"members of an ensemble differ in their {what}"):
        EnsembleEncoder([member(), other()])


def test_there_are_members():
    with pytest.raises(ValueError, match="needs members"):
        EnsembleEncoder([])


def test_it_reads_what_any_member_reads():
    gru, caser = GruEncoder(20), ConvolutionalEncoder(20, num_users=9)
    assert EnsembleEncoder([gru, caser]).reads == ("items", "users")
    assert not EnsembleEncoder([gru, caser]).users_suffice
