# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from overt.cli import unsafe
from overt.cli.output import CommandError

Measure = Callable[..., dict[str, Any]]


@pytest.fixture
def measure(home: Path, capsys: pytest.CaptureFixture[str]) -> Measure:
    def run(folder: Path, confidence: float = 50) -> dict[str, Any]:
        unsafe.moderation(folder, confidence, home, as_json=True)
        told: dict[str, Any] = json.loads(capsys.readouterr().out)
        return told

    return run


@pytest.fixture
def folder(tmp_path: Path, photos: Path) -> Path:
    """Safe photos, and two that are only said to be something else."""
    root = tmp_path / "set"
    for name, photo in {"safe": "obama.jpg", "weapons": "coffee.png", "Middle Finger": "biden.jpg"}.items():
        (root / name).mkdir(parents=True)
        shutil.copy(photos / photo, root / name)
    (root / "safe" / "bad.png").write_text("no picture")
    return root


def test_labels_and_those_above_them_are_measured(
    measure: Measure, folder: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = measure(folder)
    assert told["pictures"] == 3
    assert list(told["unreadable"]) == [str(folder / "safe" / "bad.png")]
    assert told["categories"].keys() == {"Violence", "Weapons"}
    weapons = told["categories"]["Weapons"]
    assert (weapons["recall"]["count"], weapons["recall"]["n"]) == (0, 1)  # a cup of coffee is none
    assert weapons["false_alarms"]["n"] == 2
    assert 0 < weapons["average_precision"] <= 1
    assert told["safe_pictures_with_a_label"]["n"] == 1
    unsafe.moderation(folder, 50, home)
    shown = capsys.readouterr().out
    assert "no installed model can tell it: Rude Gestures, Middle Finger" in shown
    assert "1 pictures could not be read" in shown
    assert "0 of 1" in shown


def test_what_no_model_can_tell_is_named_and_not_measured(measure: Measure, folder: Path) -> None:
    assert measure(folder)["unsupported"] == ["Rude Gestures", "Middle Finger"]


def test_the_threshold_is_what_a_caller_would_ask_for(measure: Measure, folder: Path) -> None:
    """From confidence 0 on, every label that can be told is given to every picture."""
    told = measure(folder, 0)
    assert told["categories"]["Weapons"]["recall"]["value"] == 1
    assert told["categories"]["Weapons"]["precision"]["value"] == pytest.approx(1 / 3)
    assert told["safe_pictures_with_a_label"]["value"] == 1
    assert told["labels_of_safe_pictures"]["Weapons"] == 1


def test_pictures_known_only_by_a_label_above_say_nothing_of_it() -> None:
    seen = {"Violence": [{"Weapons": 0.9}], "Weapons": [{"Weapons": 0.8}], "safe": [{"Weapons": 0.6}, {}]}
    figures = unsafe._measured("Weapons", seen, 0.5)
    assert (figures["precision"]["count"], figures["precision"]["n"]) == (1, 2)
    assert (figures["recall"]["count"], figures["recall"]["n"]) == (1, 1)
    assert figures["false_alarms"]["n"] == 2
    assert figures["average_precision"] == 1
    above = unsafe._measured("Violence", {name: [{"Violence": 0.7}] for name in seen}, 0.5)
    assert above["recall"]["n"] == 2


def test_folders_that_are_no_label_are_named(tmp_path: Path, home: Path) -> None:
    (tmp_path / "Jaywalking").mkdir()
    Image.new("RGB", (80, 80)).save(tmp_path / "Jaywalking" / "a.png")
    with pytest.raises(CommandError, match=r"no moderation label, nor 'safe': Jaywalking"):
        unsafe.moderation(tmp_path, 50, home)


def test_without_safe_pictures_that_is_told(
    folder: Path, home: Path, capsys: pytest.CaptureFixture[str], measure: Measure
) -> None:
    shutil.rmtree(folder / "safe")
    assert measure(folder)["safe_pictures_with_a_label"] is None
    unsafe.moderation(folder, 50, home)
    assert "whether safe pictures are left alone was not measured" in capsys.readouterr().out
