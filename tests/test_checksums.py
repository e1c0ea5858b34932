import contextlib
import json
import re

import pytest

from tf_iclrec.checksums import (
    DamagedError,
    _digest_of,
    check_files,
    digest,
    read_sealed,
    resealed,
    write_sealed,
)


@pytest.fixture
def sealed(tmp_path):
    (tmp_path / "weights").write_bytes(b"abc")
    write_sealed(tmp_path / "state.json", {"epoch": 3}, ["weights"])
    return tmp_path / "state.json"


def test_what_was_written_reads_back(sealed):
    assert read_sealed(sealed) == {"epoch": 3}


def test_the_digest_is_that_of_the_standard(sealed):
    """FIPS 180-4's example."""
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert digest(sealed.with_name("weights")) == expected


def test_every_flipped_bit_is_found(sealed):
    content = sealed.read_bytes()
    for place in range(len(content)):
        for bit in (1, 32, 128):
            changed = bytearray(content)
            changed[place] ^= bit
            sealed.write_bytes(changed)
            try:
                # Spaces and line ends that became others say the same.
                assert read_sealed(sealed) == {"epoch": 3}
                assert content[place : place + 1].isspace()
            except DamagedError as error:
                assert str(sealed) in str(error)  # noqa: PT017


def test_a_changed_or_missing_file_is_found_where_it_is_looked_at(sealed):
    weights = sealed.with_name("weights")
    weights.write_bytes(b"abd")
    with pytest.raises(DamagedError, match=r"weights is damaged: it is not as it was written"):
        read_sealed(sealed)
    assert read_sealed(sealed, files=()) == {"epoch": 3}
    weights.unlink()
    with pytest.raises(DamagedError, match=r"weights can't be read: No such file"):
        read_sealed(sealed)


def test_only_files_with_a_digest_are_known_to_be_as_they_were(sealed):
    assert check_files(sealed, {"weights", "notes"}) == {"weights"}
    assert check_files(sealed, {"notes"}) == set()
    sealed.with_name("weights").write_bytes(b"abd")
    assert check_files(sealed, {"notes"}) == set()
    with pytest.raises(DamagedError, match=r"weights is damaged: it is not as it was written"):
        check_files(sealed, {"weights", "notes"})


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname"])
def test_no_name_leads_out_of_the_folder(sealed, name):
    content = json.loads(sealed.read_text())
    content["files_sha256"] = {name: "0"}
    del content["sha256"]
    content["sha256"] = _digest_of(content)
    sealed.write_text(json.dumps(content))
    with pytest.raises(DamagedError, match=re.escape(f"names {name}, which lies elsewhere")):
        read_sealed(sealed)


@pytest.mark.parametrize("content", ["", "[]", "[" * 100_000, '{"epoch": 3', "\xff"])
def test_other_content_is_damage(sealed, content):
    sealed.write_text(content)
    with pytest.raises(DamagedError, match="is damaged"):
        read_sealed(sealed)
    sealed.unlink()
    with pytest.raises(DamagedError, match="is damaged"):
        read_sealed(sealed)


def test_a_file_that_is_written_anew_can_be_read_all_the_while(sealed):
    weights, other = sealed.with_name("weights"), sealed.with_name("other")
    other.write_bytes(b"xyz")
    write_sealed(sealed, {"epoch": 3}, ["other", "weights"])
    with contextlib.suppress(KeyboardInterrupt), resealed(sealed, "weights"):
        weights.write_bytes(b"abd")
        raise KeyboardInterrupt
    assert read_sealed(sealed) == {"epoch": 3}
    with resealed(sealed, "weights"):
        weights.write_bytes(b"abe")
    assert read_sealed(sealed) == {"epoch": 3}
    # What was damaged before stays so.
    other.write_bytes(b"xyy")
    with resealed(sealed, "weights"):
        weights.write_bytes(b"abf")
    with pytest.raises(DamagedError, match="other is damaged"):
        read_sealed(sealed)
    assert read_sealed(sealed, {"weights"}) == {"epoch": 3}
    weights.write_bytes(b"abg")
    with pytest.raises(DamagedError, match="weights is damaged"):
        read_sealed(sealed, {"weights"})
