import dataclasses
import math

import keras
import numpy as np
import pytest

from tf_iclrec.objectives.sequence_contrast import SequenceContrast, two_view_info_nce


def slow_loss(view_1, view_2, temperature=1.0, group_ids=None):
    """ICLRec Eq. 5-6, anchor by anchor; optionally without negatives of the own group."""
    rows = len(view_1)
    views = np.concatenate([view_1, view_2]).astype("float64")
    terms = []
    for anchor in range(2 * rows):
        positive = (anchor + rows) % (2 * rows)
        total = 0.0
        for other in range(2 * rows):
            same_group = group_ids is not None and (
                group_ids[anchor % rows] == group_ids[other % rows]
            )
            if other == positive or (other != anchor and not same_group):
                total += math.exp(views[anchor] @ views[other] / temperature)
        terms.append(math.log(total) - views[anchor] @ views[positive] / temperature)
    return sum(terms) / len(terms)


@pytest.mark.parametrize("temperature", [1.0, 0.5])
@pytest.mark.parametrize("group_ids", [None, [0, 1, 0, 2, 1, 0]])
def test_matches_slow_transcription(rng, temperature, group_ids):
    views = rng.normal(size=(2, 6, 4)).astype("float32")
    groups = None if group_ids is None else np.array(group_ids)
    loss = float(two_view_info_nce(*views, temperature, groups))
    assert loss == pytest.approx(slow_loss(*views, temperature, group_ids), rel=1e-5)


@pytest.mark.parametrize("temperature", [1.0, 0.5])
@pytest.mark.parametrize("grouped", [False, True])
def test_matches_the_published_program(shared, temperature, grouped):
    with np.load(shared / "golden" / "objectives" / "two_view_info_nce.npz") as golden:
        groups = golden["group_ids"] if grouped else None
        loss = two_view_info_nce(golden["view_1"], golden["view_2"], temperature, groups)
        expected = golden[f"loss_{'grouped_' if grouped else ''}t{temperature}"]
    np.testing.assert_allclose(loss, expected, rtol=1e-5, atol=1e-5)


def test_by_hand():
    # Both views of the first row are 1, of the second 0: the first picks its partner, with
    # similarity 1, beside two views of similarity 0, the second among three zeros.
    view = np.array([[1.0], [0.0]])
    expected = (math.log(2 + math.e) - 1 + math.log(3)) / 2
    assert float(two_view_info_nce(view, view)) == pytest.approx(expected)


def test_rows_of_one_group_are_no_negatives(rng):
    views = rng.normal(size=(2, 2, 4)).astype("float32")
    assert float(two_view_info_nce(*views, group_ids=np.array([7, 7]))) == pytest.approx(
        0, abs=1e-6
    )
    assert float(two_view_info_nce(*views)) > 0.1


@pytest.mark.parametrize("temperature", [1.0, 0.5])
@pytest.mark.parametrize("normalize", [False, True])
def test_objective_compares_flattened_views(encoded, temperature, normalize):
    views = encoded.view_hidden.reshape(2, 3, 12)
    if normalize:
        views = views / np.linalg.norm(views, axis=-1, keepdims=True)
    loss = float(SequenceContrast(temperature=temperature, normalize=normalize)(encoded))
    assert loss == pytest.approx(slow_loss(*views, temperature), rel=1e-5)


def test_mitigation_takes_groups_from_the_first_intents(encoded):
    views = encoded.view_hidden.reshape(2, 3, 12)
    loss = float(SequenceContrast(mitigate_false_negatives=True)(encoded))
    assert loss == pytest.approx(slow_loss(*views, group_ids=[1, 1, 0]), rel=1e-5)


def test_moving_a_user_of_the_same_intent_changes_nothing_with_mitigation(encoded, moved):
    def losses(batch):
        # Everyone has one intent, so each view is left with its partner alone.
        intents = [(np.zeros(3, dtype="int32"), batch.intents[0][1])]
        batch = dataclasses.replace(batch, intents=intents)
        return [
            float(SequenceContrast(mitigate_false_negatives=mitigate)(batch))
            for mitigate in (True, False)
        ]

    before, after = losses(encoded), losses(moved("view_hidden", (slice(None), 1)))
    assert after[0] == pytest.approx(before[0], abs=1e-5)
    assert abs(after[1] - before[1]) > 0.1


def test_mitigation_waits_for_the_first_e_step(encoded):
    unfitted = dataclasses.replace(encoded, intents_fitted=np.float32(0.0))
    mitigated = SequenceContrast(mitigate_false_negatives=True)
    assert float(mitigated(unfitted)) == float(SequenceContrast()(unfitted))
    assert float(mitigated(encoded)) != float(SequenceContrast()(encoded))


@pytest.mark.parametrize("mitigate", [False, True])
def test_is_a_named_term_that_survives_saving(mitigate):
    term = SequenceContrast(0.5, temperature=2.0, mitigate_false_negatives=mitigate)
    assert (term.name, term.needs_views) == ("sequence_contrast", True)
    assert term.needs_intents == mitigate
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(term))
    assert vars(loaded) == vars(term)
