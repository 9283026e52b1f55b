# SPDX-License-Identifier: Apache-2.0
"""One picture in, everything that can be told of it out: in words, as JSON and drawn."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from overt.cli import pictures
from overt.cli.image import ANALYSES, image
from overt.cli.output import CommandError
from overt.errors import InvalidImageFormatException

OPERATIONS = [
    "DetectFaces",
    "DetectLabels",
    "DetectLabels",
    "DetectModerationLabels",
    "DetectProtectiveEquipment",
    "DetectText",
]


@pytest.fixture
def look(home: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """Runs the command in this process with --json; gives what it printed."""

    def run(photo: Path, out: Path | None = None) -> dict[str, Any]:
        image(photo, out, home, as_json=True)
        told: dict[str, Any] = json.loads(capsys.readouterr().out)
        return told

    return run


def sign(tmp_path: Path) -> Path:
    path = tmp_path / "sign.jpg"
    path.write_bytes(pictures.sign())
    return path


def test_a_portrait_is_told_by_every_analysis_and_drawn(
    look: Callable[..., Any], photos: Path, home: Path, tmp_path: Path
) -> None:
    out = tmp_path / "drawn.png"
    told = look(photos / "astronaut.png", out)
    assert (told["width"], told["height"], told["refused"]) == (512, 512, {})
    assert told["answers"].keys() == ANALYSES.keys()
    labels = {label["Name"]: label for label in told["answers"]["labels"]["Labels"]}
    assert len(labels["Person"]["Instances"]) == 1
    (face,) = told["answers"]["faces"]["FaceDetails"]
    assert face["Smile"]["Value"]
    (person,) = told["answers"]["equipment"]["Persons"]
    assert {"FACE", "HEAD"} <= {part["Name"] for part in person["BodyParts"]}
    colours = told["answers"]["colours"]["ImageProperties"]["DominantColors"]
    assert {colour["SimplifiedColor"] for colour in colours} & {"red", "orange"}  # her suit
    assert "Corpses" in told["unsupported"]["moderation"]
    assert "BEARD" in told["unsupported"]["faces"]
    with Image.open(out) as drawn:
        assert drawn.format == "PNG"
        assert drawn.width == 960  # enlarged, so that captions fit
        assert drawn.height > 960  # notes and colours are below it
    with sqlite3.connect(home / "overt.db") as database:
        recorded = database.execute("select operation from records").fetchall()
    database.close()
    assert sorted(name for (name,) in recorded) == OPERATIONS


def test_text_is_read_and_drawn_where_the_command_is_called(
    look: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    told = look(sign(tmp_path))
    lines = [one["DetectedText"] for one in told["answers"]["text"]["TextDetections"] if one["Type"] == "LINE"]
    assert lines[0] == "HARBOUR MUSEUM"
    assert len(lines) == len(pictures.SIGN)
    assert told["answers"]["faces"]["FaceDetails"] == []
    assert told["drawn"] == "sign-overt.png"
    assert [path.name for path in Path.cwd().iterdir()] == ["sign-overt.png"]


def test_what_one_analysis_refuses_the_others_tell(look: Callable[..., Any], tmp_path: Path) -> None:
    """Protective equipment takes no side beyond 4,096 pixels; the other operations do."""
    Image.new("RGB", (5000, 200), "teal").save(tmp_path / "long.png")
    told = look(tmp_path / "long.png", tmp_path / "drawn.png")
    assert told["refused"].keys() == {"equipment"}
    assert "4096" in told["refused"]["equipment"]
    assert told["answers"]["colours"]["ImageProperties"]["DominantColors"][0]["CSSColor"] == "teal"
    with Image.open(tmp_path / "drawn.png") as drawn:
        assert drawn.width == 1600


def test_a_model_that_cannot_be_used_is_told_by_name(overt: Callable[..., Any], home: Path, tmp_path: Path) -> None:
    (home / "models" / "text_detect").mkdir(parents=True)
    out = tmp_path / "drawn.png"
    done = overt("image", sign(tmp_path), "--out", out, "--home", home)
    assert done.returncode == 0, done.stderr
    refused = next(line for line in done.stdout.splitlines() if line.startswith("text: refused: "))
    assert "DetectText" in refused
    assert "text_detect" in refused
    assert "faces: none" in done.stdout
    assert f"drawn in {out}" in done.stdout
    assert out.is_file()


def test_people_read_what_was_found(
    photos: Path, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image(photos / "obama.jpg", tmp_path / "drawn.png", home)
    shown = capsys.readouterr().out
    for words in ("obama.jpg: ", "Person", "Male", "head", "hex", "no installed model can tell: ", "brightness "):
        assert words in shown


def test_what_is_no_picture_is_refused(home: Path, tmp_path: Path) -> None:
    (tmp_path / "words.jpg").write_text("no picture")
    with pytest.raises(InvalidImageFormatException):
        image(tmp_path / "words.jpg", tmp_path / "drawn.png", home)
    assert not (tmp_path / "drawn.png").exists()


def test_a_missing_file_or_folder_is_told_before_any_work(photos: Path, home: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"there is no file .*none\.jpg"):
        image(tmp_path / "none.jpg", None, home)
    with pytest.raises(CommandError, match="there is no folder"):
        image(photos / "obama.jpg", tmp_path / "nowhere" / "drawn.png", home)
    assert not home.exists()


def test_when_every_analysis_is_refused_it_fails(
    home: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that decodes, but has more bytes than any operation takes."""
    photo, out = tmp_path / "padded.jpg", tmp_path / "drawn.png"
    shutil.copy(photos / "obama.jpg", photo)
    with photo.open("ab") as file:
        file.write(bytes(16 << 20))
    with pytest.raises(CommandError, match="every analysis was refused"):
        image(photo, out, home, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["refused"].keys() == ANALYSES.keys()
    assert told["drawn"] is None
    assert not out.exists()
