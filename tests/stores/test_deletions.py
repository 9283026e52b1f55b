# SPDX-License-Identifier: Apache-2.0
"""What was deleted since a copy is found in the original, and nothing else is."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from overt.stores import deletions
from overt.stores.base import AccessKey, StoreError, Unit
from overt.stores.deletions import Deletions
from overt.stores.sql import SqlStores
from overt.stores.vault import Vault
from overt.testing.stores import ACCOUNT, MODEL, NOON, make_roll, make_vectors

PEOPLE, CROWD = (ACCOUNT, "people"), (ACCOUNT, "crowd")
LATER = NOON + dt.timedelta(days=1)


@pytest.fixture
def copy(stores: SqlStores, tmp_path: Path, url: str, vault: Vault) -> Iterator[Callable[..., Deletions]]:
    """Copies the database as it is now, then does something to the original: gives what is found deleted."""
    with stores.write() as unit:
        for account, name in (PEOPLE, CROWD):
            made = unit.collections.create(account, name, MODEL, NOON)
            unit.users.load(made, ["ann", "bob", "faceless"])
            users = ["ann"] * 3 + ["bob"] * 3 + [None] * 4
            unit.faces.load(made, MODEL, make_roll(make_vectors(10, seed=1), user_ids=users))
        for key in ("OVRT1", "OVRT2"):
            unit.keys.add(AccessKey(key, ACCOUNT, "owner", "hush", NOON))
    stores.close()
    shutil.copy(tmp_path / "overt.db", tmp_path / "copy.db")
    opened = SqlStores.open(url, vault)

    def since(change: Callable[[Unit], object]) -> Deletions:
        with opened.write() as unit:
            change(unit)
        opened.close()
        return deletions.found(tmp_path / "copy.db", tmp_path / "overt.db")

    yield since
    opened.close()


def test_without_deletions_nothing_is_found(copy: Callable[..., Deletions]) -> None:
    def change(unit: Unit) -> None:
        people = unit.collections.get(*PEOPLE)
        unit.users.disassociate(people, "ann", ["face-00000", "face-00001", "face-00002"])
        unit.users.associate(people, "bob", ["face-00009"])
        unit.faces.load(people, MODEL, make_roll(make_vectors(5, seed=2), "new"))
        unit.collections.create(ACCOUNT, "third", MODEL, NOON)

    assert copy(change) == Deletions()


def test_faces_users_and_revoked_keys_are_found(copy: Callable[..., Deletions]) -> None:
    def change(unit: Unit) -> None:
        people = unit.collections.get(*PEOPLE)
        unit.users.delete(people, "ann")
        unit.users.delete(people, "faceless")
        unit.faces.delete(people, ["face-00000", "face-00007"])
        unit.keys.revoke("OVRT2", LATER)

    found = copy(change)
    assert set(found.faces) == {(PEOPLE, "face-00000"), (PEOPLE, "face-00007")}
    assert set(found.users) == {(PEOPLE, "ann"), (PEOPLE, "faceless")}
    assert (found.collections, found.keys) == ((), (("OVRT2", LATER),))
    assert found.counts == {"collections": 0, "faces": 2, "users": 2, "keys": 1, "alerts": 0}


def test_a_user_that_lost_its_faces_first_is_found(copy: Callable[..., Deletions]) -> None:
    def change(unit: Unit) -> None:
        people = unit.collections.get(*PEOPLE)
        unit.users.disassociate(people, "bob", [f"face-0000{row}" for row in (3, 4, 5)])
        unit.users.delete(people, "bob")

    assert copy(change) == Deletions(users=((PEOPLE, "bob"),))


def test_what_came_back_stays(copy: Callable[..., Deletions]) -> None:
    def change(unit: Unit) -> None:
        people = unit.collections.get(*PEOPLE)
        unit.faces.delete(people, ["face-00009"])
        unit.faces.load(people, MODEL, make_roll(make_vectors(10, seed=1)))
        unit.users.delete(people, "ann")
        unit.users.create(people, "ann")

    assert copy(change) == Deletions()


def test_a_deleted_collection_is_found_and_its_namesake_is_another(copy: Callable[..., Deletions]) -> None:
    def change(unit: Unit) -> None:
        unit.collections.delete(*CROWD)
        unit.collections.create(*CROWD, MODEL, LATER)

    assert copy(change) == Deletions(collections=(CROWD,))


def test_a_database_of_other_collections_tells_nothing(stores: SqlStores, tmp_path: Path, vault: Vault) -> None:
    """Numbers and sequences are the same; when the collections were made is not."""
    other = SqlStores.open(f"sqlite:///{tmp_path / 'other.db'}", vault)
    for each, moment in ((stores, NOON), (other, LATER)):
        with each.write() as unit:
            people = unit.collections.create(*PEOPLE, MODEL, moment)
            unit.collections.create(*CROWD, MODEL, moment)
            unit.users.create(people, "faceless")
            unit.faces.load(people, MODEL, make_roll(make_vectors(10, seed=1)))
    with other.write() as unit:
        unit.faces.delete(unit.collections.get(*PEOPLE), ["face-00001"])
        unit.users.delete(unit.collections.get(*PEOPLE), "faceless")
        unit.collections.delete(*CROWD)
    stores.close()
    other.close()
    assert deletions.found(tmp_path / "overt.db", tmp_path / "other.db") == Deletions()


def test_a_database_that_cannot_be_read_is_told(stores: SqlStores, tmp_path: Path) -> None:
    stores.close()
    (tmp_path / "other.db").write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match="cannot be read"):
        deletions.found(tmp_path / "overt.db", tmp_path / "other.db")


def test_deletions_are_made_again_as_far_as_there_is_anything(stores: SqlStores) -> None:
    with stores.write() as unit:
        for account, name in (PEOPLE, CROWD):
            made = unit.collections.create(account, name, MODEL, NOON)
            unit.users.load(made, ["ann", "bob"])
            users = ["ann"] * 600 + ["bob"] * 600
            unit.faces.load(made, MODEL, make_roll(make_vectors(1200, seed=1), user_ids=users))
        unit.keys.add(AccessKey("OVRT1", ACCOUNT, "owner", "hush", NOON))
    faces = [f"face-{row:05d}" for row in range(1150)]
    nowhere = (ACCOUNT, "nowhere")
    wanted = Deletions(
        collections=(CROWD, CROWD, nowhere),
        faces=(*((PEOPLE, face) for face in faces), (PEOPLE, faces[0]), (PEOPLE, "gone"), (nowhere, "x"), (CROWD, "y")),
        users=((PEOPLE, "ann"), (PEOPLE, "eve")),
        keys=(("OVRT1", LATER), ("OVRT9", LATER)),
    )
    done = deletions.make_again(stores, wanted)
    assert done.counts == {"collections": 1, "faces": 1150, "users": 1, "keys": 1, "alerts": 0}
    with stores.read() as unit:
        people = unit.collections.get(*PEOPLE)
        assert (people.face_count, people.user_count) == (50, 1)
        assert unit.users.get(people, "bob").face_count == 50
        assert unit.collections.page(ACCOUNT, "", 9) == [people]
        assert unit.keys.get("OVRT1").revoked == LATER
    assert deletions.make_again(stores, wanted).counts["faces"] == 0


def test_files_of_deletions_are_read(tmp_path: Path) -> None:
    lines = [
        {"account": ACCOUNT, "collection": "people", "face_id": "a", "time": "whenever", "receipt": 7},
        {"account": ACCOUNT, "collection": "people", "user_id": "ann"},
    ]
    (tmp_path / "file").write_text("\n".join(map(json.dumps, lines)) + "\n\n")
    wanted = Deletions(faces=((PEOPLE, "a"),), users=((PEOPLE, "ann"),), alerts=((PEOPLE, "a"),))
    assert deletions.read(tmp_path / "file") == wanted


@pytest.mark.parametrize(
    "line", ["x", "[]", "7", '{"account": "1", "collection": "2"}', '{"account": 1, "collection": "2", "face_id": "3"}',
             "[" * 100_000, "\0", '{"collection": "2", "face_id": "3"}'],
)  # fmt: skip
def test_a_line_that_tells_no_deletion_is_named(tmp_path: Path, line: str) -> None:
    good = json.dumps({"account": ACCOUNT, "collection": "people", "face_id": "a"})
    (tmp_path / "file").write_text(f"{good}\n{line}\n")
    with pytest.raises(StoreError, match=r"line 2 of .*file tells no deletion"):
        deletions.read(tmp_path / "file")
