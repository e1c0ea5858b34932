"""As TF Serving would: the exported folder through the C++ loader, over gRPC, and described.

TF Serving itself is not installed where tests run. It loads a model with the same C++ code as
TensorFlow's C library, and answers the same messages.
"""

import shutil
import subprocess
import sys
from concurrent import futures
from pathlib import Path

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import (
    predict_pb2,
    prediction_log_pb2,
    prediction_service_pb2_grpc,
)

PROGRAM = Path(__file__).with_name("serve.c")


def requests_to(served):
    """An example request for each signature."""
    histories = served.random_histories(3, 12)
    numbers = {"k": np.int32(7), "filter_seen": np.bool_(True)}
    return {
        "serving_default": {"history": np.array(histories)},
        "recommend": {
            "history": np.array([*histories[:2], [""] * 12]),
            "exclude": np.array([["", "5"]] * 3),
            "only": np.array([["provider=brand 1", "provider=brand 2"], ["", ""], ["", ""]]),
            "without": np.array([[""], ["category=4"], [""]]),
            **numbers,
        },
        "recommend_diverse": {
            "history": np.array(histories),
            "exclude": np.array([[""]] * 3),
            "only": np.array([[""]] * 3),
            "without": np.array([[""]] * 3),
            "diversity": np.float32(0.5),
            "diversify": np.array("similarity"),
            **numbers,
        },
        "rank": {"history": np.array(histories), "candidates": np.array([["8", "x", "4"]] * 3)},
        "encode": {"history": np.array(histories)},
        "similar_items": {"item_ids": np.array(["3", "unknown"])},
        "items_of_intent": {"intents": np.array([0, 2], dtype="int32")},
        "provider_affinities": {"history": np.array(histories)},
        "explain": {
            "history": np.array(histories),
            "item_ids": np.array([["8", "x", "4"]] * 3),
            "because": np.int32(2),
        },
    }


NAMES = ["serving_default", "recommend", "rank", "similar_items", "explain"]
NAMES += ["recommend_diverse", "encode", "items_of_intent", "provider_affinities"]


def signature_definitions(served):
    content = (Path(served.folder) / "saved_model.pb").read_bytes()
    return saved_model_pb2.SavedModel.FromString(content).meta_graphs[0].signature_def


def assert_same(answer, expected):
    assert set(answer) == set(expected)
    for name, value in expected.items():
        if value.dtype.kind == "f":
            np.testing.assert_allclose(answer[name], value, rtol=1e-5, atol=1e-5)
        else:
            np.testing.assert_array_equal(answer[name], value)


@pytest.fixture(scope="module")
def c_program(tmp_path_factory):
    if shutil.which("gcc") is None:
        pytest.skip("needs gcc to compile a client of TensorFlow's C library")
    program = tmp_path_factory.mktemp("c") / "serve"
    folder = Path(tf.sysconfig.get_lib())
    libraries = [folder / "libtensorflow_cc.so.2", folder / "libtensorflow_framework.so.2"]
    if not all(library.is_file() for library in libraries):
        pytest.skip(f"needs TensorFlow's C library in {folder}")
    command = ["gcc", "-Wall", "-Werror", "-o", program, PROGRAM, "-I", tf.sysconfig.get_include()]
    subprocess.run([*command, *libraries, f"-Wl,-rpath,{folder}"], check=True)
    return program


def ask(program, served, requests):
    """Answers of the C program to requests, each a signature's name and its inputs."""
    definitions = signature_definitions(served)
    lines = []
    for name, inputs in requests:
        for key, value in inputs.items():
            value = np.asarray(value)
            kind = "string" if value.dtype.kind in "US" else value.dtype.name
            shape = [value.ndim, *value.shape]
            tensor = definitions[name].inputs[key].name
            lines.append(f"feed {tensor} {kind} " + " ".join(map(str, shape)))
            lines += [str(int(v) if kind == "bool" else v) for v in value.ravel()]
        lines += [f"fetch {output.name}" for _, output in sorted(definitions[name].outputs.items())]
        lines.append("run")
    command = [program, served.folder]
    result = subprocess.run(command, input="\n".join(lines) + "\n", capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    printed = iter(result.stdout.splitlines())
    return [read_answer(printed, sorted(definitions[name].outputs)) for name, _ in requests]


def read_answer(printed, names):
    answer = {}
    for name in names:
        kind, *shape = next(printed).split()
        if kind == "error":
            return " ".join(shape)
        shape = [int(size) for size in shape[1:]]
        values = [next(printed) for _ in range(int(np.prod(shape)))]
        kind = {"string": "S", "bool": "int32"}.get(kind, kind)
        answer[name] = np.array(values).astype(kind).reshape(shape)
    return answer


@pytest.mark.parametrize("name", NAMES)
def test_a_c_program_gets_the_same_answers(c_program, served, signatures, name):
    inputs = requests_to(served)[name]
    (answer,) = ask(c_program, served, [(name, inputs)])
    expected = signatures(name, **inputs)
    assert_same(answer, {k: v.astype("S") if v.dtype == object else v for k, v in expected.items()})


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
    answers = ask(c_program, served, requests)
    for (_, message), error, answer in zip(cases, answers[::2], answers[1::2], strict=True):
        assert isinstance(error, str)
        assert message in error
        assert answer["item_ids"].shape == (3, 7)


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Answers `Predict` from a SavedModel."""

    def __init__(self, folder):
        self.loaded = tf.saved_model.load(folder)

    def Predict(self, request, context):
        serve = self.loaded.signatures[request.model_spec.signature_name or "serving_default"]
        inputs = {
            name: tf.constant(tf.make_ndarray(value)) for name, value in request.inputs.items()
        }
        response = predict_pb2.PredictResponse(model_spec=request.model_spec)
        try:
            answer = serve(**inputs)
        except tf.errors.InvalidArgumentError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, error.message)
        for name, value in answer.items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(value))
        return response


@pytest.fixture(scope="module")
def stub(served):
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
    service = PredictionService(served.folder)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(service, server)
    port = server.add_insecure_port("localhost:0")
    server.start()
    with grpc.insecure_channel(f"localhost:{port}") as channel:
        yield prediction_service_pb2_grpc.PredictionServiceStub(channel)
    server.stop(None).wait()


def predict(stub, name, inputs):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "shop"
    request.model_spec.signature_name = name
    for key, value in inputs.items():
        request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
    outputs = stub.Predict(request, timeout=60).outputs
    return {key: tf.make_ndarray(value) for key, value in outputs.items()}


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
