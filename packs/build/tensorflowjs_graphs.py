# SPDX-License-Identifier: Apache-2.0
"""TensorFlow.js graph models to ONNX, for the operators of the emotion net and MoveNet.

The inputs stay as they are, (n, height, width, channels).

Source: the TensorFlow.js graph model format: model.json holds the nodes of a TensorFlow graph, text attributes in base64,
and a manifest of the weights, float32, float16 or int32, that follow one another in the .bin shard.
"""

import base64
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto

from graph import Graph
from stop import BuildStoppedError

PADDING = {"SAME": "SAME_UPPER", "VALID": "VALID"}
DTYPES = {"DT_FLOAT": TensorProto.FLOAT, "DT_INT32": TensorProto.INT32, "DT_INT64": TensorProto.INT64}
SAME_IN_ONNX = {
    "AddV2": "Add",
    "Sub": "Sub",
    "Mul": "Mul",
    "RealDiv": "Div",
    "Relu": "Relu",
    "Sigmoid": "Sigmoid",
    "Softmax": "Softmax",
    "Sqrt": "Sqrt",
}
"""Operators that need nothing but another name. TensorFlow's Softmax and ONNX's both work on the last axis."""

Node = dict[str, Any]
"""A node of the TensorFlow graph, as its JSON has it."""

Step = Callable[[Node], str | list[str]]
"""Builds a node; gives the ONNX names of its results."""


def convert(name: str, topology: bytes, shard: bytes) -> onnx.ModelProto:
    """The ONNX model that computes what a TensorFlow.js graph model computes.

    Args:
        name: of the ONNX graph.
        topology: the content of model.json.
        shard: the content of its only .bin file.

    Returns:
        A model whose inputs keep their names and whose outputs are named <output>_out with ':' written as '_'.

    Raises:
        BuildStoppedError: an operator, activation or weight storage that these nets do not use.
    """
    description = json.loads(topology)
    return _Conversion(name, description, read_weights(description["weightsManifest"], shard)).run()


def read_weights(groups: list[dict[str, Any]], shard: bytes) -> dict[str, npt.NDArray[Any]]:
    """The weights by name, as float32 or int32.

    Args:
        groups: the weightsManifest of model.json.
        shard: the content of its only .bin file.

    Raises:
        BuildStoppedError: a weight is stored in another way than as float32, float16 or int32, or the shard has another length.
    """
    dtypes = {"float32": np.float32, "int32": np.int32}
    arrays: dict[str, npt.NDArray[Any]] = {}
    start = 0
    for weight in (weight for group in groups for weight in group["weights"]):
        stored = weight.get("quantization", {"dtype": weight["dtype"]})["dtype"]
        if weight["dtype"] not in dtypes or stored not in {weight["dtype"], "float16"}:
            message = f"weight {weight['name']} is stored in a way this converter does not know"
            raise BuildStoppedError(message)
        count = int(np.prod(weight["shape"]))
        array = np.frombuffer(shard, stored, count, start)
        arrays[weight["name"]] = array.reshape(weight["shape"]).astype(dtypes[weight["dtype"]])
        start += array.nbytes
    if start != len(shard):
        message = f"the weights fill {start} bytes, the shard has {len(shard)}"
        raise BuildStoppedError(message)
    return arrays


class _Conversion:
    """One model on its way: builds each node when another first asks for it."""

    def __init__(self, name: str, description: dict[str, Any], weights: dict[str, npt.NDArray[Any]]) -> None:
        self._signature = description.get("signature") or description["userDefinedMetadata"]["signature"]
        self._nodes = {node["name"]: node for node in description["modelTopology"]["node"]}
        self._weights = weights
        self._graph = Graph(name)
        self._names: dict[str, list[str]] = {}
        self._steps: dict[str, Step] = {
            "Const": self._constant,
            "Placeholder": self._placeholder,
            "Identity": self._identity,
            "_FusedConv2D": self._convolution,
            "DepthwiseConv2dNative": self._depthwise_convolution,
            "FusedDepthwiseConv2dNative": self._depthwise_convolution,
            "MaxPool": self._max_pool,
            "SquaredDifference": self._squared_difference,
            "FloorDiv": self._floor_division,
            "Mean": self._mean,
            "ArgMax": self._argmax,
            "Cast": self._cast,
            "Reshape": self._reshape,
            "ExpandDims": self._expand,
            "Squeeze": self._squeeze,
            "ResizeBilinear": self._resize,
            "ConcatV2": self._concatenate,
            "Pack": self._pack,
            "Unpack": self._unpack,
            "GatherNd": self._gather,
            **dict.fromkeys(SAME_IN_ONNX, self._same),
        }

    def run(self) -> onnx.ModelProto:
        for output in self._signature["outputs"].values():
            name = output["name"]
            self._graph.output(name.replace(":", "_") + "_out", self._name(name), _shape(output["tensorShape"]))
        return self._graph.model()

    def _name(self, reference: str) -> str:
        """The ONNX name of a node's result, written node or node:index; builds the node, and all it needs, on first use."""
        node_name, _, index = reference.partition(":")
        if node_name not in self._names:
            node = self._nodes[node_name]
            if node["op"] not in self._steps:
                message = f"the graph uses {node['op']} in {node_name}, which this converter does not know"
                raise BuildStoppedError(message)
            names = self._steps[node["op"]](node)
            self._names[node_name] = [names] if isinstance(names, str) else names
        return self._names[node_name][int(index or 0)]

    def _operands(self, node: Node) -> list[str]:
        return [self._name(reference) for reference in node["input"]]

    def _numbers_of(self, reference: str) -> list[int]:
        """The whole numbers of a constant, as shapes and axes are written."""
        return [int(number) for number in self._weights[reference].ravel()]

    def _number_of(self, reference: str) -> int:
        (number,) = self._numbers_of(reference)
        return number

    def _int64(self, numbers: list[int]) -> str:
        return self._graph.constant(np.array(numbers, np.int64))

    def _constant(self, node: Node) -> str:
        return self._graph.constant(self._weights[node["name"]])

    def _placeholder(self, node: Node) -> str:
        dtype = DTYPES[node["attr"]["dtype"]["type"]]
        return self._graph.input(node["name"], _shape(node["attr"]["shape"]["shape"]), dtype)

    def _identity(self, node: Node) -> str:
        return self._name(node["input"][0])

    def _same(self, node: Node) -> str:
        return self._graph.node(SAME_IN_ONNX[node["op"]], [self._operand(reference) for reference in node["input"]])

    def _operand(self, reference: str) -> str:
        """As _name, but one number for each channel becomes a scalar where all are equal: onnxruntime runs that ten times faster."""
        weights = self._weights.get(reference)
        if weights is None or weights.size != np.prod(weights.shape[-1:]) or np.ptp(weights):
            return self._name(reference)
        return self._graph.constant(weights.ravel()[0])

    def _convolution(self, node: Node) -> str:
        kernel = self._weights[node["input"][1]].transpose(3, 2, 0, 1)  # from (height, width, in, out)
        return self._convolve(node, kernel, group=1)

    def _depthwise_convolution(self, node: Node) -> str:
        kernel = self._weights[node["input"][1]]
        height, width, channels, multiplier = kernel.shape
        kernel = kernel.transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, height, width)
        return self._convolve(node, kernel, group=channels)

    def _convolve(self, node: Node, kernel: npt.NDArray[np.float32], group: int) -> str:
        fused = [base64.b64decode(text).decode() for text in node["attr"].get("fused_ops", {"list": {}})["list"].get("s", [])]
        inputs = [self._name(node["input"][0]), self._graph.constant(kernel)]
        if fused[:1] == ["BiasAdd"]:
            inputs.append(self._graph.constant(self._weights[node["input"][2]].ravel()))
        attributes = {**_window(node), "dilations": _dilations(node)}
        if group > 1:
            attributes["group"] = group
        result = self._graph.channels_first("Conv", inputs, **attributes)
        match fused:
            case [] | ["BiasAdd"]:
                return result
            case ["BiasAdd", "Relu"]:
                return self._graph.node("Relu", [result])
            case ["BiasAdd", "Relu6"]:
                return self._graph.node("Clip", [result, *(self._graph.constant(np.float32(limit)) for limit in (0, 6))])
        message = f"the graph fuses {fused} in {node['name']}, which this converter does not know"
        raise BuildStoppedError(message)

    def _max_pool(self, node: Node) -> str:
        size = _numbers(node, "ksize")[1:3]
        return self._graph.channels_first("MaxPool", [self._name(node["input"][0])], **_window(node), kernel_shape=size)

    def _squared_difference(self, node: Node) -> str:
        difference = self._graph.node("Sub", self._operands(node))
        return self._graph.node("Mul", [difference, difference])

    def _floor_division(self, node: Node) -> str:
        if node["attr"]["T"]["type"] != "DT_INT32":
            message = f"{node['name']} divides other numbers than int32, which this converter does not know"
            raise BuildStoppedError(message)
        return self._graph.node("Div", self._operands(node))  # the same as flooring, for the positions it is used on

    def _mean(self, node: Node) -> str:
        value, axes_name = node["input"]
        axes = self._graph.constant(self._weights[axes_name].ravel().astype(np.int64))
        return self._graph.node("ReduceMean", [self._name(value), axes], keepdims=int(node["attr"]["keep_dims"]["b"]))

    def _argmax(self, node: Node) -> str:
        value, axis = node["input"]
        found = self._graph.node("ArgMax", [self._name(value)], axis=self._number_of(axis), keepdims=0)
        return self._graph.node("Cast", [found], to=DTYPES[node["attr"]["output_type"]["type"]])

    def _cast(self, node: Node) -> str:
        return self._graph.node("Cast", self._operands(node), to=DTYPES[node["attr"]["DstT"]["type"]])

    def _reshape(self, node: Node) -> str:
        value, shape = node["input"]
        return self._graph.node("Reshape", [self._name(value), self._int64(self._numbers_of(shape))])

    def _expand(self, node: Node) -> str:
        value, axis = node["input"]
        return self._graph.node("Unsqueeze", [self._name(value), self._int64([self._number_of(axis)])])

    def _squeeze(self, node: Node) -> str:
        return self._graph.node("Squeeze", [*self._operands(node), self._int64(_numbers(node, "squeeze_dims"))])

    def _resize(self, node: Node) -> str:
        value, size = node["input"]
        if not node["attr"]["half_pixel_centers"]["b"] or node["attr"]["align_corners"]["b"]:
            message = f"{node['name']} resizes without half pixel centres, which this converter does not know"
            raise BuildStoppedError(message)
        inputs = [self._name(value), "", "", self._int64(self._numbers_of(size))]
        return self._graph.channels_first("Resize", inputs, axes=[2, 3], mode="linear", coordinate_transformation_mode="half_pixel")

    def _concatenate(self, node: Node) -> str:
        *values, axis = node["input"]
        return self._graph.node("Concat", [self._name(value) for value in values], axis=self._number_of(axis))

    def _pack(self, node: Node) -> str:
        axis = int(node["attr"]["axis"]["i"])
        parts = [self._graph.node("Unsqueeze", [name, self._int64([axis])]) for name in self._operands(node)]
        return self._graph.node("Concat", parts, axis=axis)

    def _unpack(self, node: Node) -> list[str]:
        axis, count = int(node["attr"]["axis"]["i"]), int(node["attr"]["num"]["i"])
        take = partial(self._graph.node, "Gather", axis=axis)
        (value,) = self._operands(node)
        return [take([value, self._graph.constant(np.int64(position))]) for position in range(count)]

    def _gather(self, node: Node) -> str:
        value, indices = self._operands(node)
        return self._graph.node("GatherND", [value, self._graph.node("Cast", [indices], to=TensorProto.INT64)])


def _shape(description: dict[str, Any]) -> list[int | str]:
    """A stored shape; the one unknown length, -1, is the number of pictures N."""
    lengths = [int(dimension["size"]) for dimension in description["dim"]]
    return [length if length > 0 else "N" for length in lengths]


def _window(node: Node) -> dict[str, Any]:
    padding = base64.b64decode(node["attr"]["padding"]["s"]).decode()
    return {"strides": _numbers(node, "strides")[1:3], "auto_pad": PADDING[padding]}


def _dilations(node: Node) -> list[int]:
    return _numbers(node, "dilations")[1:3] if "dilations" in node["attr"] else [1, 1]


def _numbers(node: Node, attribute: str) -> list[int]:
    return [int(number) for number in node["attr"][attribute]["list"]["i"]]
