# SPDX-License-Identifier: Apache-2.0
"""What SQLite is told, and what becomes of its files and errors."""

from __future__ import annotations

import os
import pwd
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from overt.stores.base import StoreError
from overt.stores.sql import SqlStores
from overt.stores.sqlite import open_engines
from overt.stores.vault import Vault
from overt.testing.stores import ACCOUNT, MODEL, NOON, make_event, make_faces, make_vectors


def test_pragmas(url: str) -> None:
    writing, reading = open_engines(url)
    names = ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")
    with writing.connect() as connection:
        values = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]
    assert values == ["wal", 2, 1, 1, 30_000]
    with reading.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA query_only").scalar() == 1
    writing.dispose()
    reading.dispose()


def test_the_files_are_their_owners_alone(stores: SqlStores, tmp_path: Path) -> None:
    with stores.write() as unit:
        unit.records.append(make_event(0))
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob("overt.db*")}
    assert modes == {"overt.db": 0o600, "overt.db-wal": 0o600, "overt.db-shm": 0o600}


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://host/db"])
def test_other_urls_are_refused_in_words(url: str, vault: Vault) -> None:
    with pytest.raises(StoreError, match="sqlite:////var"):
        SqlStores.open(url, vault)


def test_database_errors_become_store_errors(url: str) -> None:
    writing, reading = open_engines(url)
    with writing.connect() as connection, pytest.raises(StoreError, match="no such table") as caught:
        connection.execute(text("SELECT * FROM nowhere"))
    assert caught.value.__cause__ is not None
    writing.dispose()
    reading.dispose()


def test_deleted_embeddings_are_overwritten(stores: SqlStores, tmp_path: Path) -> None:
    new = make_faces(make_vectors(3, seed=1))
    blobs = [face.embedding.vector.astype("<f2").tobytes() for face in new]
    with stores.write() as unit:
        people = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
        unit.faces.add(people, "image", None, new)
    with stores.write() as unit:
        unit.faces.delete(people, [new[0].id])
    stores.close()
    content = (tmp_path / "overt.db").read_bytes()
    assert [blob in content for blob in blobs] == [False, True, True]


class SmallDisk:
    """A folder with room for a few hundred faces: a file system of its own where this user may mount one.

    Elsewhere the kernel refuses to let a file of this process grow, which comes to the same for whoever writes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        self.mounted = self._mount("size=2m")
        if not self.mounted:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, self._limits[1]))

    def make_room(self) -> None:
        if self.mounted:
            assert self._mount("remount,size=64m")
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, self._limits)

    def close(self) -> None:
        self.make_room()
        if self.mounted:
            subprocess.run(["umount", self.folder], check=True)

    def _mount(self, options: str) -> bool:
        if os.geteuid() != 0 or not shutil.which("mount"):
            return False
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", self.folder]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    folder = tmp_path / "small"
    folder.mkdir()
    disk = SmallDisk(folder)
    yield disk
    disk.close()


def test_a_full_disk_loses_nothing_and_is_told_and_room_mends_it(small_disk: SmallDisk, vault: Vault) -> None:
    url = f"sqlite:///{small_disk.folder / 'overt.db'}"
    stores = SqlStores.open(url, vault)
    with stores.write() as unit:
        people = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
    acknowledged: list[str] = []
    errors: list[str] = []

    def enrol(thread: int) -> None:
        refused = 0
        for number in range(10_000):
            new = make_faces(make_vectors(20, seed=number, per_person=1), f"face-{thread}-{number}")
            try:
                with stores.write() as unit:
                    unit.faces.add(people, "image", None, new)
            except StoreError as error:
                errors.append(str(error))
                refused += 1
                if refused == 3:
                    return
            else:
                acknowledged.extend(face.id for face in new)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(enrol, range(4)))
    assert acknowledged
    assert len(errors) == 12
    assert all("nothing was written" in error or "database refused" in error for error in errors)
    assert all("full" in error and str(small_disk.folder) in error for error in errors)
    other = SqlStores.open(url, vault)
    for each in (stores, other):
        with each.read() as unit:
            assert sorted(face.id for face in unit.faces.page(people, 0, 10**6)) == sorted(acknowledged)
            assert unit.collections.get(ACCOUNT, "people").face_count == len(acknowledged)
    other.close()
    small_disk.make_room()
    late = make_faces(make_vectors(20, seed=99, per_person=1), "late")
    with stores.write() as unit:
        unit.faces.add(people, "image", None, late)
    with stores.read() as unit:
        assert unit.faces.search(people, late[3].embedding, 1, 0.9)[0][0].id == late[3].id
        assert unit.collections.get(ACCOUNT, "people").face_count == len(acknowledged) + 20
    stores.close()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="overt-test-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@contextmanager
def ordinary_user(folder: Path) -> Iterator[None]:
    """Own the folder as somebody whom file permissions hold back, which root is not."""
    if os.geteuid() != 0:
        yield
        return
    nobody = pwd.getpwnam("nobody").pw_uid
    for path in (folder, *folder.iterdir()):
        os.chown(path, nobody, -1)
    os.seteuid(nobody)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("what", ["folder", "file"])
def test_what_may_not_be_written_is_refused_in_words(open_folder: Path, vault: Vault, what: str) -> None:
    file = open_folder / "overt.db"
    SqlStores.open(f"sqlite:///{file}", vault).close()
    with ordinary_user(open_folder):
        (open_folder if what == "folder" else file).chmod(0o555 if what == "folder" else 0o444)
        with pytest.raises(StoreError, match="may not be written") as caught:
            SqlStores.open(f"sqlite:///{file}", vault)
        open_folder.chmod(0o755)
        file.chmod(0o600)
        stores = SqlStores.open(f"sqlite:///{file}", vault)
        with stores.write() as unit:
            unit.records.append(make_event(1))
        stores.close()
    assert str(open_folder) in str(caught.value)


def test_a_file_that_cannot_be_made_is_refused_in_words(open_folder: Path, vault: Vault) -> None:
    with ordinary_user(open_folder):
        open_folder.chmod(0o555)
        for path in (open_folder / "overt.db", open_folder / "deeper" / "overt.db"):
            with pytest.raises(StoreError, match=r"overt\.db cannot be made"):
                SqlStores.open(f"sqlite:///{path}", vault)


def test_what_is_no_database_is_refused_in_words(tmp_path: Path, url: str, vault: Vault) -> None:
    (tmp_path / "overt.db").write_bytes(b"no database" * 100)
    with pytest.raises(StoreError, match=r"not a database.*restore a backup"):
        SqlStores.open(url, vault)
