# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any


def test_models_are_listed_with_what_none_supports(overt: Callable[..., Any]) -> None:
    told = json.loads(overt("models", "list", "--json").stdout)
    assert {model["task"] for model in told["models"]} >= {"detect", "embed", "mesh", "age", "gender", "emotion"}
    assert told["unsupported_face_attributes"] == ["BEARD", "EYEGLASSES", "FACE_OCCLUDED", "MUSTACHE", "SUNGLASSES"]


def test_every_installed_file_is_what_its_pack_says(overt: Callable[..., Any]) -> None:
    done = overt("models", "verify", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout) == {"packs": {"faces": {"ok": True, "problems": []}}}


def test_every_model_has_licences_and_a_source(overt: Callable[..., Any]) -> None:
    for model in json.loads(overt("models", "licenses", "--json").stdout)["models"]:
        assert model["weights"] in {"MIT", "Apache-2.0", "CC0-1.0"}
        assert all("==" in source for source in model["sources"])
        assert model["files"]
