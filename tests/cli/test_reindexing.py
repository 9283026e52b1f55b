# SPDX-License-Identifier: Apache-2.0
"""A real collection, embedded anew by another real model that was added beside the installed one."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from overt.cli.albums import Place
from overt.cli.home import engine
from overt.cli.reindexing import _prepare
from overt.testing import networks

Run = Callable[..., Any]
OLD, NEW = "sface-2021dec-1.0", "quarters-1.0"


@pytest.fixture
def album(photos: Path, tmp_path: Path) -> Path:
    """A picture of two people, two of one, and one that nobody enrols."""
    folder = tmp_path / "album"
    folder.mkdir()
    for name in ("obama2.jpg", "biden.jpg", "obama3.jpg"):
        shutil.copy(photos / name, folder)
    sheet = Image.new("RGB", (720, 640), "white")
    for name, width, left in (("obama2.jpg", 480, 0), ("biden.jpg", 240, 480)):
        with Image.open(photos / name) as opened:
            sheet.paste(opened.convert("RGB").resize((width, round(width * opened.height / opened.width))), (left, 0))
    sheet.save(folder / "pair.jpg")
    return folder


@pytest.fixture
def faces(start_server: Run, home: Path, album: Path, tmp_path: Path, told: Run) -> dict[str, Any]:
    """What a client has in the collection, by FaceId; since then another embedder was added."""
    client = start_server(home).client()
    client.create_collection(CollectionId="people", Tags={"site": "north"})
    for name, external in (("obama2.jpg", "o:2"), ("biden.jpg", ""), ("pair.jpg", "pair"), ("pair.jpg", "again")):
        named = {"ExternalImageId": external} if external else {}
        image = {"Bytes": (album / name).read_bytes()}
        client.index_faces(CollectionId="people", Image=image, QualityFilter="NONE", **named)
    listed = client.list_faces(CollectionId="people")["Faces"]
    assert len(listed) == 6
    left = next(face for face in listed if face.get("ExternalImageId") == "again" and face["BoundingBox"]["Left"] < 0.5)
    client.delete_faces(CollectionId="people", FaceIds=[left["FaceId"]])
    for user in ("barack", "nobody"):
        client.create_user(CollectionId="people", UserId=user)
    own = [face["FaceId"] for face in listed if face.get("ExternalImageId") == "o:2"]
    client.associate_faces(CollectionId="people", UserId="barack", FaceIds=own)
    told("models", "add", f"manifest={networks.embedder(tmp_path / 'made')}")
    return {face["FaceId"]: face for face in client.list_faces(CollectionId="people")["Faces"]}


def same(faces: dict[str, Any], client: Any, collection: str = "people") -> bool:
    """Whether a collection has just these faces, with all that clients know of them."""
    listed = {face["FaceId"]: face for face in client.list_faces(CollectionId=collection)["Faces"]}
    for known, face in ((known, listed.get(name, {})) for name, known in faces.items()):
        for member in ("ExternalImageId", "ImageId", "UserId"):
            if known.get(member) != face.get(member):
                return False
        if known["BoundingBox"]["Left"] != pytest.approx(face["BoundingBox"]["Left"], abs=0.01):
            return False
    return set(listed) == set(faces)


def test_a_collection_is_of_the_new_model_with_all_that_it_had(
    told: Run, start_server: Run, home: Path, album: Path, faces: dict[str, Any]
) -> None:
    before = told("collections", "show", "people")
    (album / "obama2.jpg").rename(album / "renamed.png")  # known by its content
    done = told("collections", "reindex", "people", "--from", album)
    assert (done["model_before"], done["model"], done["changed"]) == (OLD, NEW, True)
    assert (done["pictures"], done["pictures_of_no_face"], done["faces"], done["missing"]) == (4, 1, 5, [])
    client = start_server(home).client()
    shown = client.describe_collection(CollectionId="people")
    assert (shown["FaceModelVersion"], shown["FaceCount"], shown["UserCount"]) == (NEW, 5, 2)
    assert shown["CreationTimestamp"].timestamp() == pytest.approx(before["CreationTimestamp"])
    assert client.list_collections()["CollectionIds"] == ["people"]
    assert client.list_tags_for_resource(ResourceArn=shown["CollectionARN"])["Tags"] == {"site": "north"}
    assert same(faces, client)
    picture = {"Bytes": (album / "renamed.png").read_bytes()}
    (match, *_) = client.search_faces_by_image(CollectionId="people", Image=picture)["FaceMatches"]
    assert match["Face"]["ExternalImageId"] == "o:2"
    assert match["Similarity"] > 99
    (user, *_) = client.search_users_by_image(CollectionId="people", Image=picture)["UserMatches"]
    assert user["User"]["UserId"] == "barack"
    with closing(sqlite3.connect(home / "overt.db")) as database:
        rows = database.execute("SELECT operation, outcome FROM records").fetchall()
    assert ("ReindexCollection", "ok") in rows
    again = told("collections", "reindex", "people", "--from", album)
    assert again == {"collection": "people", "model": NEW, "changed": False}


def test_the_old_one_stays_until_every_face_has_its_picture(
    told: Run, overt: Run, home: Path, album: Path, faces: dict[str, Any], tmp_path: Path
) -> None:
    rest = tmp_path / "rest"
    rest.mkdir()
    (album / "pair.jpg").rename(rest / "pair.jpg")
    (album / "broken.jpg").write_bytes(b"no picture")
    done = overt("collections", "reindex", "people", "--from", album, "--home", home)
    assert done.returncode == 1
    assert "3 faces have no picture here, so people was left as it was" in done.stdout
    assert told("collections", "show", "people")["FaceModelVersion"] == OLD
    done = told("collections", "reindex", "people", "--from", rest)
    assert (done["changed"], done["missing"]) == (True, [])
    shown = told("collections", "show", "people")
    assert (shown["FaceModelVersion"], shown["FaceCount"]) == (NEW, 5)


def test_faces_without_a_picture_can_be_given_up(told: Run, album: Path, faces: dict[str, Any]) -> None:
    (album / "pair.jpg").unlink()
    done = told("collections", "reindex", "people", "--from", album, "--allow-missing")
    lost = {name for name, face in faces.items() if face.get("ExternalImageId") in {"pair", "again"}}
    assert done["changed"]
    assert set(done["missing"]) == lost
    assert told("collections", "show", "people")["FaceCount"] == 2


def test_a_new_collection_can_lie_beside_the_old(
    told: Run, overt: Run, start_server: Run, home: Path, album: Path, faces: dict[str, Any]
) -> None:
    told("collections", "create", "taken")
    done = overt("collections", "reindex", "people", "--from", album, "--as", "taken", "--home", home)
    assert "there is a collection taken already" in done.stderr
    done = told("collections", "reindex", "people", "--from", album, "--as", "renewed")
    assert (done["collection"], done["changed"]) == ("renewed", True)
    client = start_server(home).client()
    shown = client.describe_collection(CollectionId="renewed")
    assert (shown["FaceModelVersion"], shown["UserCount"]) == (NEW, 2)
    assert client.list_tags_for_resource(ResourceArn=shown["CollectionARN"])["Tags"] == {"site": "north"}
    assert same(faces, client, "renewed")
    assert same(faces, client, "people")
    assert told("collections", "show", "people")["FaceModelVersion"] == OLD


def test_killed_it_goes_on_where_it_stopped(told: Run, home: Path, photos: Path, tmp_path: Path) -> None:
    many = tmp_path / "many"
    many.mkdir()
    with Image.open(photos / "obama2.jpg") as opened:
        opened.thumbnail((300, 300))
        opened.convert("RGB").save(tmp_path / "small.jpg")
    for number in range(60):
        (many / f"{number:02d}.jpg").write_bytes((tmp_path / "small.jpg").read_bytes() + b"\0" * number)
    told("faces", "import", many, "--collection", "many", "--quality", "NONE")
    told("models", "add", f"manifest={networks.embedder(tmp_path / 'made')}")
    shutil.rmtree(home / "imports")
    command = [sys.executable, "-m", "overt", "collections", "reindex", "many", "--from", many, "--home", home]
    process = subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    ledgers, deadline = home / "imports", time.monotonic() + 60
    while time.monotonic() < deadline and sum(len(path.read_bytes()) for path in ledgers.glob("*")) < 1500:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    shown = {row["CollectionId"]: row for row in told("collections", "list")["Collections"]}
    assert (shown["many"]["FaceModelVersion"], shown["many"]["FaceCount"]) == (OLD, 60)
    assert 0 < shown["many.reindex"]["FaceCount"] < 60
    done = told("collections", "reindex", "many", "--from", many)
    assert 0 < done["done_before"] < 60
    assert done["changed"]
    (left,) = told("collections", "list")["Collections"]
    assert (left["CollectionId"], left["FaceModelVersion"], left["FaceCount"]) == ("many", NEW, 60)


def test_old_vectors_that_a_kill_has_left_behind_are_cleared_away(told: Run, home: Path, album: Path) -> None:
    with engine(home) as opened:
        account = opened.settings.account
        with opened.stores.write() as unit:
            old = unit.collections.create(account, "people", "older-1", dt.datetime(2026, 1, 2, tzinfo=dt.UTC))
        _prepare(opened, old, "people.reindex", Place.parse(str(album)), 0.3, fresh=False)
        with opened.stores.write() as unit:  # killed right after this
            unit.collections.exchange(account, "people", "people.reindex")
    assert told("collections", "reindex", "people", "--from", album)["changed"]
    (left,) = told("collections", "list")["Collections"]
    assert (left["CollectionId"], left["FaceModelVersion"]) == ("people", OLD)


@pytest.mark.parametrize(
    ("arguments", "told_words"),
    [(("gone", "--from", "."), "there is no collection gone"), (("people", "--from", "nowhere"), "neither a folder")],
)
def test_what_is_not_there_is_told(overt: Run, home: Path, arguments: tuple[str, ...], told_words: str) -> None:
    done = overt("collections", "reindex", *arguments, "--home", home, "--json")
    assert done.returncode == 1
    assert told_words in json.loads(done.stderr)["error"]["message"]
