# SPDX-License-Identifier: Apache-2.0
"""A collection moves from one real server to another folder, its pictures out of a folder, a bucket or S3."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

Run = Callable[..., Any]
COLLECTION = "staff"


@pytest.fixture(scope="module")
def album(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source's pictures; the two of `team/pair.jpg` stand side by side, the left one larger."""
    folder = tmp_path_factory.mktemp("album")
    (folder / "team").mkdir()
    for name in ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "astronaut.png"):
        shutil.copy(photos / name, folder / "team" / name.replace("obama", "barack o"))
    sheet = Image.new("RGB", (720, 640), "white")
    for name, width, left in (("obama2.jpg", 480, 0), ("biden.jpg", 240, 480)):
        with Image.open(photos / name) as opened:
            sheet.paste(opened.convert("RGB").resize((width, round(width * opened.height / opened.width))), (left, 0))
    sheet.save(folder / "team" / "pair.jpg")
    return folder


@pytest.fixture(scope="module")
def enrolled(server: Any, album: Path) -> Iterator[dict[str, list[dict[str, Any]]]]:
    """The source: every picture under the stem of its name, of the pair the smaller face only; faces by that name.

    It has other bytes of each picture, so its ids are not those that overt derives here.
    """
    client = server.client()
    client.create_collection(CollectionId=COLLECTION)
    faces: dict[str, list[dict[str, Any]]] = {}
    for path in sorted((album / "team").iterdir()):
        external = path.stem.replace(" ", "_")
        answer = client.index_faces(
            CollectionId=COLLECTION,
            Image={"Bytes": path.read_bytes() + b"\0"},
            ExternalImageId=external,
            QualityFilter="NONE",
        )
        faces[external] = [record["Face"] for record in answer["FaceRecords"]]
    left, right = faces["pair"]
    client.delete_faces(CollectionId=COLLECTION, FaceIds=[left["FaceId"]])
    faces["pair"] = [right]
    users = {"barack": ["barack_o", "barack_o2", "barack_o3"], "joe": ["biden", "pair"], "nobody": []}
    for user, names in users.items():
        client.create_user(CollectionId=COLLECTION, UserId=user)
        if names:
            ids = [face["FaceId"] for name in names for face in faces[name]]
            done = client.associate_faces(CollectionId=COLLECTION, UserId=user, FaceIds=ids, UserMatchThreshold=0)
            assert len(done["AssociatedFaces"]) == len(ids)
    yield faces
    client.delete_collection(CollectionId=COLLECTION)


@pytest.fixture
def shell(server: Any) -> dict[str, str]:
    """The variables of a shell with the source's keys, otherwise set up for overt as the README says."""
    return {
        "AWS_ACCESS_KEY_ID": server.key_id,
        "AWS_SECRET_ACCESS_KEY": server.secret,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_REKOGNITION": "http://127.0.0.1:1",
        "NO_PROXY": "127.0.0.1",
    }


@pytest.fixture
def migrate(overt: Run, server: Any, home: Path, shell: dict[str, str], tmp_path: Path) -> Run:
    """Runs the migration; gives its report and the rows of its mapping."""

    def run(*arguments: str | Path, code: int = 0, **variables: str) -> tuple[Any, list[dict[str, str]]]:
        command = ["migrate", "rekognition", "--collection", COLLECTION, "--mapping", tmp_path / "mapping.csv"]
        if not {"--no-source", "--faces", "--source-endpoint"} & set(arguments):
            command += ["--source-endpoint", server.url]
        done = overt(*command, *arguments, "--home", home, "--json", **(shell | variables))
        assert done.returncode == code, done.stderr
        file = tmp_path / "mapping.csv"
        rows = csv.DictReader(file.read_text().splitlines()) if file.exists() else ()
        return json.loads(done.stdout), list(rows)

    return run


def test_a_collection_moves_with_its_names_and_users(
    migrate: Run, told: Run, start_server: Run, home: Path, album: Path, enrolled: Any, photos: Path, tmp_path: Path
) -> None:
    (album / "team" / "new.jpg").write_bytes((photos / "obama.jpg").read_bytes() + b"\1")
    try:
        report, rows = migrate("--from", album)
    finally:
        (album / "team" / "new.jpg").unlink()
    assert (report["rule"], report["replacement"], report["explained"]) == ("stem", "_", 6)
    assert (report["pictures"], report["faces"], report["users"]) == (6, 6, 3)
    assert (report["failed"], report["users_refused"], report["try_again"]) == ([], {}, 0)
    assert report["pictures_without_source_face"] == 1
    assert report["source_faces"] == {
        "all": 6, "found": 6, "doubtful": 0, "not_found": 0, "picture_failed": 0, "without_picture": 0
    }  # fmt: skip
    source = {face["FaceId"]: (name, face) for name, faces in enrolled.items() for face in faces}
    assert {row["face_id"] for row in rows} == set(source)
    client = start_server(home).client()
    here = {face["FaceId"]: face for face in client.list_faces(CollectionId=COLLECTION)["Faces"]}
    assert {row["new_face_id"] for row in rows} == set(here)
    assert set(here).isdisjoint(source)
    for row in rows:
        name, before = source[row["face_id"]]
        after = here[row["new_face_id"]]
        assert after["ExternalImageId"] == row["external_image_id"] == name
        assert after["BoundingBox"]["Left"] == pytest.approx(before["BoundingBox"]["Left"], abs=0.01)
        assert after.get("UserId", "") == row["user_id"]
        assert row["status"] == "found"
        assert float(row["overlap"]) > 0.95
        assert row["key"].startswith("team/")
    assert {row["user_id"] for row in rows} == {"barack", "joe", ""}
    users = {user["UserId"]: user["UserStatus"] for user in client.list_users(CollectionId=COLLECTION)["Users"]}
    assert users == {"barack": "ACTIVE", "joe": "ACTIVE", "nobody": "CREATED"}
    found = client.search_users_by_image(CollectionId=COLLECTION, Image={"Bytes": (photos / "obama.jpg").read_bytes()})
    assert [match["User"]["UserId"] for match in found["UserMatches"]] == ["barack"]
    assert (tmp_path / "mapping.csv").stat().st_mode & 0o077 == 0
    report, again = migrate("--from", album)
    assert (report["done_before"], again) == (6, rows)
    assert told("collections", "show", COLLECTION)["FaceCount"] == 6


def test_pictures_come_out_of_s3(migrate: Run, s3: Any, album: Path, enrolled: Any) -> None:
    shutil.copytree(album, s3.folder / "cloud" / "2024")
    report, rows = migrate("--from", "s3://cloud/2024/", AWS_ENDPOINT_URL_S3=s3.url)
    assert (report["rule"], report["faces"], report["source_faces"]["found"]) == ("stem", 6, 6)
    assert {row["key"] for row in rows} == {f"2024/team/{path.name}" for path in (album / "team").iterdir()}
    assert len(s3.signed) >= 9  # three pages of keys, six pictures


def test_what_cannot_be_read_is_told_and_done_when_it_can(
    migrate: Run, s3: Any, album: Path, enrolled: Any, told: Run
) -> None:
    bucket = shutil.copytree(album, s3.folder / "cloud")
    (bucket / "team" / "biden.jpg").write_bytes(b"spoilt")
    (bucket / "team" / "astronaut.png").unlink()
    report, rows = migrate("--from", "s3://cloud", AWS_ENDPOINT_URL_S3=s3.url)
    kinds = {row["external_image_id"]: row["status"] for row in rows}
    assert kinds["astronaut"] == "no picture"
    assert kinds["biden"] == "picture failed"
    assert [item["key"] for item in report["failed"]] == ["team/biden.jpg"]
    shutil.copy(album / "team" / "biden.jpg", bucket / "team")
    report, rows = migrate("--from", "s3://cloud", AWS_ENDPOINT_URL_S3=s3.url)
    assert (report["source_faces"]["found"], report["done_before"]) == (5, 4)
    assert told("collections", "show", COLLECTION)["UserCount"] == 3
    assert next(row for row in rows if row["external_image_id"] == "biden")["user_id"] == "joe"


def test_what_a_list_names_is_done_and_what_failed_for_now_by_the_next_run(
    migrate: Run, s3: Any, album: Path, enrolled: Any, tmp_path: Path
) -> None:
    shutil.copytree(album, s3.folder / "cloud")
    rows = "".join(f"team/{path.name},{path.stem.replace(' ', '_')}\n" for path in (album / "team").iterdir())
    (tmp_path / "list.csv").write_text(f"key,external_image_id\n{rows}team/never.jpg,never\n")
    command = ("--from", "s3://cloud/", "--manifest", tmp_path / "list.csv")
    s3.barred.append("team/pair.jpg")
    report, rows = migrate(*command, code=1, AWS_ENDPOINT_URL_S3=s3.url)
    assert (report["rule"], report["missing"]) == (None, ["team/never.jpg"])
    assert (report["source_faces"]["found"], report["source_faces"]["picture_failed"], report["try_again"]) == (5, 1, 1)
    assert "InternalError" in report["failed"][0]["reason"]
    s3.barred.clear()
    report, rows = migrate(*command, AWS_ENDPOINT_URL_S3=s3.url)
    assert (report["source_faces"]["found"], report["done_before"], report["try_again"]) == (6, 5, 0)


def test_a_migration_that_is_killed_goes_on_where_it_stopped(
    server: Any, overt: Run, home: Path, shell: dict[str, str], tmp_path: Path, photos: Path
) -> None:
    client, many = server.client(), tmp_path / "many"
    many.mkdir()
    client.create_collection(CollectionId="many")
    client.create_user(CollectionId="many", UserId="one")
    with Image.open(photos / "obama2.jpg") as opened:
        opened.thumbnail((200, 200))
        opened.convert("RGB").save(tmp_path / "small.jpg")
    small = (tmp_path / "small.jpg").read_bytes()
    for number in range(60):
        (many / f"{number:02d}.jpg").write_bytes(small + b"\0" * number)
        client.index_faces(
            CollectionId="many",
            Image={"Bytes": small + b"\1" * (number + 1)},
            ExternalImageId=f"{number:02d}",
            QualityFilter="NONE",
        )
    faces = client.list_faces(CollectionId="many")["Faces"]
    client.associate_faces(CollectionId="many", UserId="one", FaceIds=[face["FaceId"] for face in faces])
    command = ["migrate", "rekognition", "--collection", "many", "--from", many, "--source-endpoint", server.url]
    command += ["--home", home, "--mapping", tmp_path / "mapping.csv"]
    process = subprocess.Popen(
        [sys.executable, "-m", "overt", *map(str, command)],
        env=os.environ | shell, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    ledgers, deadline = home / "imports", time.monotonic() + 60
    while time.monotonic() < deadline and sum(len(path.read_bytes()) for path in ledgers.glob("*")) < 1000:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "mapping.csv").exists()
    done = overt(*command, "--json", **shell)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert 0 < report["done_before"] < 60
    assert (report["faces"], report["source_faces"]["found"]) == (60, 60)
    with (tmp_path / "mapping.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["new_face_id"] for row in rows}) == len({row["face_id"] for row in rows}) == 60
    shown = json.loads(overt("collections", "show", "many", "--home", home, "--json").stdout)
    assert (shown["FaceCount"], shown["UserCount"]) == (60, 1)
    ledger = b"".join(path.read_bytes() for path in ledgers.iterdir())
    assert b".jpg" not in ledger
    client.delete_collection(CollectionId="many")


def test_a_folder_for_each_person_and_a_table_of_face_ids_are_links_too(
    migrate: Run, server: Any, tmp_path: Path, album: Path, photos: Path
) -> None:
    """Several pictures under one ExternalImageId, and faces enrolled without any."""
    client, folder = server.client(), tmp_path / "people"
    client.create_collection(CollectionId="folders")
    ids = {}
    for key, external in {"Barack O/1.jpg": "obama", "Barack O/2.jpg": "obama2", "anon.jpg": "biden"}.items():
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        content = (photos / f"{external}.jpg").read_bytes()
        (folder / key).write_bytes(content)
        named = {"ExternalImageId": "Barack-O"} if "/" in key else {}
        answer = client.index_faces(CollectionId="folders", Image={"Bytes": content + b"\0"}, MaxFaces=1, **named)
        ids[key] = answer["FaceRecords"][0]["Face"]["FaceId"]
    report, rows = migrate("--collection", "folders", "--from", folder)
    assert (report["rule"], report["replacement"], report["explained"]) == ("folder", "-", 2)
    assert (report["source_faces"]["found"], report["source_faces"]["without_picture"]) == (2, 1)
    found = {row["key"]: row["face_id"] for row in rows if row["key"]}
    assert found == {key: face for key, face in ids.items() if "/" in key}
    (tmp_path / "list.csv").write_text(f"key,face_id,user_id\nanon.jpg,{ids['anon.jpg']},joe\nBarack O/2.jpg,,\n")
    report, rows = migrate("--collection", "folders", "--from", folder, "--manifest", tmp_path / "list.csv")
    (row,) = [row for row in rows if row["key"] == "anon.jpg"]
    assert (row["face_id"], row["status"], row["user_id"], row["external_image_id"]) == (
        ids["anon.jpg"], "found", "joe", "",
    )  # fmt: skip
    assert report["users"] == 1
    client.delete_collection(CollectionId="folders")


def test_without_a_source_every_picture_is_enrolled_by_rule(migrate: Run, album: Path, told: Run) -> None:
    report, rows = migrate("--from", album, "--no-source", "--external-image-id", "path", "--replace", ":")
    assert report["faces"] == 7
    assert {row["external_image_id"] for row in rows} >= {"team:pair.jpg", "team:barack:o.jpg"}
    assert {row["face_id"] for row in rows} == {""}
    shown = told("collections", "show", COLLECTION)
    assert (shown["FaceCount"], shown["UserCount"]) == (7, 0)


def test_a_saved_list_of_faces_serves_as_source(
    migrate: Run, server: Any, album: Path, enrolled: Any, tmp_path: Path
) -> None:
    answer = server.client().list_faces(CollectionId=COLLECTION)
    del answer["ResponseMetadata"]
    (tmp_path / "faces.json").write_text(json.dumps(answer))
    report, rows = migrate("--from", album, "--faces", tmp_path / "faces.json", "--as", "other", "--dry-run")
    assert (report["to_enrol"], report["source_faces"], report["users"], rows) == (6, 6, 2, [])
    report, rows = migrate("--from", album, "--faces", tmp_path / "faces.json", "--as", "other")
    assert (report["collection"], report["source_faces"]["found"], len(rows)) == ("other", 6, 6)


def test_a_dry_run_changes_nothing(migrate: Run, album: Path, enrolled: Any, told: Run, overt: Run, home: Path) -> None:
    report, rows = migrate("--from", album, "--dry-run")
    assert (report["to_enrol"], report["explained"], rows) == (6, 6, [])
    assert told("collections", "list") == {"Collections": []}


def test_people_are_told_what_became_of_it(
    overt: Run, server: Any, home: Path, album: Path, enrolled: Any, shell: dict[str, str], tmp_path: Path
) -> None:
    command = ["migrate", "rekognition", "--collection", COLLECTION, "--from", album, "--source-endpoint", server.url]
    command += ["--home", home, "--mapping", tmp_path / "m.csv"]
    planned = overt(*command, "--dry-run", **shell).stdout
    assert "stem: the file's name without its ending, with '_' for characters that are not allowed" in planned
    assert "that explains 6 of 6 pictures of the source" in planned
    done = overt(*command, **shell)
    assert "6 pictures, 0 done before: 6 faces in staff" in done.stdout
    assert "  6 found" in done.stdout
    assert "6/6" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told_words"),
    [
        (("--from", "nowhere"), "neither a folder nor s3://"),
        (("--from", "ALBUM", "--no-source", "--faces", "x"), "exclude each other"),
        (("--from", "ALBUM", "--external-image-id", "guess"), "--external-image-id is auto, stem"),
        (("--from", "ALBUM", "--collection", "gone"), "does not exist"),
        (("--from", "ALBUM", "--profile", "absent"), "absent"),
        (("--from", "OTHERS"), "the best (stem: "),
    ],
)
def test_what_cannot_be_done_is_told_before_anything_is(
    overt: Run, server: Any, home: Path, album: Path, enrolled: Any, shell: dict[str, str], tmp_path: Path,
    arguments: tuple[str, ...], told_words: str,
) -> None:  # fmt: skip
    (tmp_path / "others").mkdir()
    shutil.copy(album / "team" / "biden.jpg", tmp_path / "others" / "x.jpg")
    places = {"ALBUM": str(album), "OTHERS": str(tmp_path / "others")}
    given = [places.get(word, word) for word in arguments]
    command = ["migrate", "rekognition", "--collection", COLLECTION, "--source-endpoint", server.url, *given]
    done = overt(*command, "--home", home, **shell)
    assert done.returncode == 1
    assert told_words in done.stderr
    assert "Traceback" not in done.stderr
    if (home / "overt.db").exists():
        with closing(sqlite3.connect(home / "overt.db")) as database:
            assert database.execute("SELECT count(*) FROM collections").fetchone() == (0,)


def test_a_collection_of_another_model_is_left_alone(
    migrate: Run, overt: Run, told: Run, home: Path, album: Path, shell: dict[str, str], tmp_path: Path
) -> None:
    from overt.testing import networks

    told("collections", "create", COLLECTION)
    told("models", "add", f"manifest={networks.embedder(tmp_path / 'made')}")
    command = ["migrate", "rekognition", "--collection", COLLECTION, "--from", album, "--no-source", "--home", home]
    done = overt(*command, **shell)
    assert done.returncode == 1
    assert "with faces of model sface-2021dec-1.0; the installed one is quarters-1.0" in done.stderr
