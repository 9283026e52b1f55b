# SPDX-License-Identifier: Apache-2.0
"""A backup holds one state of the database, whole and checked, whatever is written meanwhile."""

from __future__ import annotations

import sqlite3
import threading
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from overt.settings import Settings
from overt.stores import backup
from overt.stores.archive import ArchiveError, ArchiveWriter
from overt.stores.backup import DATABASE, KIND, BackupError, Saved
from overt.stores.sql import SqlStores
from overt.stores.vault import Vault
from overt.testing.stores import ACCOUNT, MODEL, NOON, make_event, make_faces, make_roll, make_vectors


@pytest.fixture
def chosen(tmp_path: Path) -> Settings:
    """The settings of a home folder with files of every kind."""
    chosen = Settings(home=tmp_path / "home")
    for name in ("imports/" + "a" * 32 + ".jsonl", "models/objects/model.onnx", "models/objects/licences/MIT.txt"):
        (chosen.home / name).parent.mkdir(parents=True, exist_ok=True)
        (chosen.home / name).write_text(name)
    chosen.credentials.write_text("key")
    (chosen.home / "overt.toml").write_text("port = 1")
    Vault.open(chosen.master_key)
    return chosen


@pytest.fixture
def stores(chosen: Settings) -> Iterator[SqlStores]:
    stores = SqlStores.open(f"sqlite:///{chosen.database}", Vault.open(chosen.master_key))
    yield stores
    stores.close()


def save(chosen: Settings, file: Path, *, secrets: bool = True, models: bool = False) -> Saved:
    file.touch(mode=0o600)
    return backup.write(chosen, file, lambda _: None, secrets=secrets, models=models)


def test_all_of_a_home_folder_is_in_it(chosen: Settings, stores: SqlStores, tmp_path: Path) -> None:
    with stores.write() as unit:
        people = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
        unit.faces.load(people, MODEL, make_roll(make_vectors(5, seed=1)))
    assert save(chosen, tmp_path / "file") == Saved(1, 5, 0, secrets=True, models=False)
    least = {DATABASE, "overt.toml", "imports/" + "a" * 32 + ".jsonl"}
    with backup.open_backup(tmp_path / "file") as archive:
        assert set(archive.lengths) == least | {"master.key", "credentials"}
    save(chosen, tmp_path / "other", secrets=False, models=True)
    with backup.open_backup(tmp_path / "other") as archive:
        assert set(archive.lengths) == least | {"models/objects/model.onnx", "models/objects/licences/MIT.txt"}
        archive.copy(DATABASE, tmp_path / "copy.db")
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("SELECT count(*) FROM faces").fetchone() == (5,)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.db", "file", "home", "other"]


def test_it_holds_nothing_of_what_was_deleted(chosen: Settings, stores: SqlStores, tmp_path: Path) -> None:
    new = make_faces(make_vectors(300, seed=1, dimension=128))
    blobs = [face.embedding.vector.astype("<f2").tobytes() for face in new]
    with stores.write() as unit:
        people = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
        unit.faces.add(people, "image", None, new)
    with stores.write() as unit:
        unit.faces.delete(people, [face.id for face in new[1:]])
    save(chosen, tmp_path / "file")
    content = (tmp_path / "file").read_bytes()
    assert [blob in content for blob in blobs] == [True] + [False] * 299


def test_writers_do_not_wait_and_the_copy_is_one_state(chosen: Settings, stores: SqlStores, tmp_path: Path) -> None:
    """Each unit writes a record and a collection: a copy has as many of the one as of the other."""
    stop, written = threading.Event(), 0

    def work() -> None:
        nonlocal written
        while not stop.is_set():
            with stores.write() as unit:
                unit.records.append(make_event(written))
                unit.collections.create(ACCOUNT, f"people-{written}", MODEL, NOON)
            written += 1

    with stores.write() as unit:
        people = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
        unit.faces.load(people, MODEL, make_roll(make_vectors(20_000, seed=1)))
        unit.records.append(make_event(0))
    thread = threading.Thread(target=work)
    thread.start()
    for number in range(3):
        before = written
        save(chosen, tmp_path / f"file-{number}")
        assert written > before
        with backup.open_backup(tmp_path / f"file-{number}") as archive:
            archive.copy(DATABASE, tmp_path / f"{number}.db")
        with closing(sqlite3.connect(tmp_path / f"{number}.db")) as copy:
            counts = copy.execute(
                "SELECT (SELECT count(*) FROM records), (SELECT count(*) FROM collections)"
            ).fetchone()
        assert counts[0] == counts[1] > before
    stop.set()
    thread.join()


def test_a_damaged_database_is_not_taken_for_one(chosen: Settings, stores: SqlStores, tmp_path: Path) -> None:
    with stores.write() as unit:
        people = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
        unit.faces.load(people, MODEL, make_roll(make_vectors(2000, seed=1)))
    stores.close()
    content = bytearray(chosen.database.read_bytes())
    for page in range(10, 40):
        content[page * 4096 : page * 4096 + 100] = b"\xff" * 100
    chosen.database.write_bytes(content)
    with pytest.raises(BackupError):
        save(chosen, tmp_path / "file")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "home"]


def test_references_to_what_is_not_there_are_damage(chosen: Settings, stores: SqlStores) -> None:
    stores.close()
    backup.check_database(chosen.database)
    with closing(sqlite3.connect(chosen.database)) as connection, connection:
        connection.execute("INSERT INTO tombstones VALUES (7, 1, 1)")
    with pytest.raises(BackupError, match="rows of tombstones refer to what is not there"):
        backup.check_database(chosen.database)


def test_a_name_that_cannot_come_back_is_refused(chosen: Settings, stores: SqlStores, tmp_path: Path) -> None:
    assert stores is not None
    (chosen.home / "models" / ".hidden").write_text("")
    with pytest.raises(BackupError, match="no backup may hold"):
        save(chosen, tmp_path / "file", models=True)


@pytest.mark.parametrize(
    "name",
    [
        "../overt.db",
        "/etc/passwd",
        "models/../../x/y",
        "models/.x/y",
        "imports/x",
        "overt.db-wal",
        "models/x",
        "models//a/b",
    ],
)
def test_parts_that_no_backup_has_are_refused(tmp_path: Path, name: str) -> None:
    writer = ArchiveWriter(tmp_path / "file", KIND, 1)
    for part in (DATABASE, name):
        with writer.part(part) as stream:
            stream.write(b"x")
    writer.finish()
    with zipfile.ZipFile(tmp_path / "file") as made:
        assert name in made.namelist()
    with pytest.raises(ArchiveError, match="holds what no backup holds"), backup.open_backup(tmp_path / "file"):
        pass


def test_another_database_is_told_what_to_do_instead() -> None:
    backup.check_url("sqlite:////var/lib/overt/overt.db")
    with pytest.raises(BackupError, match=r"pg_dump.*pg_restore.*master\.key"):
        backup.check_url("postgresql://host/overt")
