# SPDX-License-Identifier: Apache-2.0
"""Tiny ONNX models with manifests, to put into slots in tests: they see colours, by arithmetic, and nothing else.

Needs the packages onnx and tokenizers, which overt itself does not.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import tomli_w
from onnx import TensorProto, helper, numpy_helper

from overt.types import Floats

CELL, SIDE = 32, 128
"""Pixels of one cell of the detector, and of its input."""
COLOURS = ("red", "green", "blue")
_OPSET, _IR = 17, 10
_LICENCE = "Anyone may do anything with this.\n"


def detector(folder: Path, labels: Sequence[str] = ("Ball", "Plant", "Suitcase")) -> Path:
    """A detector of decoder `yolox`: a 32-pixel cell in which red, green or blue alone is bright is an object.

    Args: folder: where the .onnx and the .toml go. labels: what a red, green and blue cell is called.
    Returns: the manifest's path.
    """
    cells = (SIDE // CELL) ** 2
    fixed = np.zeros((1, cells, 4), np.float32)
    fixed[..., :2] = 0.5  # a box's middle is its cell's
    fixed[..., 2:] = math.log(1)  # and it is as large as the cell
    others = np.full((3, 3), -1, np.float32) + 2 * np.eye(3, dtype=np.float32)
    nodes = [
        helper.make_node("AveragePool", ["x"], ["cells"], kernel_shape=[CELL, CELL], strides=[CELL, CELL]),
        helper.make_node("Flatten", ["cells"], ["flat"], axis=2),
        helper.make_node("Reshape", ["flat", "shape"], ["rows3"]),
        helper.make_node("Transpose", ["rows3"], ["rows"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["rows", "others"], ["pure"]),
        helper.make_node("Clip", ["pure", "zero", "one"], ["classes"]),
        helper.make_node("Concat", ["boxes", "sure", "classes"], ["out"], axis=2),
    ]
    stored = {
        "shape": np.array([1, 3, cells], np.int64),
        "others": others,
        "zero": np.float32(0),
        "one": np.float32(1),
        "boxes": fixed,
        "sure": np.ones((1, cells, 1), np.float32),
    }
    model = _model(nodes, stored, ("x", TensorProto.FLOAT, [1, 3, SIDE, SIDE]), ("out", [1, cells, 8]))
    entry = {
        "input": {**_input([1, 3, SIDE, SIDE]), "fit": "letterbox", "fill": 0},
        "output": {"decoder": "yolox", "strides": [CELL], "classes": list(labels), "score_threshold": 0.3},
    }
    return _written(folder, "colour_cells", {"objects": (model, entry)})


def embedder(folder: Path) -> Path:
    """An embedder: a face's vector is its colours in four quarters. Returns: the manifest's path."""
    nodes = [
        helper.make_node("AveragePool", ["x"], ["quarters"], kernel_shape=[56, 56], strides=[56, 56]),
        helper.make_node("Flatten", ["quarters"], ["out"], axis=1),
    ]
    model = _model(nodes, {}, ("x", TensorProto.FLOAT, ["N", 3, 112, 112]), ("out", ["N", 12]))
    entry = {
        "face_model_version": "quarters-1.0",
        "input": {**_input(["N", 3, 112, 112]), "fit": "none", "mean": [127.5] * 3, "std": [127.5] * 3},
        "output": {"decoder": "embedding"},
    }
    calibration = {
        "version": "1.0",
        "model": "quarters_embed",
        "metric": "cosine",
        "fitted_on": "nothing: a model for tests",
        "false_match_rates": [[0.2, 1e-1], [0.6, 1e-2], [0.9, 1e-3]],
        "similarities": [[-1.0, 0.0], [0.2, 0.3], [0.6, 0.6], [0.9, 0.8], [1.0, 1.0]],
    }
    return _written(folder, "quarters", {"embed": (model, entry)}, calibration)


def classifier(folder: Path, task: str, labels: Sequence[str], **calibration: Any) -> Path:
    """A classifier for `tags` or `moderation`: how red, green and blue a picture is. Returns: the manifest's path."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["x"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["out"], axis=1),
    ]
    model = _model(nodes, {}, ("x", TensorProto.FLOAT, [1, 3, 32, 32]), ("out", [1, 3]))
    entry = {
        "input": {**_input([1, 3, 32, 32]), "fit": "stretch"},
        "output": {"decoder": "classes", "activation": "none", "classes": list(labels)},
        **({"calibration": calibration} if calibration else {}),
    }
    return _written(folder, f"hue_{task}", {task: (model, entry)})


def vocabulary(folder: Path) -> Path:
    """Two encoders that share a space of three colours, and a tokenizer that knows their names.

    Returns: the manifest's path.
    """
    from tokenizers import Tokenizer, models, pre_tokenizers  # noqa: PLC0415 - for whoever tests a vocabulary

    image = _model(
        [
            helper.make_node("GlobalAveragePool", ["x"], ["mean"]),
            helper.make_node("Flatten", ["mean"], ["out"], axis=1),
        ],
        {},
        ("x", TensorProto.FLOAT, [1, 3, 32, 32]),
        ("out", [1, 3]),
    )
    table = np.concatenate([np.full((1, 3), 0.01, np.float32), np.eye(3, dtype=np.float32)])
    text = _model(
        [
            helper.make_node("Gather", ["table", "input_ids"], ["words"]),
            helper.make_node("ReduceSum", ["words", "axis"], ["out"], keepdims=0),
        ],
        {"table": table, "axis": np.array([1], np.int64)},
        ("input_ids", TensorProto.INT64, [1, 8]),
        ("out", [1, 3]),
    )
    words = {"<none>": 0, **{colour: number for number, colour in enumerate(COLOURS, 1)}}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<none>"))  # noqa: S106 - not that kind of token
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text(json.dumps(json.loads(tokenizer.to_str())))
    given = {"url": "tokenizer.json", "sha256": _sha256((folder / "tokenizer.json").read_bytes())}
    entries: dict[str, tuple[bytes, dict[str, Any]]] = {
        "image_encoder": (
            image,
            {
                "input": {**_input([1, 3, 32, 32]), "fit": "stretch"},
                "output": {"decoder": "embedding", "logit_scale": 10.0, "template": "{}", "neutral": ["thing"]},
            },
        ),
        "text_encoder": (
            text,
            {"files": {"tokenizer": given}, "output": {"decoder": "embedding", "tokens": 8, "pad": 0}},
        ),
    }
    return _written(folder, "colours", entries)


def _input(shape: list[int | str]) -> dict[str, Any]:
    return {"shape": shape, "layout": "NCHW", "colour": "RGB", "mean": [0.0] * 3, "std": [255.0] * 3}


def _model(
    nodes: Iterable[Any], stored: Mapping[str, Floats | Any], taken: tuple[str, int, list[Any]], given: tuple[str, Any]
) -> bytes:
    ends = (
        helper.make_tensor_value_info(*taken),
        helper.make_tensor_value_info(given[0], TensorProto.FLOAT, given[1]),
    )
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in stored.items()]
    graph = helper.make_graph(list(nodes), "colours", ends[:1], ends[1:], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


def _written(
    folder: Path, name: str, models: Mapping[str, tuple[bytes, dict[str, Any]]], calibration: Any = None
) -> Path:
    """Lay models, licence and manifest into a folder, as a maker would publish them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "LICENCE.txt").write_text(_LICENCE)
    entries = []
    for task, (content, entry) in models.items():
        (folder / f"{name}_{task}.onnx").write_bytes(content)
        entries.append(
            {
                "name": f"{name}_{task}",
                "task": task,
                "url": f"{name}_{task}.onnx",
                "sha256": _sha256(content),
                "licence_code": "0BSD",
                "licence_weights": "0BSD",
                "licence_use": "permissive",
                "licence_files": ["LICENCE.txt"],
                "limits": "Sees colours only.",
                **entry,
            }
        )
    head = {"id": name, "version": "1.0.0", "title": name, "summary": "For tests.", "limits": ["Sees colours only."]}
    manifest = {"pack": head, **({"calibration": calibration} if calibration else {}), "models": entries}
    (folder / f"{name}.toml").write_text(tomli_w.dumps(manifest))
    return folder / f"{name}.toml"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
