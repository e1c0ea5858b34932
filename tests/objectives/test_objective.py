import dataclasses

import numpy as np


def test_users_of_the_same_first_intent_share_a_group(encoded):
    groups = np.asarray(encoded.intent_groups())
    assert groups.tolist() == [1, 1, 0]
    assert groups.dtype == "int32"


def test_before_the_first_e_step_everyone_is_alone(encoded):
    unfitted = dataclasses.replace(encoded, intents_fitted=np.float32(0.0))
    assert np.asarray(unfitted.intent_groups()).tolist() == [0, 1, 2]
