# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture
def folder(tmp_path: Path, photos: Path) -> Path:
    """A folder with a subfolder for each person, and things that are no portraits."""
    root = tmp_path / "people"
    for person, names in {"Barack Obama": ["obama.jpg", "obama2.jpg"], "biden": ["biden.jpg"]}.items():
        (root / person).mkdir(parents=True)
        for name in names:
            shutil.copy(photos / name, root / person / name)
    (root / "broken.jpg").write_bytes(b"not a picture")
    shutil.copy(photos / "coffee.png", root / "coffee.png")
    (root / "notes.txt").write_text("not looked at")
    return root


def test_a_folder_is_enrolled_and_what_is_rejected_is_told_with_reasons(told: Run, folder: Path) -> None:
    done = told("faces", "import", folder, "--collection", "people")
    assert (done["pictures"], done["enrolled_faces"], done["done_before"]) == (5, 3, 0)
    rejected = {item["file"]: item["reasons"] for item in done["rejected"]}
    assert set(rejected) == {"broken.jpg", "coffee.png"}
    assert rejected["coffee.png"] == ["no face was found"]
    assert "JPEG" in rejected["broken.jpg"][0]


def test_an_import_goes_on_where_it_stopped(told: Run, folder: Path, photos: Path) -> None:
    told("faces", "import", folder, "--collection", "people")
    shutil.copy(photos / "obama3.jpg", folder / "Barack Obama" / "new.jpg")
    done = told("faces", "import", folder, "--collection", "people")
    assert (done["pictures"], done["done_before"], done["enrolled_faces"]) == (6, 5, 1)
    done = told("faces", "import", folder, "--collection", "people", "--again")
    assert (done["done_before"], done["enrolled_faces"]) == (0, 4)
    assert told("collections", "show", "people")["FaceCount"] == 4


def test_an_import_that_is_killed_loses_nothing_it_has_done(
    told: Run, home: Path, tmp_path: Path, photos: Path
) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for number in range(60):  # the same portrait under other bytes is another picture
        content = (photos / "obama2.jpg").read_bytes() + b"\0" * number
        (many / f"{number:02d}.jpg").write_bytes(content)
    command = [sys.executable, "-m", "overt", "faces", "import", many, "--collection", "many", "--home", home]
    process = subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    journals, deadline = home / "imports", time.monotonic() + 60
    while time.monotonic() < deadline and sum(len(path.read_bytes()) for path in journals.glob("*")) < 500:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = told("faces", "import", many, "--collection", "many")
    assert done["pictures"] == 60
    assert 0 < done["done_before"] < 60
    assert told("collections", "show", "many")["FaceCount"] == 60


def test_names_of_people_are_not_in_the_journal(told: Run, folder: Path, home: Path) -> None:
    told("faces", "import", folder, "--collection", "people")
    journals = b"".join(path.read_bytes() for path in (home / "imports").iterdir())
    assert journals
    assert b"Obama" not in journals
    assert b"obama" not in journals


def test_people_become_users_when_asked_for(told: Run, folder: Path) -> None:
    told("faces", "import", folder, "--collection", "people", "--users")
    assert told("collections", "show", "people")["UserCount"] == 2


def test_a_manifest_names_files_and_people(told: Run, folder: Path, photos: Path) -> None:
    manifest = folder / "manifest.csv"
    manifest.write_text("file,person\nbiden/biden.jpg,joe\nmissing.jpg,nobody\n")
    done = told("faces", "import", manifest, "--collection", "people")
    assert (done["pictures"], done["enrolled_faces"]) == (2, 1)
    assert done["rejected"][0]["file"] == "missing.jpg"
    found = told("faces", "search", photos / "biden.jpg", "--collection", "people")
    assert [match["Face"]["ExternalImageId"] for match in found["FaceMatches"]] == ["joe"]


def test_a_search_finds_who_is_enrolled_and_nobody_else(
    told: Run, overt: Run, folder: Path, home: Path, photos: Path
) -> None:
    told("faces", "import", folder, "--collection", "people")
    found = told("faces", "search", photos / "obama3.jpg", "--collection", "people")
    assert {match["Face"]["ExternalImageId"] for match in found["FaceMatches"]} == {"Barack_Obama"}
    shown = overt("faces", "search", photos / "obama3.jpg", "--collection", "people", "--home", home).stdout
    assert "Barack_Obama" in shown
    shown = overt("faces", "search", photos / "astronaut.png", "--collection", "people", "--home", home).stdout
    assert shown == "no face in people is similar by 80 or more\n"


def test_a_running_server_sees_at_once_what_the_command_enrolled(
    start_server: Run, told: Run, folder: Path, home: Path, photos: Path
) -> None:
    client = start_server(home).client()
    client.create_collection(CollectionId="people")
    picture = {"Bytes": (photos / "obama3.jpg").read_bytes()}
    assert client.search_faces_by_image(CollectionId="people", Image=picture)["FaceMatches"] == []
    told("faces", "import", folder, "--collection", "people")
    assert len(client.search_faces_by_image(CollectionId="people", Image=picture)["FaceMatches"]) == 2


@pytest.mark.parametrize(("name", "told_words"), [("empty", "no pictures"), ("absent", "neither a folder nor a CSV")])
def test_a_source_without_pictures_is_told(overt: Run, home: Path, tmp_path: Path, name: str, told_words: str) -> None:
    (tmp_path / "empty").mkdir()
    done = overt("faces", "import", tmp_path / name, "--collection", "people", "--home", home)
    assert done.returncode == 1
    assert told_words in done.stderr


def test_a_manifest_without_the_column_is_told(overt: Run, home: Path, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("picture,name\na.jpg,b\n")
    done = overt("faces", "import", tmp_path / "m.csv", "--collection", "people", "--home", home, "--json")
    assert "column named file" in json.loads(done.stderr)["error"]["message"]
