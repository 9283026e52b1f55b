# SPDX-License-Identifier: Apache-2.0
"""A backup put back: unpacked and made ready beside what it replaces, then put in its place.

The one step that counts, the database's new name, is a rename. Before it nothing of the home folder's data has changed;
whatever ends this early, running it again starts over.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, update

from overt.settings import Settings
from overt.stores import arrivals, backup, deletions, lineage
from overt.stores.archive import Advance, Archive
from overt.stores.backup import CREDENTIALS, DATABASE, MASTER_KEY, OPTIONS, BackupError
from overt.stores.base import StoreError
from overt.stores.deletions import Deletions
from overt.stores.files import sync
from overt.stores.schema import collections
from overt.stores.sql import SqlStores
from overt.stores.sqlite import open_engines
from overt.stores.vault import Vault

ASIDE = "overt.db.replaced"

_DRAFT = ".restore-"
_PATIENCE = 5  # seconds for a command that is just ending
_GAP = 2**40  # more than a collection will ever deal, and still a million such steps below the end of the numbers

_RECORDED = "call_id, time, operation, key_id, account, digest, verdict, outcome, milliseconds"
_CARRY_RECORDS = f"""
    INSERT INTO main.records ({_RECORDED}) SELECT {_RECORDED} FROM old.records
    WHERE call_id NOT IN (SELECT call_id FROM main.records) ORDER BY number
"""  # noqa: S608 - put together from the constant above

# An end that a face was given since the backup was made.
_CARRY_ENDS = """
    INSERT INTO main.expiries (collection, sequence, expires)
    SELECT e.collection, e.sequence, e.expires FROM old.expiries e
    JOIN old.collections o ON o.number = e.collection
    JOIN main.collections c ON c.number = o.number AND (c.account, c.id, c.created) = (o.account, o.id, o.created)
    JOIN old.faces g ON (g.collection, g.sequence) = (e.collection, e.sequence)
    JOIN main.faces f ON (f.collection, f.sequence, f.id) = (g.collection, g.sequence, g.id)
    WHERE true
    ON CONFLICT (collection, sequence) DO UPDATE SET expires = excluded.expires
"""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done.

    again: deletions made again. unread: why the replaced database could not be asked for them, "" when it was, None
    when there was none. kept: what was there and stays as it was, of settings and models.
    """

    again: Deletions
    unread: str | None
    kept: tuple[str, ...]


def restore(chosen: Settings, archive: Archive, told: Iterable[Path], advance: Advance, *, keep: bool) -> Restored:
    """Put a backup in place of a home folder's data. No server runs on it: the caller sees to that.

    Args: told: files of further deletions. advance: told the bytes. keep: leave the replaced database beside the new
        one, as one that cannot be read is left in any case.
    Raises: StoreError, with the data as it was.
    """
    known = sum((deletions.read(file) for file in told), Deletions())
    archive.verify(advance)
    for left in chosen.home.glob(f"{_DRAFT}*"):  # of one that was cut off
        shutil.rmtree(left)
    draft = Path(tempfile.mkdtemp(prefix=_DRAFT, dir=chosen.home))
    try:
        _unpack(archive, draft)
        backup.check_database(draft / DATABASE)
        _renew(draft / DATABASE)
        unread = _close(chosen.database)
        if unread == "":
            try:
                known += _take_over(draft / DATABASE, chosen.database)
            except StoreError as error:
                unread = str(error)
        again = _delete_again(draft / DATABASE, known)
        kept = _put_in_place(chosen, draft)
    except BaseException:
        _reopen(chosen.database)
        raise
    finally:
        shutil.rmtree(draft)
    if not keep and not unread:
        for file in chosen.home.glob(f"{ASIDE}*"):
            file.unlink()
    return Restored(again, unread, kept)


def _part_ways(connection: Connection) -> None:
    """Make a database one of its own, that shares nothing to come with the one it is a copy of.

    Its sequences go on far from those that the original has dealt since, so that no mark of a deletion can be taken
    for one of another row; and no search segment of the original is used. Args: connection: in a transaction.
    """
    lineage.renew(connection)
    gap = _GAP + secrets.randbelow(_GAP)
    connection.execute(update(collections).values(head=collections.c.head + gap))


def _unpack(archive: Archive, draft: Path) -> None:
    for name in archive.lengths:
        place = draft / name
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        archive.copy(name, place)


def _close(database: Path) -> str | None:
    """Bring the database that is to go up to date and see that nobody has it open.

    Returns: as `Restored.unread`. Raises: BackupError when another process has it open.
    """
    if not database.exists():
        return None
    try:
        SqlStores.open(f"sqlite:///{database}", _nobody()).close()
        with closing(sqlite3.connect(database, timeout=_PATIENCE)) as connection:
            # Only who has the file alone may change this; it also brings all that was written into the one file.
            connection.execute("PRAGMA journal_mode=DELETE")
    except StoreError as error:
        return str(error)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return str(error)
        msg = f"another program has {database} open; end it first"
        raise BackupError(msg) from error
    except sqlite3.Error as error:
        return str(error)
    return ""


def _reopen(database: Path) -> None:
    """Undo `_close`, where it was done."""
    if database.exists():
        with suppress(sqlite3.Error), closing(sqlite3.connect(database)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")


def _renew(database: Path) -> None:
    """Bring a copy up to date and give it a life of its own."""
    url = f"sqlite:///{database}"
    SqlStores.open(url, _nobody()).close()
    engines = open_engines(url)
    with engines[0].connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        _part_ways(connection)
        connection.exec_driver_sql("COMMIT")
    for engine in engines:
        engine.dispose()


def _take_over(database: Path, old: Path) -> Deletions:
    """The deletions that only the replaced database knows of; its records and ends go to the new one at once."""
    known = deletions.found(database, old)
    with deletions.attached(database, old) as both:
        both.execute(_CARRY_RECORDS)
        both.execute(_CARRY_ENDS)
    return known


def _delete_again(database: Path, known: Deletions) -> Deletions:
    """Delete, in all bytes of the file; what was there to be deleted."""
    stores = SqlStores.open(f"sqlite:///{database}", _nobody())
    try:
        arrivals.clear(stores)
        return deletions.make_again(stores, known)
    finally:
        stores.close()


def _nobody() -> Vault:
    """A vault for a store whose secrets nobody asks for."""
    return Vault(secrets.token_bytes(32))


def _put_in_place(chosen: Settings, draft: Path) -> tuple[str, ...]:
    sync(draft / DATABASE)
    # It tells what of a folder need not be imported again, which is true of no other database.
    shutil.rmtree(chosen.home / "imports", ignore_errors=True)
    aside = chosen.home / ASIDE
    for ending in ("", "-wal", "-shm"):
        aside.with_name(f"{ASIDE}{ending}").unlink(missing_ok=True)
    for ending in ("-wal", "-shm"):  # what a new database would take for its own
        with suppress(FileNotFoundError):
            chosen.database.with_name(f"{chosen.database.name}{ending}").rename(f"{aside}{ending}")
    if chosen.database.exists():
        os.link(chosen.database, aside)
    (draft / DATABASE).replace(chosen.database)
    sync(chosen.home)
    for name, place in ((MASTER_KEY, chosen.master_key), (CREDENTIALS, chosen.credentials)):
        if (draft / name).exists():
            (draft / name).replace(place)
    if (draft / "imports").exists():
        (draft / "imports").rename(chosen.home / "imports")
    kept = tuple(name for name in _optional(draft) if not _settle(draft / name, chosen.home / name))
    sync(chosen.home)
    return kept


def _optional(draft: Path) -> list[str]:
    """The settings and the added models of a backup."""
    found = [OPTIONS] if (draft / OPTIONS).exists() else []
    return found + [f"models/{folder.name}" for folder in sorted((draft / "models").glob("*"))]


def _settle(draft: Path, place: Path) -> bool:
    """Put a file or folder in its place unless there is one; was it put there?"""
    if place.exists():
        return False
    place.parent.mkdir(exist_ok=True)
    draft.rename(place)
    return True
