# SPDX-License-Identifier: Apache-2.0
"""pack.toml is true and complete: digests, licences, sources, label files, calibration and costs."""

import hashlib
import re
import tomllib
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from overt_pack_vision import folder

SHA256 = re.compile(r"[0-9a-f]{64}")
TASKS = ["objects", "tags", "keypoints", "moderation", "text_detect", "text_recognise", "text_angle", "face_cover"]


def test_pack_and_distribution_have_one_version(pack: dict[str, Any]) -> None:
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert pack["pack"]["version"] == project["version"]
    assert pack["pack"]["id"] in project["entry-points"]["overt.models"]


def test_each_task_has_one_model(pack: dict[str, Any]) -> None:
    assert [model["task"] for model in pack["models"]] == TASKS


def test_folder_holds_exactly_the_listed_models(pack: dict[str, Any]) -> None:
    own = {model["file"] for model in pack["models"] if "package" not in model}
    assert {path.name for path in folder().glob("*.onnx")} == own


def test_file_has_its_digest_and_size(model: dict[str, Any], find_weights: Callable[[dict[str, Any]], Path]) -> None:
    content = find_weights(model).read_bytes()
    assert (hashlib.sha256(content).hexdigest(), len(content)) == (model["sha256"], model["bytes"])


def test_distribution_asks_for_the_packages_that_hold_models(pack: dict[str, Any]) -> None:
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {re.split(r"[=<>]", requirement)[0] for requirement in project["dependencies"]}
    assert asked == {source["package"] for model in pack["models"] if "package" in model for source in model["source"]}


def test_a_model_of_another_package_is_its_member_as_it_is(pack: dict[str, Any]) -> None:
    for model in (model for model in pack["models"] if "package" in model):
        (source,) = model["source"]
        assert source["member"] == f"{model['package']}/{model['file']}"
        assert source["member_sha256"] == model["sha256"]


def test_licences_are_named_and_present(model: dict[str, Any]) -> None:
    assert model["licence_code"]
    assert model["licence_weights"]
    assert model["licence_use"] in {"permissive", "attribution", "research-only", "unclear"}
    for name in model["licence_files"]:
        assert (folder() / name).stat().st_size > 0
    texts = " ".join(model["licence_files"])
    assert model["licence_code"] in texts
    assert model["licence_weights"] in texts


def test_notice_tells_of_every_file_and_licence(pack: dict[str, Any]) -> None:
    notice = (folder() / "LICENSES" / "NOTICE").read_text(encoding="utf-8")
    assert all(model["file"] in notice for model in pack["models"])
    assert all(path.name in notice for path in (folder() / "LICENSES").iterdir() if path.name != "NOTICE")


def test_model_card_tells_of_every_file(model: dict[str, Any]) -> None:
    card = (folder() / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert model["file"] in card
    assert model["sha256"] in card


def test_sources_are_pinned(model: dict[str, Any]) -> None:
    assert model["source"]
    for source in model["source"]:
        assert source["registry"] in {"PyPI", "npm"}
        assert all(source[key] for key in ("package", "version", "archive", "member", "upstream"))
        assert SHA256.fullmatch(source["archive_sha256"])
        assert SHA256.fullmatch(source["member_sha256"])


def test_costs_are_measured(model: dict[str, Any]) -> None:
    assert model["megabytes"] > 0
    assert model["milliseconds"] > 0


@pytest.mark.parametrize(("task", "count"), [("objects", 80), ("tags", 1000), ("moderation", 2)])
def test_label_file_has_a_line_for_each_class(task: str, count: int, pack: dict[str, Any]) -> None:
    (model,) = (model for model in pack["models"] if model["task"] == task)
    lines = (folder() / model["output"]["classes"]).read_text(encoding="utf-8").splitlines()
    named = [line for line in lines if line]
    assert len(lines) == count
    assert all(line == line.strip() for line in named)
    assert len(named) == (1 if task == "moderation" else count)


def test_calibration_rises_from_nothing_to_certainty(pack: dict[str, Any]) -> None:
    for model in pack["models"]:
        if model["task"] in {"objects", "tags", "face_cover"}:
            calibration = model["calibration"]
            assert calibration["fitted_on"]
            assert calibration["confidences"][0] == [0, 0]
            assert calibration["confidences"][-1] == [1, 1]
            for (score, confidence), (higher_score, higher_confidence) in pairwise(calibration["confidences"]):
                assert score < higher_score
                assert confidence <= higher_confidence


def test_what_reads_the_embedding_of_another_model_names_that_model(pack: dict[str, Any]) -> None:
    (linear,) = (model for model in pack["models"] if model["output"]["decoder"] == "linear")
    (read,) = (model for model in pack["models"] if model["name"] == linear["output"]["space"])
    assert linear["output"]["space_sha256"] == read["sha256"]
    assert linear["input"]["shape"][1] == read["output"]["dim"]
