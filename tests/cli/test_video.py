# SPDX-License-Identifier: Apache-2.0
"""One video in, everything that can be told of it out: in words, as JSON, as lines and drawn."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest
from filming import film, passing, sign

from overt.cli.output import CommandError
from overt.cli.video import video


@pytest.fixture(scope="module")
def clip(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    parts = (
        passing(photos / "obama.jpg", 1, size=(1280, 720)),
        passing(photos / "astronaut.png", 1, size=(1280, 720)),
        sign("EXIT 12", 1, size=(1280, 720)),
    )
    path.write_bytes(film(itertools.chain(*parts)))
    return path


@pytest.fixture
def staff(home: Path, told: Callable[..., Any], photos: Path, tmp_path: Path) -> str:
    folder = tmp_path / "people" / "obama"
    folder.mkdir(parents=True)
    (folder / "one.jpg").write_bytes((photos / "obama.jpg").read_bytes())
    told("faces", "import", folder.parent, "--collection", "staff")
    return "staff"


def test_what_is_chosen_is_told_as_json_lines_and_a_film(
    told: Callable[..., Any], clip: Path, staff: str, tmp_path: Path
) -> None:
    drawn, lines = tmp_path / "drawn.mp4", tmp_path / "found.jsonl"
    asked = ("--search", staff, "--text", "--segments", "--annotated", drawn, "--jsonl", lines)
    result = told("video", clip, *asked)
    assert result["answers"].keys() == {"search", "text", "segments"}
    assert result["looked"] == {"search": 15, "text": 6, "segments": 75}
    assert (result["footage"]["FrameWidth"], result["footage"]["DurationMillis"]) == (1280, 3000)
    persons = result["answers"]["search"]["Persons"]
    known = {
        person["Person"]["Index"]: [match["Face"]["ExternalImageId"] for match in person["FaceMatches"]]
        for person in persons
    }
    assert sorted(known.values()) == [[], ["obama"]]
    assert "EXIT 12" in {text["TextDetection"]["DetectedText"] for text in result["answers"]["text"]["TextDetections"]}
    assert sum("ShotSegment" in segment for segment in result["answers"]["segments"]["Segments"]) == 3
    written = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [line for line in written if line["Kind"] == "search"] == [
        {"Kind": "search", "List": "Persons", **person} for person in persons
    ]
    with av.open(str(drawn)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 75


def test_without_a_choice_all_that_needs_no_collection_is_told(
    clip: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video(clip, home=home)
    shown = capsys.readouterr()
    assert shown.err == ""  # no bar where there is no terminal
    for words in ("clip.mp4: 3.0 s of h264", "Person", "EXIT 12", "faces: ", "with a face", "shot 3", "00:00:02:24"):
        assert words in shown.out
    assert "moderation label" in shown.out


def test_a_collection_that_is_not_there_is_told(clip: Path, home: Path) -> None:
    with pytest.raises(CommandError, match=r"search: .*nobody"):
        video(clip, search="nobody", home=home)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"annotated": Path("x.avi")}, "must end in .mp4"),
        ({"jsonl": Path("nowhere") / "x"}, "there is no folder"),
    ],
)
def test_a_target_that_cannot_be_written_is_told_first(
    clip: Path, home: Path, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(CommandError, match=words):
        video(clip, home=home, **options)
    with pytest.raises(CommandError, match="is the video itself"):
        video(clip, home=home, jsonl=clip)
    assert not home.exists()


def test_what_is_no_video_is_told(home: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("no film")
    with pytest.raises(CommandError, match="cannot be played"):
        video(tmp_path / "notes.mp4", home=home)
    with pytest.raises(CommandError, match="there is no file"):
        video(tmp_path / "gone.mp4", home=home)
