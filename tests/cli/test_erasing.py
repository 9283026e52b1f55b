# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from overt.engine import Engine
from overt.settings import load
from overt.testing.stores import NOON, make_alert, make_faces, make_vectors
from overt.types import Attachment, Parcel

VECTORS = make_vectors(20, seed=1)


@pytest.fixture
def enrolled(home: Path) -> Path:
    opened = Engine.open(load(home=home))
    try:
        with opened.stores.write() as unit:
            people = unit.collections.create(opened.settings.account, "people", "model-1", NOON)
            unit.faces.add(people, "image", None, make_faces(VECTORS))
            unit.users.create(people, "ann")
            unit.users.associate(people, "ann", ["face-00003", "face-00004"])
    finally:
        opened.close()
    return home


def is_held(home: Path, number: int) -> bool:
    blob = VECTORS[number].astype(np.float16).tobytes()
    return any(blob in path.read_bytes() for path in home.rglob("*") if path.is_file())


def test_erased_faces_are_in_no_file_and_on_the_receipt(told: Callable[..., Any], enrolled: Path) -> None:
    assert is_held(enrolled, 3)
    receipt = told("faces", "erase", "face-00003", "face-00007", "nobody", "--collection", "people", "--yes")
    assert receipt["ErasedFaces"] == ["face-00003", "face-00007"]
    assert receipt["FacesNotFound"] == ["nobody"]
    assert receipt["UsersRenewed"] == ["ann"]
    assert any("write-ahead log emptied" in place for place in receipt["Places"])
    assert any("backups" in place for place in receipt["NotCovered"])
    assert [is_held(enrolled, number) for number in (3, 4, 7)] == [False, True, False]
    assert told("verify")["ok"] is True


def test_what_was_erased_stays_so_when_all_but_a_backup_is_lost(
    told: Callable[..., Any], overt: Callable[..., Any], enrolled: Path, tmp_path: Path
) -> None:
    saved, noted = tmp_path / "saved.backup", tmp_path / "erased.jsonl"
    told("backup", saved)
    for face_id in ("face-00003", "face-00007"):
        told("faces", "erase", face_id, "--collection", "people", "--deletions", noted, "--yes")
    new_home = tmp_path / "new"
    new_home.mkdir()
    done = overt("restore", saved, "--deletions", noted, "--yes", "--home", new_home, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["deleted_again"]["faces"] == 2
    assert [is_held(new_home, number) for number in (3, 4, 7)] == [False, True, False]


def test_what_cameras_saw_of_them_goes_too_also_when_the_face_went_earlier(
    told: Callable[..., Any], enrolled: Path
) -> None:
    picture = b"a picture that nobody else has"

    def parcel(face_id: str, target: str) -> Parcel:
        body = json.dumps({"FaceId": face_id}).encode()
        files = (Attachment("face.jpg", "image/jpeg", picture),)
        return Parcel("gate", target, "face", "a face", body, NOON, files)

    opened = Engine.open(load(home=enrolled))
    try:
        account = opened.settings.account
        with opened.stores.write() as unit:
            people = unit.collections.get(account, "people")
            for number in range(2):  # both name face-00003
                unit.alerts.add(make_alert(number, account=account))
            unit.alerts.add(make_alert(2, account=account, collection="crowd"))
            unit.parcels.put([parcel("face-00003", "http://one"), parcel("face-00003", "http://two")], 1 << 20)
            unit.parcels.put([Parcel("gate", "http://one", "face", "", b'{"FaceId":"face-00009"}', NOON)], 1 << 20)
            unit.users.disassociate(people, "ann", ["face-00003"])
            unit.faces.delete(people, ["face-00003"])
    finally:
        opened.close()
    receipt = told("faces", "erase", "face-00003", "--collection", "people", "--yes")
    assert receipt["FacesNotFound"] == ["face-00003"]
    assert "alerts that named them, pictures included: 2 removed" in receipt["Places"]
    assert "results of streams that named them, on their way or given up: 2 removed" in receipt["Places"]
    assert not any(picture in path.read_bytes() for path in enrolled.rglob("*") if path.is_file())
    assert [alert["collection"] for alert in told("alerts", "list")["alerts"]] == ["crowd"]


def test_an_erasure_leaves_a_row(told: Callable[..., Any], enrolled: Path) -> None:
    told("faces", "erase", "face-00003", "--collection", "people", "--yes")
    opened = Engine.open(load(home=enrolled))
    try:
        with opened.stores.read() as unit:
            (event,) = unit.records.tail(1)
    finally:
        opened.close()
    assert (event.operation, event.outcome) == ("EraseFaces", "ok")


def test_erasing_asks_first_and_knows_its_collection(overt: Callable[..., Any], enrolled: Path) -> None:
    refused = overt("faces", "erase", "face-00003", "--collection", "people", "--home", enrolled)
    assert refused.returncode == 1
    assert is_held(enrolled, 3)
    unknown = overt("faces", "erase", "face-00003", "--collection", "nobody", "--yes", "--home", enrolled)
    assert (unknown.returncode, "there is no collection nobody" in unknown.stderr) == (1, True)
