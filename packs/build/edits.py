# SPDX-License-Identifier: Apache-2.0
"""Edits of a finished ONNX model, each in place: dequantise, drop weight inputs, free dimensions, rewrite PRelu, halve weights."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

# Below this count a tensor is too small to be worth a Cast; above this magnitude float16 would overflow (its largest number is 65504).
SMALLEST_HALVED_SIZE = 65
LARGEST_HALVED_VALUE = 6e4
OLDEST_IR_VERSION = 8


def dequantise(model: onnx.ModelProto) -> None:
    """Replace every DequantizeLinear over stored integers by the float32 values it would compute.

    onnxruntime 1.31 refuses the blockwise form (attribute block_size) in some graphs.

    Source: ONNX operator specification, DequantizeLinear: y = (x - zero_point) * scale, per tensor, per axis or per block.
    """
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    kept_nodes: list[onnx.NodeProto] = []
    values: list[onnx.TensorProto] = []
    spent: set[str] = set()
    for node in model.graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in stored:
            operands = [numpy_helper.to_array(stored[name]).astype(np.float32) for name in node.input]
            values.append(numpy_helper.from_array(_dequantised(node, operands), node.output[0]))
            spent.update(node.input)
        else:
            kept_nodes.append(node)
    kept_tensors = [tensor for tensor in model.graph.initializer if tensor.name not in spent]
    _replace_nodes(model, kept_nodes)
    _replace_initializers(model, [*kept_tensors, *values])


def keep_only_input(model: onnx.ModelProto, name: str) -> None:
    """Remove every graph input but one.

    Old exporters list the weights as inputs too; while they are listed onnxruntime may not fold batch normalisation into convolutions.
    """
    kept = [value for value in model.graph.input if value.name == name]
    del model.graph.input[:]
    model.graph.input.extend(kept)


def free_dimensions(model: onnx.ModelProto, names: Mapping[str, Mapping[int, str]]) -> None:
    """Let the named dimensions of inputs and outputs take any size.

    Args:
        model: edited in place; shapes stored for inner values are dropped, since they would contradict the new ones.
        names: input or output name -> axis -> name of the dimension.
    """
    for value in (*model.graph.input, *model.graph.output):
        for axis, name in names.get(value.name, {}).items():
            dimension = value.type.tensor_type.shape.dim[axis]
            dimension.ClearField("dim_value")
            dimension.dim_param = name
    del model.graph.value_info[:]


def rewrite_prelu(model: onnx.ModelProto) -> None:
    """Write PRelu over channels as slope * x + (1 - slope) * relu(x), each product a depthwise convolution of one weight.

    onnxruntime keeps convolutions and their sums in its blocked layout, and leaves it and comes back for every plain
    product: SFace on one thread of an AVX-512 machine takes 29 ms as shipped, 17 ms with plain products, 14.8 ms so.
    max(x, slope * x) would be wrong: SFace's slopes run from -0.81 to 1.12.
    """
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        if node.op_type == "PRelu":
            slopes = numpy_helper.to_array(stored[node.input[1]]).reshape(-1, 1, 1, 1)
            nodes.extend(_prelu_parts(node, slopes, model.graph))
        else:
            nodes.append(node)
    _replace_nodes(model, nodes)


def store_half(model: onnx.ModelProto) -> None:
    """Store float32 weights as float16 with a Cast in front of their use: half the size, computed in float32 as before."""
    casts: list[onnx.NodeProto] = []
    tensors: list[onnx.TensorProto] = []
    for tensor in model.graph.initializer:
        value = numpy_helper.to_array(tensor)
        if value.dtype == np.float32 and value.size >= SMALLEST_HALVED_SIZE and np.abs(value).max() < LARGEST_HALVED_VALUE:
            half = tensor.name + "_h"
            tensors.append(numpy_helper.from_array(value.astype(np.float16), half))
            casts.append(helper.make_node("Cast", [half], [tensor.name], to=TensorProto.FLOAT))
        else:
            tensors.append(tensor)
    _replace_nodes(model, [*casts, *model.graph.node])
    _replace_initializers(model, tensors)


def drop_unused_tensors(model: onnx.ModelProto) -> None:
    """Remove stored tensors that no node reads; onnxruntime would warn of each at every load."""
    read = {name for node in model.graph.node for name in node.input}
    _replace_initializers(model, [tensor for tensor in model.graph.initializer if tensor.name in read])


def raise_ir_version(model: onnx.ModelProto) -> None:
    """Lift a very old file format version to one where weights need not be graph inputs."""
    model.ir_version = max(model.ir_version, OLDEST_IR_VERSION)


def _dequantised(node: onnx.NodeProto, operands: list[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    quantised, scale = operands[:2]
    zero = operands[2] if len(operands) > 2 else np.zeros_like(scale)  # noqa: PLR2004 - the third operand is optional
    attributes = {attribute.name: attribute.i for attribute in node.attribute}
    axis, block = attributes.get("axis", 1), attributes.get("block_size", 0)
    if block:
        inside = tuple(slice(0, length) for length in quantised.shape)
        scale, zero = (np.repeat(operand, block, axis)[inside] for operand in (scale, zero))
    elif scale.size > 1:
        shape = [1] * quantised.ndim
        shape[axis] = -1
        scale, zero = scale.reshape(shape), zero.reshape(shape)
    return ((quantised - zero) * scale).astype(np.float32)


def _prelu_parts(node: onnx.NodeProto, slopes: npt.NDArray[np.float32], graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """The nodes for one PRelu; its weights, (channels, 1, 1, 1) each, are added to the graph."""
    value, result = node.input[0], node.output[0]
    positive, linear, bent = (result + ending for ending in ("_pos", "_linear", "_bent"))
    for part, weights in ((linear, slopes), (bent, 1 - slopes)):
        graph.initializer.append(numpy_helper.from_array(weights.astype(np.float32), f"{part}_weights"))
    depthwise: dict[str, Any] = {"group": len(slopes), "kernel_shape": [1, 1]}
    return [
        helper.make_node("Relu", [value], [positive]),
        helper.make_node("Conv", [value, f"{linear}_weights"], [linear], **depthwise),
        helper.make_node("Conv", [positive, f"{bent}_weights"], [bent], **depthwise),
        helper.make_node("Add", [linear, bent], [result]),
    ]


def _replace_nodes(model: onnx.ModelProto, nodes: list[onnx.NodeProto]) -> None:
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _replace_initializers(model: onnx.ModelProto, tensors: list[onnx.TensorProto]) -> None:
    del model.graph.initializer[:]
    model.graph.initializer.extend(tensors)
