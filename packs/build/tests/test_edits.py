# SPDX-License-Identifier: Apache-2.0
"""The build's edits compute what they say, on graphs of a few numbers. Skipped where onnx is not installed."""

from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest

onnx = pytest.importorskip("onnx")
edits = pytest.importorskip("edits")
archives = pytest.importorskip("archives")
digests = pytest.importorskip("digests")
stop = pytest.importorskip("stop")

FLOAT = onnx.TensorProto.FLOAT


def floats(values: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """The values as a float32 array."""
    return np.asarray(values, np.float32)


def model_of(nodes: list[Any], shape: list[int], **tensors: npt.NDArray[Any]) -> Any:  # noqa: ANN401 - onnx may be absent
    """A model from x to y, both of the shape, with the tensors stored."""
    ends = [onnx.helper.make_tensor_value_info(name, FLOAT, shape) for name in ("x", "y")]
    stored = [onnx.numpy_helper.from_array(value, name) for name, value in tensors.items()]
    graph = onnx.helper.make_graph(nodes, "test", ends[:1], ends[1:], stored)
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 21)], ir_version=10)


def run(model: Any, value: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:  # noqa: ANN401 - as in model_of
    """What onnxruntime computes for x."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    result: npt.NDArray[np.float32] = session.run(None, {"x": value})[0]
    return result


def kinds(model: Any) -> list[str]:  # noqa: ANN401 - as in model_of
    """The operators of a model."""
    return [node.op_type for node in model.graph.node]


@pytest.mark.parametrize(
    ("scale", "attributes"),
    [
        (floats([[0.5, 2.0, 4.0]] * 3), {"axis": 1, "block_size": 2}),
        (floats([0.5, 2.0, 4.0]), {"axis": 0}),
        (floats(0.5), {}),
    ],
    ids=["block", "axis", "tensor"],
)
def test_dequantise_equals_onnxruntime(scale: npt.NDArray[np.float32], attributes: dict[str, int]) -> None:
    weights = np.arange(-7, 8, dtype=np.int8).reshape(3, 5)
    nodes = [
        onnx.helper.make_node("DequantizeLinear", ["q", "s", "z"], ["w"], **attributes),
        onnx.helper.make_node("Add", ["x", "w"], ["y"]),
    ]
    model = model_of(nodes, [3, 5], q=weights, s=scale, z=np.full(scale.shape, 3, np.int8))
    value = np.zeros((3, 5), np.float32)
    expected = run(model, value)
    edits.dequantise(model)
    assert kinds(model) == ["Add"]
    np.testing.assert_array_equal(run(model, value), expected)


def test_rewritten_prelu_equals_prelu_for_any_slope() -> None:
    slopes = floats([-0.81, 0.0, 1.12]).reshape(3, 1, 1)
    model = model_of([onnx.helper.make_node("PRelu", ["x", "slope"], ["y"])], [1, 3, 5, 2], slope=slopes)
    value = np.linspace(-3, 3, 30, dtype=np.float32).reshape(1, 3, 5, 2)
    expected = run(model, value)
    edits.rewrite_prelu(model)
    assert "PRelu" not in kinds(model)
    np.testing.assert_allclose(run(model, value), expected, rtol=1e-6, atol=1e-6)


def test_half_storage_rounds_weights_once_and_leaves_small_or_large_ones() -> None:
    weights = np.linspace(-1, 1, 65, dtype=np.float32)
    large = np.full(65, 1e5, np.float32)
    nodes = [
        onnx.helper.make_node("Mul", ["x", "w"], ["a"]),
        onnx.helper.make_node("Add", ["a", "large"], ["b"]),
        onnx.helper.make_node("Add", ["b", "small"], ["y"]),
    ]
    model = model_of(nodes, [65], w=weights, large=large, small=floats([0.1]))
    edits.store_half(model)
    stored = {tensor.name: onnx.numpy_helper.to_array(tensor).dtype for tensor in model.graph.initializer}
    assert stored == {"w_h": np.float16, "large": np.float32, "small": np.float32}
    value = np.ones(65, np.float32)
    expected = weights.astype(np.float16).astype(np.float32) + large + np.float32(0.1)
    np.testing.assert_allclose(run(model, value), expected, rtol=1e-6)


def test_unused_tensors_and_weight_inputs_go() -> None:
    model = model_of([onnx.helper.make_node("Add", ["x", "w"], ["y"])], [1], w=floats([1]), unused=floats([2]))
    model.graph.input.append(onnx.helper.make_tensor_value_info("w", FLOAT, [1]))
    edits.drop_unused_tensors(model)
    edits.keep_only_input(model, "x")
    assert [tensor.name for tensor in model.graph.initializer] == ["w"]
    assert [value.name for value in model.graph.input] == ["x"]


def test_freed_dimension_takes_any_size() -> None:
    model = model_of([onnx.helper.make_node("Relu", ["x"], ["y"])], [1, 2])
    edits.free_dimensions(model, {"x": {0: "N"}, "y": {0: "N"}})
    assert run(model, np.ones((3, 2), np.float32)).shape == (3, 2)


def test_other_content_stops_the_build() -> None:
    digests.require(b"known", digests.digest(b"known"), "content")
    with pytest.raises(stop.BuildStoppedError, match="content: expected sha256"):
        digests.require(b"other", digests.digest(b"known"), "content")
