# SPDX-License-Identifier: Apache-2.0
"""How each file of the pack comes out of its members: one function per model, bytes in, bytes out."""

import edits
import onnx
import tensorflowjs_graphs
import tflite_graphs
from command import Recipe


def yunet(content: bytes) -> bytes:
    """YuNet with float32 weights, for pictures whose height and width are any multiples of 32."""
    model = onnx.load_from_string(content)
    edits.dequantise(model)
    edits.drop_unused_tensors(model)
    edits.keep_only_input(model, "input")
    anchors = {value.name: {1: f"n_{value.name}"} for value in model.graph.output}
    edits.free_dimensions(model, {"input": {2: "h", 3: "w"}, **anchors})
    edits.raise_ir_version(model)
    return _finished(model)


def sface(content: bytes) -> bytes:
    """SFace with weights stored in float16, for batches of any size, in operators that onnxruntime runs fast."""
    model = onnx.load_from_string(content)
    edits.dequantise(model)
    edits.keep_only_input(model, "data")
    edits.free_dimensions(model, {"data": {0: "N"}, "fc1": {0: "N"}})
    edits.rewrite_prelu(model)
    edits.drop_unused_tensors(model)
    edits.store_half(model)
    edits.raise_ir_version(model)
    return _finished(model)


def as_it_is(content: bytes) -> bytes:
    """An ONNX file that needs no edit."""
    return content


def mediapipe(content: bytes) -> bytes:
    """A MediaPipe .tflite file as ONNX."""
    return _finished(tflite_graphs.convert(content))


def emotion(topology: bytes, shard: bytes) -> bytes:
    """The emotion net, from model.json and its .bin, as ONNX."""
    return _finished(tensorflowjs_graphs.convert("emotion", topology, shard))


def _finished(model: onnx.ModelProto) -> bytes:
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


RECIPES: dict[str, Recipe] = {
    "yunet_2023mar": yunet,
    "sface_2021dec": sface,
    "age_v1": as_it_is,
    "gender_v1": as_it_is,
    "face_mesh": mediapipe,
    "iris": mediapipe,
    "emotion": emotion,
}
