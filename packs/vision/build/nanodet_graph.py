# SPDX-License-Identifier: Apache-2.0
"""NanoDet-g as an ONNX graph, written out by hand around the weights of its TensorFlow.js conversion.

The conversion has transposes, a padding and a sum of its own beside each convolution. Written so, onnxruntime keeps nearly the
whole net in its blocked layout.

Source: the conversion's own graph; the stages are those of NanoDet's custom_csp.py, pan.py and gfl_head.py.
"""

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from graph import Graph
from stop import BuildStoppedError
from tensorflowjs_graphs import read_weights

SIZE = 416
STRIDES = (8, 16, 32)
CLASSES = 80
BINS = 11
SLOPE = 0.1

Floats = npt.NDArray[np.float32]


def convert(topology: bytes, shard: bytes) -> onnx.ModelProto:
    """NanoDet-g for one picture.

    Args:
        topology: the content of model.json.
        shard: the content of its .bin file.

    Returns:
        A model from `input` (1, 3, 416, 416) to cls_S (1, cells, 80), probabilities, and dis_S (1, cells, 44), the logits of four
        distances of 11 bins each, for the strides S of 8, 16 and 32; cells run row by row.

    Raises:
        BuildStoppedError: the file does not hold the convolutions of this net.
    """
    description = json.loads(topology)
    weights = read_weights(description["weightsManifest"], shard)
    return _Net(_convolutions(description["modelTopology"]["node"], weights)).model()


def _convolutions(nodes: list[dict[str, Any]], weights: dict[str, Floats]) -> list[tuple[Floats, Floats]]:
    """Kernel (out, in, height, width) and bias (out,) of each convolution, in the order that the numbers in their names give."""
    kernels = {node["name"]: node["input"][1] for node in nodes if node["op"] == "Conv2D"}
    biases = {node["input"][0]: node["input"][1] for node in nodes if node["op"] == "Add" and node["input"][0] in kernels}
    if kernels.keys() != biases.keys():
        message = "a convolution has no bias"
        raise BuildStoppedError(message)
    ordered = sorted(kernels, key=lambda name: int("0" + name.rpartition("convolution")[2].strip("_")))
    return [(weights[kernels[name]].transpose(3, 2, 0, 1), weights[biases[name]].ravel()) for name in ordered]


class _Net:
    """The net on its way; takes its convolutions in their order."""

    def __init__(self, convolutions: list[tuple[Floats, Floats]]) -> None:
        self._graph = Graph("nanodet")
        self._convolutions = convolutions

    def model(self) -> onnx.ModelProto:
        value = self._convolve(self._graph.input("input", [1, 3, SIZE, SIZE]), stride=2)
        value = self._graph.node("MaxPool", [value], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
        value = self._stage(value, stride=1, blocks=1)
        fine = self._stage(value, stride=2, blocks=2)
        middle = self._stage(fine, stride=2, blocks=2)
        coarse = self._stage(middle, stride=2, blocks=3)
        for stride, level in zip(STRIDES, self._pyramid(fine, middle, coarse), strict=True):
            self._head(level, stride)
        if self._convolutions:
            message = f"{len(self._convolutions)} convolutions are left over"
            raise BuildStoppedError(message)
        return self._graph.model()

    def _stage(self, value: str, stride: int, blocks: int) -> str:
        """A cross-stage partial stage: what its first convolution gives is beside the result once more."""
        first = value = self._convolve(value, stride=stride)
        for _ in range(blocks):
            half = self._convolve(value)
            value = self._join(self._convolve(half), half)
        return self._join(self._convolve(value), first)

    def _pyramid(self, fine: str, middle: str, coarse: str) -> tuple[str, str, str]:
        """The path aggregation network: from coarse to fine, then from fine to coarse."""
        fine, middle, coarse = (self._convolve(value, activated=False) for value in (fine, middle, coarse))
        middle = self._sum(middle, self._twice(coarse))
        fine = self._sum(fine, self._twice(middle))
        middle = self._sum(middle, self._half(fine))
        coarse = self._sum(coarse, self._half(middle))
        return fine, middle, coarse

    def _head(self, value: str, stride: int) -> None:
        cells = (SIZE // stride) ** 2
        value = self._convolve(self._convolve(value), activated=False)
        lengths = self._graph.constant(np.array([CLASSES, 4 * BINS], np.int64))
        scores, distances = self._graph.nodes("Split", [value, lengths], 2, axis=1)
        scores = self._graph.node("Sigmoid", [scores])
        for name, part, channels in (("cls", scores, CLASSES), ("dis", distances, 4 * BINS)):
            rows = self._graph.node("Reshape", [part, self._graph.constant(np.array([1, channels, cells], np.int64))])
            self._graph.output(f"{name}_{stride}", self._graph.node("Transpose", [rows], perm=[0, 2, 1]), [1, cells, channels])

    def _convolve(self, value: str, *, stride: int = 1, activated: bool = True) -> str:
        if not self._convolutions:
            message = "there are too few convolutions"
            raise BuildStoppedError(message)
        kernel, bias = self._convolutions.pop(0)
        pads = [size // 2 for size in kernel.shape[2:]] * 2
        value = self._graph.node("Conv", [value, self._graph.constant(kernel), self._graph.constant(bias)], strides=[stride] * 2, pads=pads)
        return self._graph.node("LeakyRelu", [value], alpha=SLOPE) if activated else value

    def _join(self, *values: str) -> str:
        return self._graph.node("Concat", values, axis=1)

    def _sum(self, *values: str) -> str:
        return self._graph.node("Add", values)

    def _twice(self, value: str) -> str:
        scales = self._graph.constant(np.array([1, 1, 2, 2], np.float32))
        return self._graph.node("Resize", [value, "", scales], mode="linear", coordinate_transformation_mode="half_pixel")

    def _half(self, value: str) -> str:
        """Bilinear at half size, which with half pixel centres is the mean of four."""
        return self._graph.node("AveragePool", [value], kernel_shape=[2, 2], strides=[2, 2])
