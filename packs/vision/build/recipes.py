# SPDX-License-Identifier: Apache-2.0
"""How each file of the pack comes out of its members: one function per model, bytes in, bytes out."""

import checkpoint
import edits
import efficientnet_graph
import nanodet_graph
import onnx
import tensorflowjs_graphs
from command import Recipe


def nanodet(topology: bytes, shard: bytes) -> bytes:
    """NanoDet-g, from model.json and its .bin, whose weights are float16 already."""
    return _finished(nanodet_graph.convert(topology, shard))


def efficientnet(content: bytes) -> bytes:
    """EfficientNet-lite2, from a PyTorch checkpoint, its weights rounded to float16."""
    return _finished(efficientnet_graph.convert(checkpoint.read(content)))


def movenet(topology: bytes, shard: bytes) -> bytes:
    """MoveNet, from model.json and its .bin, whose weights are float16 already."""
    return _finished(tensorflowjs_graphs.convert("movenet", topology, shard))


def _finished(model: onnx.ModelProto) -> bytes:
    edits.store_half(model)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


RECIPES: dict[str, Recipe] = {
    "nanodet_g_416": nanodet,
    "efficientnet_lite2": efficientnet,
    "movenet_lightning": movenet,
}
