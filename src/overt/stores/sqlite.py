# SPDX-License-Identifier: Apache-2.0
"""How a SQLite file is opened: its pragmas, its two engines, its errors. Knows no table."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, ExceptionContext, QueuePool, create_engine, event

from overt.stores import urls
from overt.stores.base import StoreError
from overt.stores.files import draft

_BUSY_SECONDS = 30  # how long to wait for another process that writes; the command line's units take milliseconds
# Kibibytes of pages the writer may keep: face ids are random, and without their index at hand each costs a read.
_CACHE = 64 * 1024
_READERS = 16  # connections kept open; more are opened when needed and closed after

# secure_delete: the bytes of a deleted embedding are overwritten, not just unlinked.
_WRITER = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "secure_delete=ON",
    f"cache_size=-{_CACHE}",
)
_READER = ("query_only=ON",)


# What a person can do about an error whose text does not say it, by the name of its primary code.
_HELP = {
    "SQLITE_FULL": "the disk is full; make room, and writing goes on by itself",
    "SQLITE_IOERR": "the disk does not take or give what it should; is it full, or broken?",
    "SQLITE_READONLY": "the file or its folder can no longer be written by this user",
    "SQLITE_CANTOPEN": "the file or its folder can no longer be opened by this user",
    "SQLITE_BUSY": "another process has been writing for long; try again",
    "SQLITE_CORRUPT": "the file is damaged; restore a backup",
    "SQLITE_NOTADB": "the file is no database of overt; restore a backup",
}


def open_engines(url: str) -> tuple[Engine, Engine]:
    """The engines for writing and for reading a file, which is made if it is not there, for its owner alone.

    Transactions are begun and ended by hand on both. Every database error leaves them as a StoreError.
    Raises: StoreError when the url is not sqlite:////path/to/file, or no file can be made there.
    """
    parts = urls.read(url)
    if urls.kind(url) != "sqlite" or parts.database in (None, "", ":memory:"):
        msg = f"the store's url must name a file, like sqlite:////var/lib/overt/overt.db; {parts} does not"
        raise StoreError(msg)
    file = Path(str(parts.database))
    try:
        if not file.exists():
            _create(file)
    except (OSError, sqlite3.Error) as error:
        msg = f"{file} cannot be made: {error}"
        raise StoreError(msg) from error
    _check_writable(file)
    return _engine(file, _WRITER, 1, 0), _engine(file, _READER, _READERS, -1)


def scrub(engine: Engine) -> str:
    """Leave no trace of deleted rows in the files: what was done, in words.

    Their bytes in the database are overwritten already (secure_delete); older copies of its pages stand in the
    write-ahead log until that is written back and emptied, which waits for readers of older snapshots.
    Raises: StoreError when one of them does not end.
    """
    with engine.connect() as connection:
        busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    if busy:
        msg = "the rows were removed, but the write-ahead log could not be emptied: a reader does not end. Erase again"
        raise StoreError(msg)
    return "database: rows removed, their bytes overwritten, write-ahead log emptied"


def damage(connection: Connection) -> Iterator[str]:
    """What SQLite itself finds wrong with its file, and rows whose owner is missing."""
    for (words,) in connection.exec_driver_sql("PRAGMA integrity_check"):
        if words != "ok":
            yield str(words)
    for table, row, owner, _ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        yield f"row {row} of {table} belongs to nothing in {owner}"


def _check_writable(file: Path) -> None:
    """SQLite itself would open it, and then refuse every call's record."""
    effective = os.access in os.supports_effective_ids
    for path in (file, file.parent):  # beside the file lies its WAL
        if not os.access(path, os.W_OK, effective_ids=effective):
            msg = f"{path} may not be written by this user, or lies on a read-only file system"
            raise StoreError(msg)


def _create(file: Path) -> None:
    """An empty database that is in WAL mode already: the switch needs the file alone, and would not wait for it.

    The draft is closed before it gets its name, because closing a file drops this process's locks on it.
    """
    with draft(file) as path, closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")


def _engine(file: Path, pragmas: tuple[str, ...], size: int, overflow: int) -> Engine:
    engine = create_engine(
        f"sqlite:///{file}",
        isolation_level="AUTOCOMMIT",  # the driver begins no transaction of its own
        hide_parameters=True,
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=overflow,
        connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "handle_error", retval=True)
    def translate(context: ExceptionContext) -> StoreError | None:
        if context.sqlalchemy_exception is None:
            return None  # not the database's: a bug of ours, which keeps its own name
        name = "_".join(getattr(context.original_exception, "sqlite_errorname", "").split("_")[:2])
        help_ = f" ({file}: {_HELP[name]})" if name in _HELP else ""
        return StoreError(f"the database refused: {context.original_exception}{help_}")

    return engine
