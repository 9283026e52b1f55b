# SPDX-License-Identifier: Apache-2.0
"""pack.toml is true and complete: digests, licences, sources and calibration."""

import hashlib
import re
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

from overt_pack_faces import folder

SHA256 = re.compile(r"[0-9a-f]{64}")
TASKS = ["detect", "embed", "age", "gender", "mesh", "iris", "emotion"]


def test_pack_and_distribution_have_one_version(pack: dict[str, Any]) -> None:
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert pack["pack"]["version"] == project["version"]
    assert pack["pack"]["id"] in project["entry-points"]["overt.models"]


def test_each_task_has_one_model(pack: dict[str, Any]) -> None:
    assert [model["task"] for model in pack["models"]] == TASKS


def test_folder_holds_exactly_the_listed_models(pack: dict[str, Any]) -> None:
    assert {path.name for path in folder().glob("*.onnx")} == {model["file"] for model in pack["models"]}


def test_file_has_its_digest_and_size(model: dict[str, Any]) -> None:
    content = (folder() / model["file"]).read_bytes()
    assert (hashlib.sha256(content).hexdigest(), len(content)) == (model["sha256"], model["bytes"])


def test_licences_are_named_and_present(model: dict[str, Any]) -> None:
    assert model["licence_code"]
    assert model["licence_weights"]
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


def test_only_the_embedder_has_a_face_model_version(pack: dict[str, Any]) -> None:
    versions = {model["task"]: model.get("face_model_version") for model in pack["models"]}
    assert versions.pop("embed") == "sface-2021dec-1.0"
    assert set(versions.values()) == {None}


def test_calibration_belongs_to_the_embedder(pack: dict[str, Any]) -> None:
    embedder = next(model for model in pack["models"] if model["task"] == "embed")
    assert pack["calibration"]["model"] == embedder["name"]
    assert pack["calibration"]["metric"] == embedder["output"]["metric"]
    assert pack["calibration"]["fitted_on"]


def test_calibration_is_monotone(pack: dict[str, Any]) -> None:
    calibration = pack["calibration"]
    for (cosine, rate), (higher_cosine, lower_rate) in pairwise(calibration["false_match_rates"]):
        assert cosine < higher_cosine
        assert rate > lower_rate
    for (rate, found), (lower_rate, fewer_found) in pairwise(calibration["true_match_rates"]):
        assert rate > lower_rate
        assert found > fewer_found
    for (cosine, similarity), (higher_cosine, higher_similarity) in pairwise(calibration["similarities"]):
        assert cosine < higher_cosine
        assert similarity < higher_similarity


def test_calibration_spans_every_cosine_and_names_a_rate_for_each_point(pack: dict[str, Any]) -> None:
    calibration = pack["calibration"]
    similarities = calibration["similarities"]
    assert similarities[0] == [-1.0, 0.0]
    assert similarities[-1] == [1.0, 1.0]
    assert [cosine for cosine, _ in similarities[1:-1]] == [cosine for cosine, _ in calibration["false_match_rates"]]
    assert [rate for _, rate in calibration["false_match_rates"]] == [rate for rate, _ in calibration["true_match_rates"]]
