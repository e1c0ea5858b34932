"""As TF Serving would: the exported folder through the C++ loader, over gRPC, and described.

TF Serving itself is not installed where tests run. It loads a model with the same C++ code as
TensorFlow's C library, and answers the same messages.
"""

import subprocess
import sys
from pathlib import Path

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from ..faults.hostile_answers import hostile_to, through_c
from .clients import ask, predict, served_by_grpc
from .example_requests import requests_to

NAMES = ["serving_default", "recommend", "rank", "similar_items", "explain"]
NAMES += ["recommend_diverse", "encode", "items_of_intent", "provider_affinities"]


@pytest.fixture(scope="module")
def stub(served):
    with served_by_grpc(served.folder) as (stub, _):
        yield stub


def assert_same(answer, expected):
    assert set(answer) == set(expected)
    for name, value in expected.items():
        if value.dtype.kind == "f":
            np.testing.assert_allclose(answer[name], value, rtol=1e-5, atol=1e-5)
        else:
            np.testing.assert_array_equal(answer[name], value)


@pytest.fixture(scope="module")
def c_answers(c_program, served):
    """By signature, of one process."""
    requests = [(name, requests_to(served)[name]) for name in NAMES]
    return dict(zip(NAMES, ask(c_program, served.folder, requests), strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_a_c_program_gets_the_same_answers(c_answers, served, signatures, name):
    expected = signatures(name, **requests_to(served)[name])
    expected = {k: v.astype("S") if v.dtype == object else v for k, v in expected.items()}
    assert_same(c_answers[name], expected)


def test_hostile_requests_get_errors_or_answers_and_good_ones_after_them_are_answered(
    c_program, served
):
    """A few of those that `make faults` sends."""
    found = through_c(c_program, served, hostile_to(served, 6))
    assert [problem for _, problems in found.values() for problem in problems] == []
    answers = [answer for answers, _ in found.values() for answer in answers]
    refused = sum(isinstance(answer, str) for answer in answers)
    assert 0 < refused < len(answers)


def test_a_c_program_gets_errors_that_say_what_was_wrong(c_program, served):
    good = requests_to(served)["recommend"]
    flat = {"history": np.array(["3", "4"])}
    strangers = {"history": good["history"], "candidates": np.array([["x"]] * 3)}
    cases = [
        (("recommend", good | {"k": np.int32(0)}), "k must be from 1 to 40, not"),
        (("recommend", good | {"k": np.int32(41)}), "k must be from 1 to 40, not"),
        (("recommend", good | {"k": np.array([5], "int32")}), "k_is_a_scalar"),
        (("recommend", good | {"k": np.float32(5)}), "int32"),
        (("recommend", good | {"exclude": np.array([["3"]])}), "exclude must have one row for"),
        (("recommend", good | {"only": np.array([["a=b"]] * 3)}), "with a name of: category, pro"),
        (("rank", strangers), "None of the candidates is an item of this model"),
        (("serving_default", flat), "history_is_batch_by_length"),
        (("serving_default", {"history": np.array([[3, 4]], "int32")}), "string"),
        (("items_of_intent", {"intents": np.array([3], "int32")}), "intents must be from 0 to 2"),
    ]
    # After each error a good request, to the same session.
    requests = [request for bad, _ in cases for request in (bad, ("recommend", good))]
    answers = ask(c_program, served.folder, requests)
    for (_, message), error, answer in zip(cases, answers[::2], answers[1::2], strict=True):
        assert isinstance(error, str)
        assert message in error
        assert answer["item_ids"].shape == (3, 7)


@pytest.mark.parametrize("name", NAMES)
def test_a_grpc_client_gets_the_same_answers(stub, served, signatures, name):
    inputs = requests_to(served)[name]
    assert_same(predict(stub, name, inputs), signatures(name, **inputs))


def test_a_grpc_client_gets_the_error_and_then_answers(stub, served):
    good = requests_to(served)["recommend"]
    with pytest.raises(grpc.RpcError) as caught:
        predict(stub, "recommend", good | {"k": np.int32(0)})
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "k must be from 1 to 40" in caught.value.details()
    assert predict(stub, "recommend", good)["item_ids"].shape == (3, 7)


def test_warm_up_requests_cover_all_signatures_and_are_answered(stub, served):
    path = Path(served.folder) / "assets.extra" / "tf_serving_warmup_requests"
    logs = [
        prediction_log_pb2.PredictionLog.FromString(record.numpy())
        for record in tf.data.TFRecordDataset(str(path))
    ]
    requests = [log.predict_log.request for log in logs]
    assert [request.model_spec.signature_name for request in requests] == NAMES
    assert {request.model_spec.name for request in requests} == {"shop"}
    for request in requests:
        assert stub.Predict(request, timeout=60).outputs


@pytest.mark.slow
def test_saved_model_cli_describes_every_signature(served):
    program = Path(sys.executable).with_name("saved_model_cli")
    command = [program, "show", "--dir", served.folder, "--all"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    for name in NAMES:
        assert f"signature_def['{name}']" in result.stdout
    assert "Traceback" not in result.stderr
    assert "Error" not in result.stdout + result.stderr
    # What a client has to know: the names, types and shapes of the inputs.
    described = result.stdout.split("signature_def['recommend']")[1].split("signature_def[")[0]
    for name, kind, shape in [
        ("exclude", "DT_STRING", "(-1, -1)"),
        ("filter_seen", "DT_BOOL", "()"),
        ("history", "DT_STRING", "(-1, -1)"),
        ("k", "DT_INT32", "()"),
        ("only", "DT_STRING", "(-1, -1)"),
        ("without", "DT_STRING", "(-1, -1)"),
    ]:
        entry = described.split(f"inputs['{name}']")[1].split("inputs[")[0]
        assert kind in entry
        assert f"shape: {shape}" in entry
