# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import sqlite3
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from overt.models.taxonomy.unsafe import LEVELS
from overt.testing import networks


def test_models_are_listed_with_their_costs_and_what_none_supports(told: Callable[..., Any]) -> None:
    result = told("models", "list")
    rows = {row["task"]: row for row in result["models"]}
    assert {"detect", "embed", "objects", "tags", "keypoints", "moderation", "text_recognise"} <= set(rows)
    assert all(row["megabytes"] > 0 and row["milliseconds"] > 0 and row["in_use"] for row in rows.values())
    assert result["unsupported_face_attributes"] == ["BEARD", "EYEGLASSES", "FACE_OCCLUDED", "MUSTACHE", "SUNGLASSES"]
    assert list(result["moderation"]) == list(LEVELS)
    assert result["moderation"]["Explicit Nudity"] == "open_nsfw"
    assert result["moderation"]["Corpses"] == ""
    assert result["problems"] == {}


def test_the_support_table_is_printed(overt: Callable[..., Any], home: Path) -> None:
    printed = overt("models", "list", "--home", home).stdout
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    assert "Explicit Nudity 2 open_nsfw" in lines
    assert sum(line.endswith("unsupported") for line in lines) > 30


def test_every_installed_file_is_what_its_pack_says(overt: Callable[..., Any], home: Path) -> None:
    done = overt("models", "verify", "--home", home, "--json")
    assert done.returncode == 0
    fine = {"ok": True, "problems": []}
    assert json.loads(done.stdout) == {"packs": {"faces": fine, "vision": fine}, "problems": {}}


def test_every_model_has_licences_and_a_source(told: Callable[..., Any]) -> None:
    for model in told("models", "licenses")["models"]:
        assert model["weights"] in {"MIT", "Apache-2.0", "CC0-1.0", "BSD-2-Clause"}
        assert model["use"] == "permissive"
        assert all("==" in source for source in model["sources"])
        assert model["files"]


def test_a_model_is_added_listed_recorded_and_removed(told: Callable[..., Any], tmp_path: Path, home: Path) -> None:
    manifest = networks.detector(tmp_path / "made")
    added = told("models", "add", f"manifest={manifest}", "slot=objects")
    assert added["slots"] == ["objects"]
    rows = [row for row in told("models", "list")["models"] if row["task"] == "objects"]
    assert [(row["model"], row["in_use"]) for row in rows] == [
        ("colour_cells_objects", True),
        ("nanodet_g_416", False),
    ]
    assert told("models", "remove", "slot=objects") == {"slots": ["objects"]}
    assert [row["in_use"] for row in told("models", "list")["models"] if row["task"] == "objects"] == [True]
    with sqlite3.connect(home / "overt.db") as database:
        recorded = database.execute("SELECT operation, key_id, outcome FROM records ORDER BY time").fetchall()
    database.close()
    assert recorded == [("AddModel", "local", "ok"), ("RemoveModel", "local", "ok")]


def licensed(folder: Path, use: str) -> Path:
    manifest = networks.detector(folder)
    table = tomllib.loads(manifest.read_text())
    table["models"][0] |= {"licence_use": use, "licence_weights": "ACME research terms"}
    manifest.write_text(tomli_w.dumps(table))
    return manifest


@pytest.mark.parametrize("use", ["attribution", "research-only", "unclear"])
def test_a_licence_that_asks_for_more_must_be_accepted(
    overt: Callable[..., Any], told: Callable[..., Any], tmp_path: Path, home: Path, use: str
) -> None:
    manifest = licensed(tmp_path / "made", use)
    done = overt("models", "add", f"manifest={manifest}", "--home", home)
    assert done.returncode == 1
    assert f"ACME research terms, code 0BSD ({use}); read the licence, then say --accept-licence" in done.stderr
    assert list((home / "models").iterdir()) == []
    assert told("models", "add", f"manifest={manifest}", "--accept-licence")["slots"] == ["objects"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("add", "objects"), "'objects' is none of manifest=..., sha256=..., slot=..., url=..."),
        (("add", "slot=objects"), "give url=... of a model, or manifest=..."),
        (("add", "url=/no/such/model.onnx"), "/no/such/model.toml cannot be read"),
        (("remove", "slot=objects"), "nothing was added to the slot objects"),
        (("remove", "url=x"), "'url=x' is none of slot=..."),
    ],
)
def test_wrong_words_are_told(overt: Callable[..., Any], home: Path, words: tuple[str, ...], told: str) -> None:
    done = overt("models", *words, "--home", home)
    assert done.returncode == 1
    assert told in done.stderr
    assert "Traceback" not in done.stderr
