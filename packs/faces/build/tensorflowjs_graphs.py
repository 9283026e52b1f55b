# SPDX-License-Identifier: Apache-2.0
"""TensorFlow.js graph models to ONNX, for the nine operators of the emotion net.

The input stays as it is, (n, height, width, channels) float32.

Source: the TensorFlow.js graph model format: model.json holds the nodes of a TensorFlow graph, text attributes in base64,
and a manifest of the float32 weights that follow one another in the .bin shard.
"""

import base64
import json
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from graph import Graph
from stop import BuildStoppedError

PADDING = {"SAME": "SAME_UPPER", "VALID": "VALID"}


def convert(topology: bytes, shard: bytes) -> onnx.ModelProto:
    """The ONNX model that computes what a TensorFlow.js graph model computes.

    Args:
        topology: the content of model.json.
        shard: the content of its only .bin file.

    Returns:
        A model whose inputs keep their names and whose outputs are named <output>_out with ':' written as '_'.

    Raises:
        BuildStoppedError: an operator, activation or weight storage that the emotion net does not use.
    """
    description = json.loads(topology)
    return _Conversion(description, _weights(description["weightsManifest"], shard)).run()


def _weights(groups: list[dict[str, Any]], shard: bytes) -> dict[str, npt.NDArray[Any]]:
    dtypes = {"float32": np.float32, "int32": np.int32}
    arrays: dict[str, npt.NDArray[Any]] = {}
    start = 0
    for weight in (weight for group in groups for weight in group["weights"]):
        if "quantization" in weight or weight["dtype"] not in dtypes:
            message = f"weight {weight['name']} is stored in a way this converter does not know"
            raise BuildStoppedError(message)
        count = int(np.prod(weight["shape"]))
        array = np.frombuffer(shard, dtypes[weight["dtype"]], count, start)
        arrays[weight["name"]] = array.reshape(weight["shape"])
        start += array.nbytes
    if start != len(shard):
        message = f"the weights fill {start} bytes, the shard has {len(shard)}"
        raise BuildStoppedError(message)
    return arrays


class _Conversion:
    """One model on its way: builds each node when another first asks for it."""

    def __init__(self, description: dict[str, Any], weights: dict[str, npt.NDArray[Any]]) -> None:
        self._signature = description["userDefinedMetadata"]["signature"]
        self._nodes = {node["name"]: node for node in description["modelTopology"]["node"]}
        self._weights = weights
        self._graph = Graph("emotion")
        self._names: dict[str, str] = {}
        self._steps = {
            "Placeholder": self._placeholder,
            "_FusedConv2D": self._convolution,
            "DepthwiseConv2dNative": self._depthwise_convolution,
            "MaxPool": self._max_pool,
            "AddV2": self._add,
            "Relu": self._relu,
            "Mean": self._mean,
            "Softmax": self._softmax,
            "Identity": self._identity,
        }

    def run(self) -> onnx.ModelProto:
        for output in self._signature["outputs"].values():
            name = output["name"]
            self._graph.output(name.replace(":", "_") + "_out", self._name(name.partition(":")[0]), _shape(output["tensorShape"]))
        return self._graph.model()

    def _name(self, node_name: str) -> str:
        """The ONNX name of a node's result; builds the node, and all it needs, on first use."""
        if node_name not in self._names:
            node = self._nodes[node_name]
            if node["op"] not in self._steps:
                message = f"the graph uses {node['op']} in {node_name}, which this converter does not know"
                raise BuildStoppedError(message)
            self._names[node_name] = self._steps[node["op"]](node)
        return self._names[node_name]

    def _placeholder(self, node: dict[str, Any]) -> str:
        return self._graph.input(node["name"], _shape(node["attr"]["shape"]["shape"]))

    def _convolution(self, node: dict[str, Any]) -> str:
        value, kernel_name, bias_name = node["input"]
        kernel = self._weights[kernel_name].transpose(3, 2, 0, 1)  # from (height, width, in, out)
        bias, *activations = [base64.b64decode(text).decode() for text in node["attr"]["fused_ops"]["list"]["s"]]
        if bias != "BiasAdd" or activations not in ([], ["Relu"]):
            message = f"the graph fuses {[bias, *activations]} in {node['name']}, which this converter does not know"
            raise BuildStoppedError(message)
        inputs = [self._name(value), self._graph.constant(kernel), self._graph.constant(self._weights[bias_name].ravel())]
        result = self._graph.channels_first("Conv", inputs, **_window(node), dilations=_dilations(node))
        return self._graph.node("Relu", [result]) if activations else result

    def _depthwise_convolution(self, node: dict[str, Any]) -> str:
        value, kernel_name = node["input"]
        kernel = self._weights[kernel_name]
        height, width, channels, multiplier = kernel.shape
        kernel = kernel.transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, height, width)
        inputs = [self._name(value), self._graph.constant(kernel)]
        return self._graph.channels_first("Conv", inputs, **_window(node), dilations=_dilations(node), group=channels)

    def _max_pool(self, node: dict[str, Any]) -> str:
        size = _numbers(node, "ksize")[1:3]
        return self._graph.channels_first("MaxPool", [self._name(node["input"][0])], **_window(node), kernel_shape=size)

    def _add(self, node: dict[str, Any]) -> str:
        return self._graph.node("Add", [self._name(name) for name in node["input"]])

    def _relu(self, node: dict[str, Any]) -> str:
        return self._graph.node("Relu", [self._name(node["input"][0])])

    def _mean(self, node: dict[str, Any]) -> str:
        value, axes_name = node["input"]
        axes = self._graph.constant(self._weights[axes_name].ravel().astype(np.int64))
        return self._graph.node("ReduceMean", [self._name(value), axes], keepdims=int(node["attr"]["keep_dims"]["b"]))

    def _softmax(self, node: dict[str, Any]) -> str:
        return self._graph.node("Softmax", [self._name(node["input"][0])])

    def _identity(self, node: dict[str, Any]) -> str:
        return self._name(node["input"][0])


def _shape(description: dict[str, Any]) -> list[int | str]:
    """A stored shape; the one unknown length, -1, is the number of pictures N."""
    lengths = [int(dimension["size"]) for dimension in description["dim"]]
    return [length if length > 0 else "N" for length in lengths]


def _window(node: dict[str, Any]) -> dict[str, Any]:
    padding = base64.b64decode(node["attr"]["padding"]["s"]).decode()
    return {"strides": _numbers(node, "strides")[1:3], "auto_pad": PADDING[padding]}


def _dilations(node: dict[str, Any]) -> list[int]:
    return _numbers(node, "dilations")[1:3] if "dilations" in node["attr"] else [1, 1]


def _numbers(node: dict[str, Any], attribute: str) -> list[int]:
    return [int(number) for number in node["attr"][attribute]["list"]["i"]]
