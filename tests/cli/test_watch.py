# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import filming
import pytest

Overt = Callable[..., CompletedProcess[str]]


@pytest.fixture(scope="module")
def home(overt: Overt, photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("photos")
    (folder / "obama").mkdir()
    (folder / "obama" / "a.jpg").write_bytes((photos / "obama.jpg").read_bytes())
    done = overt("faces", "import", folder, "--collection", "people", "--home", home)
    assert done.returncode == 0, done.stderr
    return home


@pytest.fixture(scope="module")
def street(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("street") / "street.mp4"
    parts = (filming.passing(photos / "obama2.jpg", 4), filming.passing(photos / "biden.jpg", 5), filming.empty(2))
    file.write_bytes(filming.film(itertools.chain(*parts)))
    return file


def test_visits_are_told_as_lines_of_json(overt: Overt, home: Path, street: Path) -> None:
    done = overt("watch", street.as_uri(), "--collection", "people", "--quiet", 1, "--json", "--home", home)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(line["state"], line["person"]) for line in lines] == [
        ("begun", "external obama"),
        ("over", "external obama"),
    ]
    assert lines[0]["similarity"] > 95
    assert lines[1]["seconds"] > 1


def test_strangers_are_told_where_asked_for(overt: Overt, home: Path, street: Path) -> None:
    done = overt("watch", street.as_uri(), "--collection", "people", "--unknown", "--home", home)
    assert done.returncode == 0, done.stderr
    assert "seen   external obama 9" in done.stdout
    assert "seen   unknown" in done.stdout
    assert "left   unknown" in done.stdout
    assert "live: file://" in done.stderr


@pytest.mark.parametrize(
    ("source", "collection", "words"),
    [
        ("gopher://camera", "people", "no source reads 'gopher' addresses"),
        ("rtsp://127.0.0.1/a", "nobody", "there is no collection nobody"),
    ],
)
def test_what_cannot_be_watched_is_refused(overt: Overt, home: Path, source: str, collection: str, words: str) -> None:
    done = overt("watch", source, "--collection", collection, "--home", home)
    assert done.returncode != 0
    assert words in done.stderr


def test_a_file_that_is_not_there_is_told(overt: Overt, home: Path, tmp_path: Path) -> None:
    done = overt("watch", (tmp_path / "none.mp4").as_uri(), "--collection", "people", "--home", home)
    assert done.returncode != 0
    assert "none.mp4" in done.stderr


def test_a_registered_camera_is_watched_by_its_name(overt: Overt, home: Path, street: Path) -> None:
    added = overt("cameras", "add", "street", street.as_uri(), "--home", home)
    assert added.returncode == 0, added.stderr
    done = overt("watch", "street", "--collection", "people", "--home", home)
    assert done.returncode == 0, done.stderr
    assert "seen   external obama 9" in done.stdout
    assert "there is no camera yard" in overt("watch", "yard", "--collection", "people", "--home", home).stderr
