# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from overt.cli.boxes import objects
from overt.cli.output import CommandError

Measure = Callable[..., dict[str, Any]]


@pytest.fixture
def measure(home: Path, capsys: pytest.CaptureFixture[str]) -> Measure:
    def run(coco: Path, images: Path) -> dict[str, Any]:
        objects(coco, images, home, as_json=True)
        told: dict[str, Any] = json.loads(capsys.readouterr().out)
        return told

    return run


def portrait(tmp_path: Path, photos: Path, **changes: Any) -> Path:
    """The truth of one photo, which shows a person from the chest up; it fills most of the picture."""
    box = {"id": 1, "image_id": 7, "category_id": 3, "bbox": [20, 15, 420, 497], "area": 420 * 497, "iscrowd": 0}
    document = {
        "images": [{"id": 7, "file_name": "astronaut.png"}],
        "annotations": [box],
        "categories": [{"id": 3, "name": "person"}, {"id": 9, "name": "mouse"}],
    }
    shutil.copy(photos / "astronaut.png", tmp_path)
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(document | changes))
    return path


def test_real_pictures_are_measured_as_coco_measures(
    measure: Measure, shared_data: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shared_data / "coco_train_ccby"
    told = measure(folder / "instances.json", folder / "images")
    assert (told["images"], told["boxes"], told["unreadable"], told["unmapped_categories"]) == (12, 66, {}, [])
    assert 0.1 < told["ap"] < told["ap50"] < 1
    low, high = told["ap_interval"]
    assert low < told["ap"] < high
    assert told["categories"]["dog"] > 0.5
    assert told["categories"]["toilet"] > 0.5
    objects(folder / "instances.json", folder / "images", home)
    shown = capsys.readouterr()
    assert f"AP at IoU 0.50         {told['ap50']:.4f}" in shown.out
    assert "12 pictures, 66 boxes" in shown.out
    assert "looking" in shown.err


def test_categories_go_by_the_names_of_the_taxonomy(measure: Measure, photos: Path, tmp_path: Path) -> None:
    told = measure(portrait(tmp_path, photos), tmp_path)
    assert told["unmapped_categories"] == []  # the computer's mouse among them
    assert told["ap50"] == pytest.approx(1)
    assert told["categories"] == {"person": told["ap"]}
    assert told["boxes"] == 1


def test_categories_that_the_detector_has_no_label_for_are_told_and_left_out(
    measure: Measure, photos: Path, tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    categories = [{"id": 3, "name": "person"}, {"id": 4, "name": "gizmo"}, {"id": 5, "name": "Tench"}]
    other = {"id": 2, "image_id": 7, "category_id": 4, "bbox": [0, 0, 50, 50], "iscrowd": 0}
    path = portrait(tmp_path, photos, categories=categories)
    document = json.loads(path.read_text())
    path.write_text(json.dumps(document | {"annotations": [*document["annotations"], other]}))
    told = measure(path, tmp_path)
    assert told["unmapped_categories"] == ["gizmo", "Tench"]
    assert told["boxes"] == 1
    objects(path, tmp_path, home)
    assert "no label for it: gizmo, Tench" in capsys.readouterr().out


def test_a_picture_that_cannot_be_read_is_told_and_left_out(measure: Measure, photos: Path, tmp_path: Path) -> None:
    images = [{"id": 7, "file_name": "astronaut.png"}, {"id": 8, "file_name": "lost.jpg"}]
    told = measure(portrait(tmp_path, photos, images=images), tmp_path)
    assert told["unreadable"] == {str(tmp_path / "lost.jpg"): "No such file or directory"}
    assert (told["images"], told["boxes"]) == (1, 1)
    assert told["ap50"] > 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"images": None}, "not a COCO instances file"),
        ({"categories": [{"id": 3, "name": "gizmo"}]}, "knows none of the categories"),
        ({"images": [{"id": 7, "file_name": "lost.jpg"}]}, "none of 1 pictures can be read"),
    ],
)
def test_what_cannot_be_measured_is_told(
    home: Path, photos: Path, tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    path = portrait(tmp_path, photos, **changes)
    with pytest.raises(CommandError, match=words):
        objects(path, tmp_path, home)


def test_missing_files_are_told(home: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="there is no file"):
        objects(tmp_path / "none.json", tmp_path, home)
    with pytest.raises(CommandError, match="there is no folder"):
        objects(tmp_path / "none.json", tmp_path / "none", home)


def test_without_pycocotools_it_says_how_to_get_it(
    home: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(CommandError, match=r"pip install \"overt\[eval\]\""):
        objects(portrait(tmp_path, photos), tmp_path, home)
