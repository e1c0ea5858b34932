"""Requests that TF Serving sends itself when it loads a model.

The first request of a fresh process pays for the initialisation of the graph; with these on
record no client does.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import tensorflow as tf

# Where TF Serving looks for them.
_FILE = Path("assets.extra") / "tf_serving_warmup_requests"
# Inputs that name no item; without a filter is how most requests are.
_EMPTY = ("only", "without", "diversify")


def write_warm_up_requests(
    directory: str | Path, name: str, signatures: Mapping[str, Callable], item_id: str | bytes
) -> None:
    """Write one request per signature beside a SavedModel.

    Args:
        directory: The version folder.
        name: The model's name.
        signatures: Its functions by name, each with an input signature.
        item_id: A raw item id; numbers and flags are 1 and true, intents 0, filters empty.
    """
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    path = Path(directory) / _FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, function in signatures.items():
            request = predict_pb2.PredictRequest()
            request.model_spec.name = name
            request.model_spec.signature_name = signature
            for spec in function.input_signature:
                value = tf.fill([1] * spec.shape.rank, _example(spec, item_id))
                request.inputs[spec.name].CopyFrom(tf.make_tensor_proto(value))
            log = prediction_log_pb2.PredictionLog(
                predict_log=prediction_log_pb2.PredictLog(request=request)
            )
            writer.write(log.SerializeToString())


def _example(spec: tf.TensorSpec, item_id: str | bytes) -> tf.Tensor:
    if spec.name in _EMPTY:
        return tf.constant("")
    if spec.dtype == tf.string:
        return tf.constant(item_id)
    # A vector of numbers names intents, a single one says how many.
    return tf.cast(spec.shape.rank == 0, spec.dtype)
