"""Clients of a SavedModel that are not this library: a C program, and gRPC like TF Serving."""

import contextlib
import shutil
import subprocess
from concurrent import futures
from pathlib import Path

import grpc
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

PROGRAM = Path(__file__).with_name("serve.c")


def compiled(folder):
    """The C program, compiled; and otherwise why it is not."""
    if shutil.which("gcc") is None:
        return None, "needs gcc to compile a client of TensorFlow's C library"
    program = folder / "serve"
    library = Path(tf.sysconfig.get_lib())
    libraries = [library / "libtensorflow_cc.so.2", library / "libtensorflow_framework.so.2"]
    if not all(one.is_file() for one in libraries):
        return None, f"needs TensorFlow's C library in {library}"
    command = ["gcc", "-Wall", "-Werror", "-o", program, PROGRAM, "-I", tf.sysconfig.get_include()]
    subprocess.run([*command, *libraries, f"-Wl,-rpath,{library}"], check=True)
    return program, ""


def signature_definitions(folder):
    content = (Path(folder) / "saved_model.pb").read_bytes()
    return saved_model_pb2.SavedModel.FromString(content).meta_graphs[0].signature_def


def ask(program, folder, requests):
    """Answers of the C program to requests, each a signature's name and its inputs."""
    definitions = signature_definitions(folder)
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
    command = [program, folder]
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


@contextlib.contextmanager
def served_by_grpc(folder):
    """A connection to a server of the model in a folder, and its port."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
    service = PredictionService(folder)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(service, server)
    port = server.add_insecure_port("localhost:0")
    server.start()
    with connected(port) as stub:
        yield stub, port
    server.stop(None).wait()


@contextlib.contextmanager
def connected(port):
    with grpc.insecure_channel(f"localhost:{port}") as channel:
        yield prediction_service_pb2_grpc.PredictionServiceStub(channel)


def predict(stub, name, inputs):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "shop"
    request.model_spec.signature_name = name
    for key, value in inputs.items():
        request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
    outputs = stub.Predict(request, timeout=60).outputs
    return {key: tf.make_ndarray(value) for key, value in outputs.items()}
