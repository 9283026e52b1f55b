# SPDX-License-Identifier: Apache-2.0
"""What the tests share: the pack's folder and table, and onnxruntime sessions on one thread. No network anywhere."""

import importlib.util
import os
import sys
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read when onnxruntime is first imported: tests talk to nobody

import onnxruntime
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "build"), str(ROOT.parent / "build")]

from overt_pack_vision import folder  # noqa: E402 - the path comes first

PACK = tomllib.loads((folder() / "pack.toml").read_text(encoding="utf-8"))


def weights(model: dict[str, Any]) -> Path:
    """A model's ONNX file, in this pack or in the installed package that its table names. That package is not imported."""
    if "package" not in model:
        return folder() / str(model["file"])
    spec = importlib.util.find_spec(model["package"])
    assert spec is not None, f"{model['package']} is not installed"
    assert spec.origin is not None
    return Path(spec.origin).parent / str(model["file"])


@cache
def session(name: str) -> onnxruntime.InferenceSession:
    """A session of the named model on one thread."""
    (model,) = (model for model in PACK["models"] if model["name"] == name)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(weights(model), options, providers=["CPUExecutionProvider"])


@pytest.fixture(name="pack")
def pack_table() -> dict[str, Any]:
    """The content of pack.toml."""
    return PACK


@pytest.fixture(name="open_session")
def session_opener() -> Callable[[str], onnxruntime.InferenceSession]:
    """Opens a session by model name; one per name for the whole run."""
    return session


@pytest.fixture(name="find_weights")
def weights_finder() -> Callable[[dict[str, Any]], Path]:
    """Finds a model's ONNX file."""
    return weights


@pytest.fixture(name="model", params=PACK["models"], ids=lambda model: model["name"])
def each_model(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Every [[models]] table in turn."""
    table: dict[str, Any] = request.param
    return table
