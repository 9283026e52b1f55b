# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from overt.cli import sample
from overt.cli.output import CommandError
from overt.engine import Engine


def test_people_come_from_folders_or_from_a_list(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "o").mkdir()
    shutil.copy(photos / "obama.jpg", tmp_path / "o" / "1.jpg")
    assert sample.by_person(tmp_path) == {"o": [tmp_path / "o" / "1.jpg"]}
    listed = tmp_path / "list.csv"
    listed.write_text("file,person,more\no/1.jpg,Ann,x\nb.jpg,Bob,\n")
    assert sample.by_person(listed) == {"Ann": [tmp_path / "o" / "1.jpg"], "Bob": [tmp_path / "b.jpg"]}


@pytest.mark.parametrize(
    "text", ["", "file\na.jpg\n", "file,person\n", "file,person\na.jpg,\n", "file,person\na.jpg\n"]
)
def test_a_list_that_is_none_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(CommandError, match=r"list\.csv"):
        sample.by_person(tmp_path / "list.csv")


def test_pictures_become_vectors_and_what_shows_no_face_is_counted(
    engine: Engine, photos: Path, tmp_path: Path
) -> None:
    Image.new("RGB", (90, 90), "white").save(tmp_path / "white.png")
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    people = {
        "o": [photos / "obama.jpg", photos / "obama2.jpg"],
        "x": [tmp_path / "white.png", tmp_path / "broken.jpg"],
    }
    looked = sample.look(engine, people, quiet=True)
    assert [list(rows) for rows in looked.labelled.people] == [[0, 1], [2, 3]]
    assert looked.labelled.present.tolist() == [True, True, False, False]
    assert looked.labelled.vectors[0] @ looked.labelled.vectors[1] > 0.6
    assert (looked.faceless, list(looked.unreadable)) == (1, [str(tmp_path / "broken.jpg")])
    data = looked.data("ours")
    assert (data.pictures, data.people, len(data.digest)) == (4, 2, 64)


def test_no_face_at_all_is_told(engine: Engine, tmp_path: Path) -> None:
    Image.new("RGB", (90, 90), "white").save(tmp_path / "white.png")
    with pytest.raises(CommandError, match="no face"):
        sample.look(engine, {"x": [tmp_path / "white.png"]}, quiet=True)
