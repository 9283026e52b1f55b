# SPDX-License-Identifier: Apache-2.0
"""A home folder in one file: written beside a running server, checked when written and again before it is used.

The database is copied by VACUUM INTO: one read transaction, so that nobody waits and no write makes it start again, as
it may SQLite's backup interface; and only what the tables hold is written, none of the space of deleted rows.
"""

from __future__ import annotations

import datetime as dt
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from overt.settings import Settings
from overt.stores import urls
from overt.stores.archive import Advance, Archive, ArchiveError, ArchiveWriter
from overt.stores.base import StoreError

KIND, VERSION = "overt-backup", 1
DATABASE, MASTER_KEY, CREDENTIALS, OPTIONS = "overt.db", "master.key", "credentials", "overt.toml"

_CHUNK = 1 << 20
_BUSY_SECONDS = 30
# What may be in the file beside those four; no part of a name begins with a dot, so none leads out of its folder.
_OTHER = re.compile(r"imports/[0-9a-f]{32}\.jsonl|models(/[A-Za-z0-9_+\-][A-Za-z0-9_.+\-]*){2,6}")

_COUNTS = "SELECT (SELECT count(*) FROM collections), (SELECT count(*) FROM faces), (SELECT count(*) FROM keys)"


class BackupError(StoreError):
    """It cannot be backed up or restored; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What a backup holds."""

    collections: int
    faces: int
    keys: int
    secrets: bool
    models: bool


def check_url(url: str) -> None:
    """Raises: BackupError, with what to do instead, when the data is in another database than a SQLite file."""
    if urls.kind(url) != "sqlite":
        msg = (
            "the data is in a PostgreSQL database: save it with pg_dump --format=custom, and put it back with "
            "pg_restore while no server runs; keep master.key and overt.toml of the home folder with the dump. "
            "Then make the deletions again that were made since the dump, and remove cached search files"
        )
        raise BackupError(msg)


def write(chosen: Settings, path: Path, advance: Advance, *, secrets: bool, models: bool) -> Saved:
    """Fill an empty file with a copy of a home folder, then read it back.

    Args: secrets: also the master key and the owner's credentials. models: also models that were added. advance: told
        the bytes, each of them twice.
    Raises: BackupError when the database is damaged, or what was read back is not what was written.
    """
    snapshot = path.with_name(f"{path.name}.db")
    snapshot.touch(mode=0o600, exist_ok=False)
    archive = ArchiveWriter(path, KIND, VERSION)
    try:
        saved = Saved(*_copy(chosen.database, snapshot), secrets=secrets, models=models)
        for name, file in (DATABASE, snapshot), *_files(chosen, secrets=secrets, models=models):
            with archive.part(name) as part, file.open("rb") as stream:
                while chunk := stream.read(_CHUNK):
                    part.write(chunk)
                    advance(len(chunk))
        archive.finish(written=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), **asdict(saved))
    finally:
        archive.abandon()
        snapshot.unlink()
    with open_backup(path) as written:
        written.verify(advance)
    return saved


@contextmanager
def open_backup(path: Path) -> Iterator[Archive]:
    """A backup to read; its parts are not yet verified. Raises: ArchiveError."""
    with Archive.open(path, KIND, VERSION) as archive:
        names = set(archive.lengths)
        known = {DATABASE, MASTER_KEY, CREDENTIALS, OPTIONS}
        if DATABASE not in names or not all(name in known or _OTHER.fullmatch(name) for name in names):
            msg = f"{path.name} holds what no backup holds"
            raise ArchiveError(msg)
        yield archive


def check_database(file: Path) -> None:
    """Raises: BackupError unless every page, index and reference of a database that nobody uses is right."""
    try:
        with closing(sqlite3.connect(file, timeout=_BUSY_SECONDS)) as connection:
            told = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            astray = connection.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite3.Error as error:
        told, astray = str(error), None
    if told != "ok" or astray:
        msg = f"the database is damaged: {told if told != 'ok' else f'rows of {astray[0]} refer to what is not there'}"
        raise BackupError(msg)


def _copy(database: Path, snapshot: Path) -> tuple[int, int, int]:
    """Copy what is committed now; how many collections, faces and keys that are."""
    try:
        with closing(sqlite3.connect(database, timeout=_BUSY_SECONDS)) as connection:
            connection.execute("VACUUM INTO ?", (str(snapshot),))
        check_database(snapshot)
        with closing(sqlite3.connect(snapshot)) as connection:
            collections, faces, keys = connection.execute(_COUNTS).fetchone()
    except sqlite3.Error as error:
        msg = f"the database cannot be copied: {error}"
        raise BackupError(msg) from error
    return collections, faces, keys


def _files(chosen: Settings, *, secrets: bool, models: bool) -> Iterator[tuple[str, Path]]:
    """The other files of a home folder, with their names in a backup."""
    wanted = [(OPTIONS, chosen.home / OPTIONS)]
    if secrets:
        wanted += [(MASTER_KEY, chosen.master_key), (CREDENTIALS, chosen.credentials)]
    folders = [chosen.home / "imports", *([chosen.model_folder] if models else [])]
    for folder in folders:
        wanted += [(f"{folder.name}/{file.relative_to(folder).as_posix()}", file) for file in sorted(folder.rglob("*"))]
    for name, file in wanted:
        if file.is_file():
            if not (name in {OPTIONS, MASTER_KEY, CREDENTIALS} or _OTHER.fullmatch(name)):
                msg = f"{file} has a name that no backup may hold; remove it or rename it"
                raise BackupError(msg)
            yield name, file
