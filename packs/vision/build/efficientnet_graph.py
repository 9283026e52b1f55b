# SPDX-License-Identifier: Apache-2.0
"""EfficientNet-lite2 as an ONNX graph, written out by hand around the weights of its PyTorch port.

Source: Tan and Le, EfficientNet, arXiv:1905.11946; the lite variants as in Google's efficientnet_lite_builder.py: no
squeeze-and-excitation, ReLU6 for every activation, stem and head not widened.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnx
from graph import Graph
from stop import BuildStoppedError

SIZE = 260
DEPTH = 1.2  # lite2 repeats this many times what lite0 repeats
FEATURES = 1280
CLASSES = 1000
EPSILON = 1e-3  # of the batch normalisations

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Stage:
    """Blocks of one kind; the first may have a stride. repeats: as in lite0."""

    repeats: int
    kernel: int
    stride: int
    expansion: int


STAGES = (
    Stage(1, 3, 1, 1),
    Stage(2, 3, 2, 6),
    Stage(2, 5, 2, 6),
    Stage(3, 3, 2, 6),
    Stage(3, 5, 1, 6),
    Stage(4, 5, 2, 6),
    Stage(1, 3, 1, 6),
)


def convert(tensors: dict[str, Floats]) -> onnx.ModelProto:
    """EfficientNet-lite2 for batches of pictures.

    Args:
        tensors: the weights under the names of the PyPI package efficientnet-lite-pytorch.

    Returns:
        A model from `x` (N, 3, 260, 260) to `logits` (N, 1000), before the softmax, and `emb` (N, 1280), the pooled features.

    Raises:
        BuildStoppedError: a tensor is missing or left over.
    """
    try:
        return _Net(tensors).model()
    except KeyError as error:
        message = f"the checkpoint has no tensor {error}"
        raise BuildStoppedError(message) from error


class _Net:
    """The net on its way; takes each tensor once, and keeps the size that the picture has shrunk to."""

    def __init__(self, tensors: dict[str, Floats]) -> None:
        self._graph = Graph("efficientnet_lite2")
        self._tensors = {name: value for name, value in tensors.items() if not name.endswith("num_batches_tracked")}
        self._limits = [self._graph.constant(np.float32(limit)) for limit in (0, 6)]
        self._size = SIZE

    def model(self) -> onnx.ModelProto:
        value = self._convolve(self._graph.input("x", ["N", 3, SIZE, SIZE]), "_conv_stem", "_bn0", stride=2)
        block = 0
        for stage in STAGES:
            outer = stage in {STAGES[0], STAGES[-1]}  # like stem and head, these are not deepened
            for repeat in range(stage.repeats if outer else math.ceil(DEPTH * stage.repeats)):
                value = self._block(value, f"_blocks.{block}", stage, first=repeat == 0)
                block += 1
        value = self._convolve(value, "_conv_head", "_bn1")
        pooled = self._graph.node("Flatten", [self._graph.node("GlobalAveragePool", [value])])
        weights, bias = (self._graph.constant(self._take(f"_fc.{kind}")) for kind in ("weight", "bias"))
        self._graph.output("logits", self._graph.node("Gemm", [pooled, weights, bias], transB=1), ["N", CLASSES])
        self._graph.output("emb", pooled, ["N", FEATURES])
        if self._tensors:
            message = f"the checkpoint has tensors that the net does not use: {', '.join(self._tensors)}"
            raise BuildStoppedError(message)
        return self._graph.model()

    def _block(self, value: str, name: str, stage: Stage, *, first: bool) -> str:
        """An inverted residual block: widen, filter each channel, narrow."""
        result = value
        if stage.expansion > 1:
            result = self._convolve(result, f"{name}._expand_conv", f"{name}._bn0")
        result = self._convolve(result, f"{name}._depthwise_conv", f"{name}._bn1", stride=stage.stride if first else 1)
        result = self._convolve(result, f"{name}._project_conv", f"{name}._bn2", activated=False)
        return result if first else self._graph.node("Add", [result, value])

    def _convolve(self, value: str, name: str, norm: str, *, stride: int = 1, activated: bool = True) -> str:
        """A convolution with the batch normalisation behind it folded in."""
        kernel = self._take(f"{name}.weight").astype(np.float64)
        scale, shift, mean, variance = (self._take(f"{norm}.{kind}") for kind in ("weight", "bias", "running_mean", "running_var"))
        factor = scale / np.sqrt(variance.astype(np.float64) + EPSILON)
        folded = [(kernel * factor.reshape(-1, 1, 1, 1)).astype(np.float32), (shift - mean * factor).astype(np.float32)]
        inputs = [value, *map(self._graph.constant, folded)]
        group = len(kernel) if kernel.shape[1] == 1 else 1
        value = self._graph.node("Conv", inputs, strides=[stride] * 2, pads=self._pads(kernel.shape[2], stride), group=group)
        self._size = -(-self._size // stride)
        return self._graph.node("Clip", [value, *self._limits]) if activated else value

    def _pads(self, kernel: int, stride: int) -> list[int]:
        """TensorFlow's SAME padding: where the sum is odd, bottom and right get the larger part."""
        total = max((-(-self._size // stride) - 1) * stride + kernel - self._size, 0)
        return [total // 2] * 2 + [total - total // 2] * 2

    def _take(self, name: str) -> Floats:
        return self._tensors.pop(name)
