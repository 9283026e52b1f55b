# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from pathlib import Path

import pytest
from PIL import Image

from overt.cli import judging
from overt.cli.output import CommandError
from overt.engine import Engine
from overt.govern.accuracy import rate


def white(path: Path, width: int = 80) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, 80), "white").save(path)
    return path


def test_pictures_are_listed_by_the_folder_they_lie_in(tmp_path: Path) -> None:
    one, deep, other = (white(tmp_path / name) for name in ("b/1.JPG", "b/more/2.png", "a/3.jpeg"))
    (tmp_path / "b" / "notes.txt").write_text("no picture")
    (tmp_path / "empty").mkdir()
    white(tmp_path / "stray.png")
    assert judging.by_folder(tmp_path) == {"a": [other], "b": [one, deep]}


def test_a_folder_without_pictures_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(CommandError, match="no image found"):
        judging.by_folder(tmp_path)
    with pytest.raises(CommandError, match="there is no folder"):
        judging.by_folder(tmp_path / "nowhere")
    with pytest.raises(CommandError, match="there is no file"):
        judging.file(tmp_path / "nowhere")


def test_what_cannot_be_read_is_told_and_the_rest_is_looked_at(engine: Engine, tmp_path: Path) -> None:
    wide, narrow, missing = white(tmp_path / "wide.png", 200), white(tmp_path / "narrow.png", 90), tmp_path / "none.png"
    (tmp_path / "bad.jpg").write_text("no picture")
    paths = [wide, tmp_path / "bad.jpg", missing, narrow, wide]
    looked = judging.look(engine, paths, lambda image: image.width, quiet=True)
    assert looked.seen == {wide: 200, narrow: 90}
    assert list(looked.seen) == [wide, narrow]
    assert looked.unreadable.keys() == {str(tmp_path / "bad.jpg"), str(missing)}
    assert "neither JPEG nor PNG" in looked.unreadable[str(tmp_path / "bad.jpg")]
    assert looked.unreadable[str(missing)] == "No such file or directory"


def test_nothing_that_can_be_read_is_an_error(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"none of 7 pictures can be read: .*0\.jpg .*4\.jpg .* and 2 more"):
        judging.look(engine, [tmp_path / f"{number}.jpg" for number in range(7)], lambda image: image, quiet=True)


def test_progress_is_shown_on_standard_error(
    engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judging.look(engine, [white(tmp_path / "a.png")], lambda image: image.width, quiet=False)
    told = capsys.readouterr()
    assert "looking" in told.err
    assert told.out == ""


def test_a_rate_is_written_with_its_interval_and_its_count() -> None:
    told = judging.rate(rate(9, 10))
    assert told == {"value": 0.9, "low": pytest.approx(0.5550, abs=1e-4), "high": pytest.approx(0.9975, abs=1e-4),
                    "count": 9, "n": 10}  # fmt: skip
    assert judging.cells(told) == ("0.9000", "0.5550 .. 0.9975", "9 of 10")
    assert judging.rate(None) is None
    assert judging.cells(None) == ("-", "", "0")
    assert judging.number(math.nan) is None
    assert judging.number(0.25) == 0.25
