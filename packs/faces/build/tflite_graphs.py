# SPDX-License-Identifier: Apache-2.0
"""TensorFlow Lite graphs to ONNX, for the seven operators of MediaPipe's face mesh and iris nets.

The inputs stay as they are, (1, height, width, channels) float32.

Source: the TensorFlow Lite schema, as the PyPI package `tflite` has it generated.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import tflite  # type: ignore[import-untyped]
from graph import Graph
from stop import BuildStoppedError

PADDING = {tflite.Padding.SAME: "SAME_UPPER", tflite.Padding.VALID: "VALID"}
DTYPES = {tflite.TensorType.FLOAT32: np.float32, tflite.TensorType.INT32: np.int32}


def convert(content: bytes) -> onnx.ModelProto:
    """The ONNX model that computes what a .tflite file computes.

    Raises:
        BuildStoppedError: an operator, activation or type that these nets do not use.
    """
    return _Conversion(tflite.Model.GetRootAs(content, 0)).run()


class _Conversion:
    """One file on its way: walks the operators in their stored order."""

    def __init__(self, model: Any) -> None:  # noqa: ANN401 - the schema package has no types
        self._model = model
        self._subgraph = model.Subgraphs(0)
        self._graph = Graph("mediapipe")
        self._names: dict[int, str] = {}
        operators = tflite.BuiltinOperator
        self._steps = {
            operators.CONV_2D: self._convolution,
            operators.DEPTHWISE_CONV_2D: self._depthwise_convolution,
            operators.MAX_POOL_2D: self._max_pool,
            operators.PRELU: self._prelu,
            operators.ADD: self._add,
            operators.PAD: self._pad,
            operators.RESHAPE: self._reshape,
        }

    def run(self) -> onnx.ModelProto:
        for index in self._subgraph.InputsAsNumpy():
            self._names[index] = self._graph.input(self._tensor_name(index), self._shape(index))
        for position in range(self._subgraph.OperatorsLength()):
            operator = self._subgraph.Operators(position)
            self._names[operator.Outputs(0)] = self._step(operator)
        for index in self._subgraph.OutputsAsNumpy():
            self._graph.output(self._tensor_name(index), self._names[index], self._shape(index))
        return self._graph.model()

    def _step(self, operator: Any) -> str:  # noqa: ANN401 - as in __init__
        codes = self._model.OperatorCodes(operator.OpcodeIndex())
        code = max(codes.BuiltinCode(), codes.DeprecatedBuiltinCode())
        if code not in self._steps:
            message = f"the .tflite file uses {tflite.opcode2name(code)}, which this converter does not know"
            raise BuildStoppedError(message)
        return self._steps[code](operator)

    def _convolution(self, operator: Any) -> str:  # noqa: ANN401 - as in __init__
        kernel = self._constant(operator.Inputs(1)).transpose(0, 3, 1, 2)  # from (out, height, width, in)
        return self._convolved(operator, _options(operator, tflite.Conv2DOptions()), kernel, groups=1)

    def _depthwise_convolution(self, operator: Any) -> str:  # noqa: ANN401 - as in __init__
        kernel = self._constant(operator.Inputs(1)).transpose(3, 0, 1, 2)  # from (1, height, width, out)
        groups = self._shape(operator.Inputs(0))[3]
        return self._convolved(operator, _options(operator, tflite.DepthwiseConv2DOptions()), kernel, groups)

    def _convolved(self, operator: Any, options: Any, kernel: npt.NDArray[Any], groups: int) -> str:  # noqa: ANN401 - as in __init__
        inputs = [self._name(operator.Inputs(0)), self._graph.constant(kernel), self._graph.constant(self._constant(operator.Inputs(2)))]
        result = self._graph.channels_first(
            "Conv",
            inputs,
            strides=[options.StrideH(), options.StrideW()],
            auto_pad=PADDING[options.Padding()],
            group=groups,
            dilations=[options.DilationHFactor(), options.DilationWFactor()],
        )
        return self._activated(result, options.FusedActivationFunction())

    def _max_pool(self, operator: Any) -> str:  # noqa: ANN401 - as in __init__
        options = _options(operator, tflite.Pool2DOptions())
        result = self._graph.channels_first(
            "MaxPool",
            [self._name(operator.Inputs(0))],
            strides=[options.StrideH(), options.StrideW()],
            auto_pad=PADDING[options.Padding()],
            kernel_shape=[options.FilterHeight(), options.FilterWidth()],
        )
        return self._activated(result, options.FusedActivationFunction())

    def _prelu(self, operator: Any) -> str:  # noqa: ANN401 - as in __init__
        value, slope = self._name(operator.Inputs(0)), self._graph.constant(self._constant(operator.Inputs(1)))
        return self._graph.prelu(value, slope)

    def _add(self, operator: Any) -> str:  # noqa: ANN401 - as in __init__
        result = self._graph.node("Add", [self._name(index) for index in operator.InputsAsNumpy()])
        return self._activated(result, _options(operator, tflite.AddOptions()).FusedActivationFunction())

    def _pad(self, operator: Any) -> str:  # noqa: ANN401 - as in __init__
        begins_and_ends = self._constant(operator.Inputs(1)).T.ravel().astype(np.int64)  # from (axes, 2)
        return self._graph.node("Pad", [self._name(operator.Inputs(0)), self._graph.constant(begins_and_ends)])

    def _reshape(self, operator: Any) -> str:  # noqa: ANN401 - as in __init__
        shape = np.asarray(self._shape(operator.Outputs(0)), np.int64)
        return self._graph.node("Reshape", [self._name(operator.Inputs(0)), self._graph.constant(shape)])

    def _activated(self, name: str, activation: int) -> str:
        if activation == tflite.ActivationFunctionType.NONE:
            return name
        if activation == tflite.ActivationFunctionType.RELU:
            return self._graph.node("Relu", [name])
        message = f"the .tflite file uses activation {activation}, which this converter does not know"
        raise BuildStoppedError(message)

    def _name(self, index: int) -> str:
        """The ONNX name of a tensor; a constant gets one on first use."""
        if index not in self._names:
            self._names[index] = self._graph.constant(self._constant(index))
        return self._names[index]

    def _constant(self, index: int) -> npt.NDArray[Any]:
        tensor = self._subgraph.Tensors(index)
        content = self._model.Buffers(tensor.Buffer()).DataAsNumpy().tobytes()
        return np.frombuffer(content, DTYPES[tensor.Type()]).reshape(self._shape(index))

    def _shape(self, index: int) -> list[int]:
        return [int(length) for length in self._subgraph.Tensors(index).ShapeAsNumpy()]

    def _tensor_name(self, index: int) -> str:
        return str(self._subgraph.Tensors(index).Name().decode())


def _options(operator: Any, options: Any) -> Any:  # noqa: ANN401 - as in _Conversion
    table = operator.BuiltinOptions()
    options.Init(table.Bytes, table.Pos)
    return options
