# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from overt.cli.classes import columns, tags
from overt.cli.output import CommandError

CLASSES = ("Tench", "Goldfish", "", "Crane", "Digital Clock", "Crane")


def test_folders_are_numbers_or_labels_of_classes() -> None:
    assert columns(["1", "tench", "Crane"], CLASSES) == {"1": [1], "tench": [0], "Crane": [3, 5]}


def test_all_wordnet_ids_are_numbered_in_their_order() -> None:
    """As ImageNet's classes are: n01440764, its first, is a tench."""
    names = ["n02000003", "n01440764", "n01443537", "n03000000", "n09000000", "n04000000"]
    assert columns(names, CLASSES) == {name: [number] for number, name in enumerate(sorted(names))}


def test_some_wordnet_ids_tell_no_class() -> None:
    with pytest.raises(CommandError, match=r"2 folders named by WordNet ids.*all 6"):
        columns(["n01440764", "n01443537"], CLASSES)


@pytest.mark.parametrize("name", ["6", "Unicorn", "²"])
def test_a_folder_that_is_no_class_is_named(name: str) -> None:
    with pytest.raises(CommandError, match=f"no class of the tagger: {name}; .*0 to 5"):
        columns(["Tench", name], CLASSES)


def test_real_photos_are_measured(
    overt: Callable[..., Any], photos: Path, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A cup of coffee with a spoon is an espresso; a portrait is no fish."""
    for name, photo in {"967": "coffee.png", "Tench": "obama.jpg"}.items():
        (tmp_path / "set" / name).mkdir(parents=True)
        shutil.copy(photos / photo, tmp_path / "set" / name)
    (tmp_path / "set" / "967" / "bad.jpg").write_text("no picture")
    done = overt("eval", "tags", tmp_path / "set", "--home", home, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["pictures"], told["classes"]) == (2, 2)
    assert list(told["unreadable"]) == [str(tmp_path / "set" / "967" / "bad.jpg")]
    assert (told["top5"]["count"], told["top5"]["n"]) == (1, 2)
    assert told["top5"]["low"] < 0.5 < told["top5"]["high"]
    assert told["folders"]["967"]["top5"]["value"] == 1
    assert told["folders"]["Tench"]["top5"]["value"] == 0
    tags(tmp_path / "set", home)
    shown = " ".join(capsys.readouterr().out.split())
    assert "2 pictures of 2 classes" in shown
    assert "1 pictures could not be read" in shown
    assert "among five 0.5000 0.0126 .. 0.9874 1 of 2" in shown


def test_a_folder_without_pictures_is_told(home: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no image found"):
        tags(tmp_path, home)
    (tmp_path / "Unicorn").mkdir()
    Image.new("RGB", (80, 80)).save(tmp_path / "Unicorn" / "a.png")
    with pytest.raises(CommandError, match="Unicorn"):
        tags(tmp_path, home)
