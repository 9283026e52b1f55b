# SPDX-License-Identifier: Apache-2.0
"""A model whose answers cannot be right is told before anybody relies on it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from overt.models import trial
from overt.models.additions import Additions, Wanted
from overt.models.hub import Hub
from overt.models.pack import PackError
from overt.testing import networks


def tried(folder: Path, manifest: Path) -> str:
    """What is wrong with the pack of a manifest, in words; "" when nothing was found."""
    try:
        with Additions(folder / "models").fetched(Wanted(manifest=str(manifest))):
            return ""
    except PackError as error:
        return str(error)


def change(manifest: Path, table: str, **values: Any) -> Path:
    whole = tomllib.loads(manifest.read_text())
    whole["models"][0].setdefault(table, {}).update(values)
    manifest.write_text(tomli_w.dumps(whole))
    return manifest


@pytest.mark.parametrize("task", ["tags", "moderation"])
def test_scores_that_are_no_probabilities(tmp_path: Path, task: str) -> None:
    manifest = networks.classifier(tmp_path, task, ["Smoking", "Weapons", ""])
    change(manifest, "input", std=[1.0, 1.0, 1.0])
    assert "not in 0..1: is the activation right?" in tried(tmp_path, manifest)


def test_a_model_that_sees_nothing(tmp_path: Path) -> None:
    manifest = networks.classifier(tmp_path, "tags", ["A", "B", "C"])
    change(manifest, "input", std=[1e12, 1e12, 1e12])
    assert "every picture gets the same scores" in tried(tmp_path, manifest)


def test_an_embedder_that_sees_nothing(tmp_path: Path) -> None:
    manifest = networks.embedder(tmp_path)
    change(manifest, "input", mean=[1e9] * 3, std=[1.0] * 3)
    assert "every face gets the same vector" in tried(tmp_path, manifest)


def test_an_embedder_of_another_size(tmp_path: Path) -> None:
    manifest = networks.embedder(tmp_path)
    change(manifest, "input", shape=["N", 3, 96, 96])
    assert "112 x 112" in tried(tmp_path, manifest)


def test_good_models_pass(tmp_path: Path) -> None:
    for place, make in enumerate((networks.detector, networks.embedder, networks.vocabulary)):
        assert tried(tmp_path / str(place), make(tmp_path / f"made{place}")) == ""


def test_the_installed_models_pass() -> None:
    hub = Hub.discover()
    assert trial.problems(hub, [model.task for model in hub.models]) == []


def test_a_task_without_a_model_is_told() -> None:
    (told,) = trial.problems(Hub([]), ["objects"])
    assert told == "objects: no installed pack offers objects; pip install overt-pack-vision"
