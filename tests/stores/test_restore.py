# SPDX-License-Identifier: Apache-2.0
"""A backup comes back whole, without what was deleted since; what fails leaves the data as it was."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from overt.settings import Settings
from overt.stores import arrivals, backup, restore
from overt.stores.archive import ArchiveError, ArchiveWriter
from overt.stores.backup import DATABASE, KIND, BackupError
from overt.stores.base import AccessKey, StoreError, Unit
from overt.stores.deletions import Deletions
from overt.stores.restore import ASIDE, Restored
from overt.stores.sql import SqlStores
from overt.stores.vault import Vault
from overt.testing.stores import ACCOUNT, MODEL, NOON, make_alert, make_event, make_roll, make_vectors
from overt.types import Embedding, Parcel

PEOPLE = (ACCOUNT, "people")
VECTORS = make_vectors(10, seed=1)
LATER = NOON + dt.timedelta(days=99)


@pytest.fixture
def chosen(tmp_path: Path) -> Settings:
    """The settings of a home folder."""
    chosen = Settings(home=tmp_path / "home")
    chosen.home.mkdir()
    return chosen


@pytest.fixture
def work(chosen: Settings) -> Callable[..., None]:
    """Does something in one write unit on the home folder's database, and closes it."""

    def run(change: Callable[[Unit], object]) -> None:
        stores = SqlStores.open(f"sqlite:///{chosen.database}", Vault.open(chosen.master_key))
        with stores.write() as unit:
            change(unit)
        stores.close()

    return run


@pytest.fixture
def file(chosen: Settings, work: Callable[..., None], tmp_path: Path) -> Path:
    """A backup of ten faces, a user, a key, a journal, settings and a model; the home folder goes on."""

    def fill(unit: Unit) -> None:
        people = unit.collections.create(*PEOPLE, MODEL, NOON)
        unit.users.create(people, "ann")
        unit.faces.load(people, MODEL, make_roll(VECTORS, user_ids=["ann"] * 4 + [None] * 6))
        unit.keys.add(AccessKey("OVRT1", ACCOUNT, "owner", "hush", NOON))
        unit.records.append(make_event(1))
        unit.collections.create(arrivals.ACCOUNT, "half", MODEL, NOON)

    work(fill)
    for name in ("imports/" + "a" * 32 + ".jsonl", "models/objects/model.onnx", "credentials", "overt.toml"):
        (chosen.home / name).parent.mkdir(parents=True, exist_ok=True)
        (chosen.home / name).write_text("then")
    path = tmp_path / "file"
    path.touch(mode=0o600)
    backup.write(chosen, path, lambda _: None, secrets=True, models=True)
    return path


def put_back(chosen: Settings, file: Path, *told: Path, keep: bool = False) -> Restored:
    with backup.open_backup(file) as archive:
        return restore.restore(chosen, archive, told, lambda _: None, keep=keep)


@pytest.fixture
def opened(chosen: Settings) -> Iterator[Callable[[], SqlStores]]:
    """Opens the home folder's store."""
    stores: list[SqlStores] = []

    def run() -> SqlStores:
        stores.append(SqlStores.open(f"sqlite:///{chosen.database}", Vault.open(chosen.master_key)))
        return stores[-1]

    yield run
    for each in stores:
        each.close()


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_lost_home_folder_comes_back(
    chosen: Settings, file: Path, tmp_path: Path, opened: Callable[[], SqlStores]
) -> None:
    chosen.home.rename(tmp_path / "lost")
    chosen.home.mkdir()
    assert put_back(chosen, file) == Restored(Deletions(), None, ())
    assert names(chosen.home) == {"overt.db", "master.key", "credentials", "overt.toml", "imports", "models"}
    assert {path.stat().st_mode & 0o777 for path in chosen.home.rglob("*") if path.is_file()} == {0o600}
    with opened().read() as unit:
        people = unit.collections.get(*PEOPLE)
        assert unit.keys.get("OVRT1").secret == "hush"
        assert unit.faces.search(people, Embedding(VECTORS[7], MODEL), 1, 0.9)[0][0].id == "face-00007"
        assert (unit.users.get(people, "ann").face_count, unit.records.count()) == (4, 1)
        assert unit.collections.page(arrivals.ACCOUNT, "", 9) == []  # a half collection has no one who would go on


def test_what_was_deleted_since_stays_deleted(
    chosen: Settings, file: Path, work: Callable[..., None], tmp_path: Path, opened: Callable[[], SqlStores]
) -> None:
    def since(unit: Unit) -> None:
        people = unit.collections.get(*PEOPLE)
        unit.faces.delete(people, ["face-00008"])
        unit.users.delete(people, "ann")
        unit.keys.revoke("OVRT1", NOON)
        unit.records.append(make_event(2))

    work(since)
    (tmp_path / "told").write_text(json.dumps({"account": ACCOUNT, "collection": "people", "face_id": "face-00003"}))
    done = put_back(chosen, file, tmp_path / "told")
    assert done.unread == ""
    assert done.again.counts == {"collections": 0, "faces": 2, "users": 1, "keys": 1, "alerts": 0}
    with opened().read() as unit:
        people = unit.collections.get(*PEOPLE)
        assert [face.id for face in unit.faces.page(people, 0, 99)] == [
            f"face-0000{row}" for row in (0, 1, 2, 4, 5, 6, 7, 9)
        ]
        found = unit.faces.search(people, Embedding(VECTORS[8], MODEL), 99, -1.0)
        assert "face-00008" not in {face.id for face, _ in found}
        assert (people.face_count, people.user_count) == (8, 0)
        assert unit.keys.get("OVRT1").revoked == NOON
        assert [event.call_id for event in unit.records.tail(9)] == ["call-2", "call-1"]
    content = chosen.database.read_bytes()
    blobs = [VECTORS[row].astype("<f2").tobytes() in content for row in (3, 7, 8)]
    assert blobs == [False, True, False]


def test_alerts_that_were_erased_since_stay_so_and_ends_given_since_stay(
    chosen: Settings, work: Callable[..., None], tmp_path: Path, opened: Callable[[], SqlStores]
) -> None:
    """Of faces 3 and 5 all was erased, the latter's told in a file alone; face 4 was deleted, its alert kept."""

    def fill(unit: Unit) -> None:
        unit.faces.load(unit.collections.create(*PEOPLE, MODEL, NOON), MODEL, make_roll(VECTORS))
        for number in range(3, 6):
            match = make_alert(0).match
            subject = replace(match.subject, id=f"face-0000{number}")
            unit.alerts.add(make_alert(number, match=replace(match, subject=subject)))
            body = f'{{"FaceId":"{subject.id}"}}'.encode()
            unit.parcels.put([Parcel("gate", "http://taker", "face", "a face", body, NOON)], 1 << 20)
        unit.parcels.put([Parcel("gate", "http://taker", "face", "a face", b'{"FaceId":"face-00006"}', NOON)], 1 << 20)

    def since(unit: Unit) -> None:
        people = unit.collections.get(*PEOPLE)
        unit.faces.delete(people, ["face-00003", "face-00004"])
        unit.alerts.forget(people, ["face-00003"])
        unit.expiries.set(people, ["face-00007"], LATER)

    work(fill)
    saved = tmp_path / "saved"
    saved.touch(mode=0o600)
    backup.write(chosen, saved, lambda _: None, secrets=True, models=True)
    work(since)
    (tmp_path / "told").write_text(json.dumps({"account": ACCOUNT, "collection": "people", "face_id": "face-00005"}))
    done = put_back(chosen, saved, tmp_path / "told")
    assert (done.again.counts["faces"], done.again.counts["alerts"]) == (3, 2)
    with opened().read() as unit:
        assert [alert.id for _, alert in unit.alerts.page(ACCOUNT, 0, 9)] == ["alert-4"]
        assert unit.expiries.of(unit.collections.get(*PEOPLE)) == {"face-00007": LATER}
        (lane,) = unit.parcels.lanes()
        assert lane.waiting == 1


def test_ends_are_in_a_backup(
    chosen: Settings, file: Path, work: Callable[..., None], tmp_path: Path, opened: Callable[[], SqlStores]
) -> None:
    def since(unit: Unit) -> None:
        unit.expiries.set(unit.collections.get(*PEOPLE), ["face-00007"], LATER)

    work(since)
    saved = tmp_path / "saved"
    saved.touch(mode=0o600)
    backup.write(chosen, saved, lambda _: None, secrets=True, models=True)
    shutil.rmtree(chosen.home)
    chosen.home.mkdir()
    put_back(chosen, saved)
    with opened().read() as unit:
        assert unit.expiries.of(unit.collections.get(*PEOPLE)) == {"face-00007": LATER}


def test_a_backup_put_back_twice_still_leaves_deleted_what_was(
    chosen: Settings, file: Path, work: Callable[..., None], opened: Callable[[], SqlStores]
) -> None:
    """What was deleted before the first time, and between the two."""
    work(lambda unit: unit.faces.delete(unit.collections.get(*PEOPLE), ["face-00008"]))
    put_back(chosen, file)
    work(lambda unit: unit.faces.delete(unit.collections.get(*PEOPLE), ["face-00009"]))
    assert put_back(chosen, file).again.counts["faces"] == 2
    with opened().read() as unit:
        assert not unit.faces.get(unit.collections.get(*PEOPLE), ["face-00008", "face-00009"])


def test_marks_of_one_life_are_not_taken_for_those_of_another(
    chosen: Settings, file: Path, work: Callable[..., None], tmp_path: Path
) -> None:
    """After a restore the same sequences would be dealt again, and their deletion would strike others' faces."""
    more = make_vectors(5, seed=2)
    work(lambda unit: unit.faces.load(unit.collections.get(*PEOPLE), MODEL, make_roll(more, "first")))
    later = tmp_path / "later"
    later.touch()
    backup.write(chosen, later, lambda _: None, secrets=True, models=False)
    put_back(chosen, file)
    work(lambda unit: unit.faces.load(unit.collections.get(*PEOPLE), MODEL, make_roll(more, "second")))
    work(lambda unit: unit.faces.delete(unit.collections.get(*PEOPLE), [f"second-0000{row}" for row in range(5)]))
    assert put_back(chosen, later).again == Deletions()


def test_a_replaced_database_that_cannot_be_read_is_told_and_kept(
    chosen: Settings, file: Path, opened: Callable[[], SqlStores]
) -> None:
    chosen.database.write_bytes(b"no database" * 1000)
    chosen.database.with_name("overt.db-wal").write_bytes(b"no log" * 1000)
    done = put_back(chosen, file)
    assert done.unread
    assert (chosen.home / ASIDE).read_bytes() == b"no database" * 1000
    assert not chosen.database.with_name("overt.db-wal").exists()
    with opened().read() as unit:
        assert unit.collections.get(*PEOPLE).face_count == 10


def test_a_replaced_database_that_is_damaged_where_deletions_are_marked_is_told(chosen: Settings, file: Path) -> None:
    with closing(sqlite3.connect(chosen.database)) as connection:
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'tombstones'").fetchone()
    with chosen.database.open("r+b") as stream:
        stream.seek((page - 1) * size)
        stream.write(b"\xff" * size)
    done = put_back(chosen, file)
    assert "malformed" in str(done.unread)
    assert (chosen.home / ASIDE).exists()


@pytest.mark.parametrize("keep", [False, True])
def test_the_replaced_database_is_kept_when_asked_for(chosen: Settings, file: Path, *, keep: bool) -> None:
    put_back(chosen, file, keep=keep)
    assert (chosen.home / ASIDE).exists() == keep


def test_settings_and_models_that_are_there_stay_and_journals_do_not(chosen: Settings, file: Path) -> None:
    (chosen.home / "overt.toml").write_text("now")
    (chosen.home / "models" / "objects" / "model.onnx").write_text("now")
    (chosen.home / "imports" / ("b" * 32 + ".jsonl")).write_text("now")
    assert put_back(chosen, file).kept == ("overt.toml", "models/objects")
    assert (chosen.home / "overt.toml").read_text() == "now"
    assert (chosen.home / "models" / "objects" / "model.onnx").read_text() == "now"
    assert names(chosen.home / "imports") == {"a" * 32 + ".jsonl"}


def snapshot(home: Path) -> dict[str, bytes]:
    """Every file but the database, whose tables are compared."""
    return {str(path): path.read_bytes() for path in home.rglob("*") if path.is_file() and "overt.db" not in path.name}


def tables(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return list(connection.iterdump())


@pytest.mark.parametrize("fault", ["cut", "flipped", "no database", "newer", "dangling", "told", "disk"])
def test_what_fails_leaves_the_data_as_it_was(
    chosen: Settings, file: Path, tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, content, told = snapshot(chosen.home), tables(chosen.database), []
    whole = file.read_bytes()
    if fault == "cut":
        file.write_bytes(whole[:-100])
    elif fault == "flipped":
        file.write_bytes(whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:])
    elif fault in {"no database", "newer", "dangling"}:
        with backup.open_backup(file) as archive:
            archive.copy(DATABASE, tmp_path / "db")
        if fault == "no database":
            (tmp_path / "db").write_bytes(b"no database" * 1000)
        else:
            change = {"newer": "UPDATE alembic_version SET version_num = '9999'", "dangling": "DELETE FROM users"}
            with closing(sqlite3.connect(tmp_path / "db")) as connection, connection:
                connection.execute(change[fault])
        writer = ArchiveWriter(tmp_path / "other", KIND, 1)
        with writer.part(DATABASE) as stream:
            stream.write((tmp_path / "db").read_bytes())
        writer.finish()
        file = tmp_path / "other"
    elif fault == "told":
        (tmp_path / "told").write_text("nothing")
        told.append(tmp_path / "told")
    else:

        def full(_database: Path) -> None:
            raise OSError

        monkeypatch.setattr(restore, "sync", full)
    with pytest.raises((StoreError, OSError)):
        put_back(chosen, file, *told)
    assert snapshot(chosen.home) == before
    assert tables(chosen.database) == content
    with closing(sqlite3.connect(chosen.database)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_who_has_the_database_open_is_not_robbed_of_it(
    chosen: Settings, file: Path, opened: Callable[[], SqlStores], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restore, "_PATIENCE", 0.1)
    stores = opened()
    with stores.read() as unit:
        assert unit.collections.get(*PEOPLE)
    with pytest.raises(BackupError, match=r"another program has .*overt\.db open"):
        put_back(chosen, file)
    with stores.write() as unit:
        unit.records.append(make_event(9))


def test_a_file_that_is_no_backup_is_refused(chosen: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 100)
    with pytest.raises(ArchiveError):
        put_back(chosen, tmp_path / "file")
    assert names(chosen.home) == set()


def test_what_a_restore_that_was_cut_off_left_is_cleared(chosen: Settings, file: Path) -> None:
    (chosen.home / ".restore-x").mkdir()
    (chosen.home / ".restore-x" / "overt.db").write_text("faces")
    put_back(chosen, file)
    assert not [name for name in names(chosen.home) if name.startswith(".")]


def test_a_life_of_its_own_has_sequences_of_its_own(chosen: Settings, file: Path) -> None:
    heads = []
    for _ in range(2):
        put_back(chosen, file)
        with closing(sqlite3.connect(chosen.database)) as connection:
            heads += connection.execute("SELECT head FROM collections").fetchone()
    assert min(heads) > 2**40
    assert heads[0] != heads[1]
