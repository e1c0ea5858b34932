import numpy as np
import pytest

from tf_iclrec import Vocabulary


def test_internal_ids_start_at_three_in_the_given_order():
    encoded = Vocabulary(["tea", "jam", "ale"]).encode(["ale", "tea", "jam", "tea"])
    assert encoded.tolist() == [5, 3, 4, 3]
    assert encoded.dtype == np.int32


def test_size_counts_padding_unknown_and_mask():
    vocabulary = Vocabulary(["tea", "jam"])
    assert (len(vocabulary), vocabulary.size) == (2, 5)


@pytest.mark.parametrize("stranger", ["beer", "", "TEA", "tea ", "3"])
def test_unknown_raw_id_becomes_one(stranger):
    assert Vocabulary(["tea", "jam"]).encode([stranger, "jam"]).tolist() == [1, 4]


def test_decode_undoes_encode():
    raw = [f"item-{i}" for i in np.random.default_rng(0).permutation(1000)]
    vocabulary = Vocabulary(sorted(raw))
    assert vocabulary.decode(vocabulary.encode(raw)).tolist() == raw


@pytest.mark.parametrize("special", [0, 1, 2])
def test_special_ids_have_no_raw_form(special):
    with pytest.raises(ValueError, match="no raw form"):
        Vocabulary(["tea"]).decode([3, special])


def test_nothing_encodes_and_decodes_to_nothing():
    vocabulary = Vocabulary(["tea"])
    assert vocabulary.encode([]).tolist() == []
    assert vocabulary.decode([]).tolist() == []


def test_repeated_id_is_named():
    with pytest.raises(ValueError, match="'jam' occurs more than once"):
        Vocabulary(["tea", "jam", "ale", "jam"])
