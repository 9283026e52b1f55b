# SPDX-License-Identifier: Apache-2.0
"""Collections go from one home folder to another in a file; bad files leave nothing behind."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from overt.cli.home import engine
from overt.stores.base import Roll
from overt.testing.stores import NOON, make_roll, make_vectors

ACCOUNT = "000000000001"


def roll_of(count: int, seed: int = 1, users: list[str | None] | None = None) -> Roll:
    """Faces with ids as the server makes them."""
    made = make_roll(make_vectors(count, seed, dimension=128), user_ids=users)
    ids = [str(uuid.UUID(int=seed << 64 | row)) for row in range(2 * count)]
    return Roll(
        ids[:count], ids[count:], made.external_image_ids, made.boxes, made.confidences, made.user_ids, made.vectors
    )


@pytest.fixture
def filled(home: Path, told: Callable[..., Any]) -> Path:
    """The home folder with a collection `people` of the installed model: 90 faces, 3 users, a tag."""
    told("collections", "create", "people")
    with engine(home) as opened, opened.stores.write() as unit:
        people = unit.collections.get(ACCOUNT, "people")
        unit.users.load(people, ["ann", "bob", "nobody"])
        users = [["ann", "bob", None][row % 3] for row in range(90)]
        unit.faces.load(people, people.model, roll_of(90, users=users))
        unit.tags.put(f"arn:aws:rekognition::{ACCOUNT}:collection/people", {"site": "north"})
    return home


@pytest.fixture
def told_in(overt: Callable[..., Any]) -> Callable[..., Any]:
    """As `told`, on the home folder that comes first."""

    def run(home: Path, *arguments: str | Path) -> Any:
        done = overt(*arguments, "--home", home, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def state(home: Path, name: str) -> Any:
    """All that is kept of a collection, but for when it was made."""
    with engine(home) as opened, opened.stores.read() as unit:
        found = unit.collections.get(ACCOUNT, name)
        faces = unit.faces.page(found, 0, 10_000)
        vectors = {
            face_id: each.vector.tolist()
            for face_id, each in unit.faces.embeddings(found, [f.id for f in faces]).items()
        }
        users = unit.users.page(found, "", 100)
        means = {user.id: held.vector.tolist() for user in users if (held := unit.users.vector(found, user.id))}
        tags = unit.tags.of(f"arn:aws:rekognition::{ACCOUNT}:collection/{name}")
        return (found.model, found.face_count, found.user_count, faces, vectors, users, means, tags)


def rows(home: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(home / "overt.db")) as database:
        return database.execute(statement).fetchall()


def test_a_collection_goes_from_one_home_to_another(
    filled: Path, told: Callable[..., Any], told_in: Callable[..., Any], tmp_path: Path
) -> None:
    file, other = tmp_path / "people.overt", tmp_path / "other"
    out = told("collections", "export", "people", file)
    assert (out["faces"], out["users"], out["dimension"], out["tags"]) == (90, 3, 128, {"site": "north"})
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.stat().st_size == out["bytes"]
    made = told_in(other, "collections", "import", file)
    assert (made["CollectionId"], made["FaceCount"], made["UserCount"], made["Searchable"]) == ("people", 90, 3, True)
    assert state(other, "people") == state(filled, "people")
    recorded = [("ExportCollection", "ok"), ("ImportCollection", "ok")]
    assert rows(filled, "SELECT operation, outcome FROM records WHERE operation LIKE 'Ex%'") == recorded[:1]
    assert rows(other, "SELECT operation, outcome FROM records") == recorded[1:]


def test_it_may_have_another_name_there_and_takes_no_other_s(
    filled: Path, told: Callable[..., Any], overt: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "people.overt"
    told("collections", "export", "people", file)
    before = state(filled, "people")
    done = overt("collections", "import", file, "--home", filled)
    assert done.returncode == 1
    assert "there is a collection people already; import it --as another" in done.stderr
    assert told("collections", "import", file, "--as", "crowd")["CollectionId"] == "crowd"
    assert state(filled, "crowd")[1:3] == before[1:3]
    assert state(filled, "people") == before
    done = overt("collections", "import", file, "--home", filled, "--as", "a/b")
    assert "'a/b' is no id for a collection" in done.stderr


def test_a_file_that_is_there_stays(filled: Path, overt: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "precious"
    file.write_text("precious")
    done = overt("collections", "export", "people", file, "--home", filled)
    assert done.returncode == 1
    assert f"there is a file {file} already" in done.stderr
    assert file.read_text() == "precious"
    assert list(tmp_path.glob(".precious*")) == []


def test_what_is_not_there_is_told(filled: Path, overt: Callable[..., Any], tmp_path: Path) -> None:
    done = overt("collections", "export", "crowd", tmp_path / "file", "--home", filled)
    assert done.returncode == 1
    assert "there is no collection crowd" in done.stderr
    assert not (tmp_path / "file").exists()
    done = overt("collections", "import", tmp_path / "file", "--home", filled)
    assert done.returncode == 1
    assert str(tmp_path / "file") in done.stderr
    assert "Traceback" not in done.stderr


def test_a_damaged_file_leaves_nothing(filled: Path, overt: Callable[..., Any], tmp_path: Path) -> None:
    file, other = tmp_path / "people.overt", tmp_path / "other"
    assert overt("collections", "export", "people", file, "--home", filled).returncode == 0
    whole = bytearray(file.read_bytes())
    whole[len(whole) // 2] ^= 1
    file.write_bytes(whole)
    done = overt("collections", "import", file, "--home", other)
    assert done.returncode == 1
    assert "nothing was imported" in done.stderr
    assert rows(other, "SELECT count(*) FROM collections") == [(0,)]
    assert rows(other, "SELECT operation, outcome FROM records") == [("ImportCollection", "ArchiveError")]


def test_a_collection_of_another_model_is_what_it_is(
    home: Path,
    told: Callable[..., Any],
    told_in: Callable[..., Any],
    overt: Callable[..., Any],
    photos: Path,
    tmp_path: Path,
) -> None:
    file, other = tmp_path / "old.overt", tmp_path / "other"
    with engine(home) as opened, opened.stores.write() as unit:
        old = unit.collections.create(ACCOUNT, "old", "arcface-of-yore", NOON)
        unit.faces.load(old, "arcface-of-yore", roll_of(5))
    told("collections", "export", "old", file)
    made = told_in(other, "collections", "import", file)
    assert (made["FaceModelVersion"], made["Searchable"]) == ("arcface-of-yore", False)
    done = overt("collections", "import", file, "--as", "older", "--home", other)
    assert "its faces are of model arcface-of-yore" in done.stdout
    done = overt("faces", "search", photos / "obama.jpg", "--collection", "old", "--home", other)
    assert done.returncode == 1
    assert "arcface-of-yore" in done.stderr


def test_more_faces_than_allowed_are_refused(filled: Path, overt: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "people.overt"
    overt("collections", "export", "people", file, "--home", filled)
    done = overt("collections", "import", file, "--home", tmp_path / "other", OVERT_FACES_PER_COLLECTION="89")
    assert done.returncode == 1
    assert "90 faces are more than the 89" in done.stderr


_SLOW = """
import sys, time
from overt.stores import arrivals
fill = arrivals._fill
def slow(stores, parcel, arriving, advance):
    fill(stores, parcel, arriving, advance)
    print("filled", flush=True)
    time.sleep(60)
arrivals._fill = slow
from overt.cli.main import main
main()
"""


def test_a_killed_import_is_cleared_by_the_next(
    filled: Path, told: Callable[..., Any], told_in: Callable[..., Any], tmp_path: Path
) -> None:
    file, other = tmp_path / "people.overt", tmp_path / "other"
    told("collections", "export", "people", file)
    command = [sys.executable, "-c", _SLOW, "collections", "import", str(file), "--home", str(other)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout.readline() == b"filled\n"
        assert rows(other, "SELECT account, face_count FROM collections") == [("arrivals", 90)]
        assert told_in(other, "collections", "list") == {"Collections": []}
        process.send_signal(signal.SIGKILL)
    told_in(other, "collections", "import", file)
    assert rows(other, "SELECT account, id, face_count FROM collections") == [(ACCOUNT, "people", 90)]
    assert rows(other, "SELECT count(*) FROM faces") == [(90,)]


def test_an_interrupted_import_clears_up_after_itself(filled: Path, told: Callable[..., Any], tmp_path: Path) -> None:
    file, other = tmp_path / "people.overt", tmp_path / "other"
    told("collections", "export", "people", file)
    command = [sys.executable, "-c", _SLOW, "collections", "import", str(file), "--home", str(other)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout.readline() == b"filled\n"
        os.kill(process.pid, signal.SIGINT)
    assert rows(other, "SELECT count(*) FROM collections") == [(0,)]


def test_a_running_server_sees_what_is_imported(
    start_server: Callable[..., Any],
    told: Callable[..., Any],
    told_in: Callable[..., Any],
    photos: Path,
    tmp_path: Path,
    home: Path,
) -> None:
    first, second = start_server(), start_server(home)
    client = first.client()
    client.create_collection(CollectionId="people", Tags={"site": "north"})
    picture = (photos / "obama.jpg").read_bytes()
    client.index_faces(CollectionId="people", Image={"Bytes": picture}, ExternalImageId="obama")
    told_in(first.home, "collections", "export", "people", tmp_path / "file")
    told("collections", "import", tmp_path / "file", "--as", "others")
    there = second.client()
    probe = {"Bytes": (photos / "obama2.jpg").read_bytes()}
    (match,) = there.search_faces_by_image(CollectionId="others", Image=probe)["FaceMatches"]
    assert match["Face"]["ExternalImageId"] == "obama"
    arn = there.describe_collection(CollectionId="others")["CollectionARN"]
    assert there.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"site": "north"}
    assert json.loads(json.dumps(match["Face"]))["Confidence"] > 90
