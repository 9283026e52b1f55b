# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from overt.cli import pictures, words
from overt.cli.output import CommandError
from overt.engine import Engine

Measure = Callable[..., dict[str, Any]]
COUNT = sum(len(text.split()) for text, _ in pictures.SIGN)


@pytest.fixture
def measure(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Measure:
    """Measures rows of truth on a sign drawn here, sign.jpg."""
    (tmp_path / "sign.jpg").write_bytes(pictures.sign())

    def run(*rows: str, confidence: float = 80) -> dict[str, Any]:
        (tmp_path / "truth.tsv").write_text("\n".join(rows) + "\n")
        words.text(tmp_path / "truth.tsv", tmp_path, confidence, home, as_json=True)
        told: dict[str, Any] = json.loads(capsys.readouterr().out)
        return told

    return run


def test_words_are_compared_letter_by_letter(measure: Measure) -> None:
    told = measure(*(f"sign.jpg\t{text}" for text, _ in pictures.SIGN))
    assert (told["pictures"], told["unit"], told["detection"]) == (1, "word", None)
    assert (told["accuracy"]["count"], told["accuracy"]["n"]) == (COUNT, COUNT)
    assert told["accuracy"]["low"] > 0.8
    assert told["answers_in_truth"]["value"] == 1


def test_wrong_words_and_other_capitals_are_wrong(measure: Measure) -> None:
    told = measure("sign.jpg\tHarbour MUSEUM MUSEUM", "sign.jpg\topen zebra", "sign.jpg\t###")
    assert (told["accuracy"]["count"], told["accuracy"]["n"]) == (1, 5)  # MUSEUM is there once
    assert told["accuracy_any_case"]["count"] == 3
    assert told["answers_in_truth"]["count"] == 1


def outlined(engine: Engine, kind: int) -> list[str]:
    """Rows of truth for what is read, moved by two pixels. Args: kind: 0 lines, 1 words."""
    image = engine.media.decode(pictures.sign())
    rows = []
    for one in engine.models.text.read(image)[kind]:
        corners = one.corners * [image.width, image.height] + 2
        rows.append(f"sign.jpg\t{one.text}\t{','.join(f'{value:.1f}' for value in corners.ravel())}")
    return rows


def test_with_outlines_finding_is_measured_too(measure: Measure, engine: Engine) -> None:
    rows = outlined(engine, 1)
    nowhere = "sign.jpg\tnothing\t0,0 9,0 9,9 0,9"
    told = measure(*rows[1:], nowhere)
    assert told["unit"] == "word"
    found = told["detection"]
    assert (found["recall"]["count"], found["recall"]["n"]) == (COUNT - 1, COUNT)
    assert (found["precision"]["count"], found["precision"]["n"]) == (COUNT - 1, COUNT)
    assert found["f1"] == pytest.approx(1 - 1 / COUNT)
    assert told["accuracy"]["count"] == COUNT - 1


def test_outlines_of_lines_are_compared_with_lines(
    measure: Measure, engine: Engine, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = measure(*outlined(engine, 0))
    assert told["unit"] == "line"
    assert told["detection"]["f1"] == 1
    assert told["accuracy"]["count"] == len(pictures.SIGN)
    words.text(tmp_path / "truth.tsv", tmp_path, 80, home)
    shown = capsys.readouterr()
    assert "lines read letter by letter" in shown.out
    assert "6 of 6" in shown.out
    assert "F1 of finding them: 1.0000" in shown.out
    assert "looking" in shown.err


def test_pictures_that_cannot_be_read_are_told(measure: Measure, tmp_path: Path) -> None:
    told = measure("sign.jpg\tHARBOUR", "lost.jpg\tabc")
    assert told["unreadable"] == {str(tmp_path / "lost.jpg"): "No such file or directory"}
    assert (told["pictures"], told["accuracy"]["n"]) == (1, 1)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds no text"),
        ("a.jpg\n", "line 1: not file, text"),
        ("a.jpg\tone\n\nb.jpg\t\n", "line 3: not file, text"),
        ("a.jpg\tone\t1,2,3,4\n", r"line 1: '1,2,3,4' is no list of three or more corners"),
        ("a.jpg\tone\t1,2,3,4,5,6,7\n", "is no list of three or more corners"),
        ("a.jpg\tone\t1,2,3,4,5,nan\n", "is no list of three or more corners"),
        ("a.jpg\tone\there\n", "is no list of three or more corners"),
        ("a.jpg\tone\t1,2,3,4,5,6\na.jpg\ttwo\n", "corners are needed for each text, or for none"),
    ],
)
def test_a_truth_that_is_none_is_told(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "truth.tsv").write_text(text)
    with pytest.raises(CommandError, match=told):
        words.read_truth(tmp_path / "truth.tsv")


def test_an_outline_without_area_is_told_by_its_picture(measure: Measure) -> None:
    with pytest.raises(CommandError, match=r"sign\.jpg: .*no area"):
        measure("sign.jpg\tflat\t0,0,10,0,20,0")


def test_missing_files_are_told(home: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="there is no file"):
        words.text(tmp_path / "none.tsv", tmp_path, 80, home)
