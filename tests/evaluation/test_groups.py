import numpy as np
import pytest

from tf_iclrec import Interactions, leave_one_out
from tf_iclrec.evaluation.groups import MOSTLY_KNOWN, MOSTLY_UNKNOWN, provider_coverage_groups


@pytest.mark.parametrize(
    ("part", "expected"),
    [("test", [True, True, False, True]), ("valid", [True, False, True, True])],
)
def test_by_hand(part, expected):
    # Capitals have a provider.
    sequences = {"all": "ABCD", "half at last": "xyABz", "half at first": "AxyB", "short": "Axy"}
    log = Interactions.from_sequences(sequences)
    log = log.with_item_providers(dict.fromkeys("ABCD", "acme"))
    groups = provider_coverage_groups(leave_one_out(log), part)
    assert list(groups) == [MOSTLY_KNOWN, MOSTLY_UNKNOWN]
    assert groups[MOSTLY_KNOWN].tolist() == expected
    assert groups[MOSTLY_UNKNOWN].tolist() == [not known for known in expected]


@pytest.mark.parametrize(("part", "held_out"), [("valid", 2), ("test", 1)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_agrees_with_counting_on_random_data(seed, part, held_out):
    rng = np.random.default_rng(seed)
    sequences = {
        f"u{user}": [f"i{item}" for item in rng.integers(50, size=length)]
        for user, length in enumerate(rng.integers(3, 12, size=80))
    }
    table = {f"i{item}": "acme" if item < 25 else "" for item in range(40)}
    log = Interactions.from_sequences(sequences).with_item_providers(table)
    expected = []
    for items in sequences.values():
        visible = items[:-held_out]
        known = [item for item in visible if table.get(item)]
        expected.append(2 * len(known) >= len(visible))
    assert 10 < sum(expected) < 70
    groups = provider_coverage_groups(leave_one_out(log), part)
    assert groups[MOSTLY_KNOWN].tolist() == expected


def test_log_without_providers_has_no_groups():
    split = leave_one_out(Interactions.from_sequences({"a": "xyz"}))
    assert provider_coverage_groups(split, "test") == {}
