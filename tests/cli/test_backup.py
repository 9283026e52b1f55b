# SPDX-License-Identifier: Apache-2.0
"""A home folder is saved beside its running server and put back when that has ended."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any


def recorded(home: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(home / "overt.db")) as database:
        return database.execute("SELECT operation, outcome FROM records ORDER BY number").fetchall()


def test_what_a_server_wrote_is_saved_lost_and_put_back(
    start_server: Callable[..., Any],
    told: Callable[..., Any],
    overt: Callable[..., Any],
    photos: Path,
    home: Path,
    tmp_path: Path,
) -> None:
    server = start_server(home)
    client = server.client()
    client.create_collection(CollectionId="people")
    face_ids = {}
    for name in ("obama", "biden"):
        picture = {"Bytes": (photos / f"{name}.jpg").read_bytes()}
        (enrolled,) = client.index_faces(CollectionId="people", Image=picture, ExternalImageId=name)["FaceRecords"]
        face_ids[name] = enrolled["Face"]["FaceId"]
    folder = tmp_path / "backups"
    folder.mkdir()
    saved = told("backup", folder)
    (file,) = folder.iterdir()
    assert (saved["file"], saved["faces"], saved["secrets"]) == (str(file), 2, True)
    assert file.stat().st_mode & 0o777 == 0o600
    client.delete_faces(CollectionId="people", FaceIds=[face_ids["biden"]])

    done = overt("restore", file, "--yes", "--home", home)
    assert done.returncode == 1
    assert f"at work on {home} already (process {server.process.pid})" in done.stderr
    server.stop()
    done = overt("restore", file, "--home", home)  # nobody is there to be asked
    assert done.returncode == 1
    put_back = told("restore", file, "--yes")
    assert put_back["deleted_again"] == {"collections": 0, "faces": 1, "users": 0, "keys": 0, "alerts": 0}
    assert recorded(home)[-1] == ("RestoreData", "ok")
    assert ("BackupData", "ok") in recorded(home)
    assert ("DeleteFaces", "ok") in recorded(home)

    server = start_server(home)
    assert server.key_id in (home / "credentials").read_text()
    left = server.client().list_faces(CollectionId="people")["Faces"]
    assert [face["ExternalImageId"] for face in left] == ["obama"]


def test_another_machine_is_told_of_deletions(
    told: Callable[..., Any], overt: Callable[..., Any], home: Path, tmp_path: Path
) -> None:
    told("collections", "create", "people")
    told("backup", tmp_path / "file", "--without-secrets")
    line = {"account": "000000000001", "collection": "people", "face_id": "00000000-0000-0000-0000-000000000000"}
    (tmp_path / "told").write_text(json.dumps(line))
    other = tmp_path / "other"
    done = overt("restore", tmp_path / "file", "--deletions", tmp_path / "told", "--home", other)
    assert done.returncode == 0, done.stderr
    assert "deleted or revoked since the backup, and now again: 0 collections, 0 faces" in done.stdout
    assert recorded(other) == [("CreateCollection", "ok"), ("RestoreData", "ok")]


def test_what_cannot_be_done_is_told(overt: Callable[..., Any], home: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("precious")
    done = overt("backup", tmp_path / "file", "--home", home)
    assert done.returncode == 1
    assert "choose another name" in done.stderr
    done = overt("restore", tmp_path / "file", "--yes", "--home", home)
    assert done.returncode == 1
    assert "nothing was restored: file is damaged or no file of overt's" in done.stderr
    assert (tmp_path / "file").read_text() == "precious"
