# SPDX-License-Identifier: Apache-2.0
"""How a PostgreSQL database is opened: its sessions, its two engines, its errors, its write units. Knows no table.

Several servers may share one database. Nothing but its locks keeps their units apart, so on these engines a unit that
writes locks what it decides on (`shelf.held`, `shelf.hold`), in this order: a token, then the collection, then tags,
then alerts, then lanes of parcels. A unit keeps to one collection; should two units wait for each other all the same,
PostgreSQL gives one of them up.

What is tried again and what is not. A pooled connection is asked whether it still lives before a unit begins on it, and
is replaced if not: nothing has been done by then, so nothing can be done twice, and a server finds its way back after
PostgreSQL was restarted. A unit itself is never repeated here, as only its caller knows what it did beside the
database. Whatever ends it (a deadlock, a lock or a statement that took too long, a connection lost) leaves nothing
behind and is an UnavailableError; only when the connection goes while the commit is under way nobody can tell, and that
is an UncertainError. Callers outside, the SDKs, may repeat both: enrolment is derived from the picture, and other
writes carry a ClientRequestToken.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import URL, Connection, Engine, ExceptionContext, PoolProxiedConnection, QueuePool, create_engine, event
from sqlalchemy import exc as problems

from overt.stores import urls
from overt.stores.base import StoreError, UnavailableError, UncertainError
from overt.stores.shelf import LOCKING
from overt.stores.writer import NESTED

# Connections of one server to the database: 16 to write and 16 to read, of the 100 that PostgreSQL allows by itself.
_KEPT = 4
_FURTHER = 12
_POOL_SECONDS = 30  # how long a unit waits for one of them

_SESSION = {
    "synchronous_commit": "on",  # whatever the server's default: what was acknowledged is on its disk
    "lock_timeout": "30s",
    "statement_timeout": "15min",  # no honest statement takes longer: ten million faces are read or removed in one
    "idle_in_transaction_session_timeout": "2min",  # or a server that hangs would hold its collection's lock for ever
}
_READING = {"default_transaction_isolation": "repeatable read", "default_transaction_read_only": "on"}
_CONNECTION = {  # unless the url says otherwise; a host that is cut off is noticed within a minute
    "application_name": "overt",
    "connect_timeout": 5,  # seconds, as all but the last, which counts milliseconds
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 50_000,
}
# Classes and codes of SQLSTATE after which the same may work. Source: PostgreSQL documentation, appendix A.
_PASSING = ("08", "40", "53", "57", "55P03")


def open_engines(url: str) -> tuple[Engine, Engine]:
    """The engines for writing and for reading a database; nothing is connected yet.

    Transactions are begun and ended by hand on both. Every database error leaves them as a StoreError.
    Args: url: like postgresql://user:password@host:5432/database, with libpq's parameters behind a "?".
    Raises: StoreError when the driver is missing or the url cannot be used.
    """
    parts = urls.read(url)
    if "password" in parts.query:
        msg = "the password belongs before the @ of the store's url, or into PGPASSWORD or ~/.pgpass"
        raise StoreError(msg)
    return _engine(parts, _SESSION, locking=True), _engine(parts, {**_SESSION, **_READING}, locking=False)


def describe(url: str) -> tuple[bool, str]:
    """Whether the server keeps what it acknowledges, and what it is, in words. Raises: StoreError."""
    engine = open_engines(url)[1]
    try:
        with engine.connect() as connection:
            row = connection.exec_driver_sql(
                "SELECT current_setting('server_version'), pg_database_size(current_database()), "
                "current_setting('fsync'), current_setting('full_page_writes')"
            ).one()
    finally:
        engine.dispose()
    version, size, fsync, pages = row
    told = f"PostgreSQL {version.split()[0]}, {size / 1e6:.1f} MB"
    if (fsync, pages) == ("on", "on"):
        return True, told
    return False, f"{told}; fsync is {fsync} and full_page_writes {pages}: a power cut loses data, set both to on"


def scrub(engine: Engine) -> str:
    """Free the space of deleted rows: what was done, in words, and what PostgreSQL alone can do. Raises: StoreError."""
    with engine.connect() as connection:
        connection.exec_driver_sql("VACUUM faces, users, tombstones, alerts, parcels, attachments")
    return (
        "database: rows removed and their space freed (VACUUM); PostgreSQL overwrites it as it goes on writing, or at "
        "once by VACUUM FULL faces, users, alerts, parcels, attachments, which locks them; its write-ahead log and "
        "archives are yours to expire"
    )


def damage(connection: Connection) -> Iterator[str]:
    """What PostgreSQL has noticed of damaged pages; without data checksums it notices nothing."""
    failures = connection.exec_driver_sql(
        "SELECT checksum_failures FROM pg_stat_database WHERE datname = current_database()"
    ).scalar()
    if failures:
        yield f"PostgreSQL has read {failures} damaged pages: restore from a backup"


class PostgresqlWriter:
    """Implements `writer.Writer`. Each unit has a connection and a transaction of its own.

    PostgreSQL itself lets commits that come together share one sync to disk. READ COMMITTED, because a unit that has
    waited for a lock must see what the one before it wrote.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._mine = threading.local()
        self._ended = threading.Condition()
        self._under_way = 0
        self._closed = False

    @contextmanager
    def unit(self) -> Iterator[Connection]:
        """See `Writer.unit`. Raises: UnavailableError and UncertainError, as this module says above, too."""
        self._refuse_nesting()
        with self._ended:
            if self._closed:
                msg = "the store is closed"
                raise StoreError(msg)
            self._under_way += 1
        self._mine.inside = True
        try:
            with self._engine.connect() as connection:
                connection.exec_driver_sql("BEGIN")
                try:
                    yield connection
                except BaseException:
                    with suppress(StoreError):  # the connection may be what failed
                        connection.rollback()
                    raise
                _commit(connection)
        finally:
            self._mine.inside = False
            with self._ended:
                self._under_way -= 1
                self._ended.notify_all()

    def close(self) -> None:
        """See `Writer.close`."""
        self._refuse_nesting()
        with self._ended:
            self._closed = True
            self._ended.wait_for(lambda: self._under_way == 0)

    def _refuse_nesting(self) -> None:
        if getattr(self._mine, "inside", False):
            raise StoreError(NESTED)


def _commit(connection: Connection) -> None:
    if connection.invalidated or _status(connection) != "INTRANS":
        # PostgreSQL answers the COMMIT of a failed transaction without complaint, and keeps none of it.
        connection.rollback()
        msg = "nothing was written: a statement of this unit had failed"
        raise StoreError(msg)
    try:
        connection.exec_driver_sql("COMMIT")
    except UnavailableError as error:
        if connection.invalidated:
            msg = f"the connection was lost while committing, and whether anything was written is unknown: {error}"
            raise UncertainError(msg) from error
        raise


def _status(connection: Connection) -> str:
    driver: Any = connection.connection.driver_connection
    return str(driver.info.transaction_status.name)


class _Pool(QueuePool):
    """A pool whose exhaustion is an error of the store."""

    def connect(self) -> PoolProxiedConnection:
        try:
            return super().connect()
        except problems.TimeoutError as error:
            msg = f"all {_KEPT + _FURTHER} connections to the database were busy for {_POOL_SECONDS} seconds"
            raise UnavailableError(msg) from error


def _engine(parts: URL, session: Mapping[str, str], *, locking: bool) -> Engine:
    given = parts.query.get("options", ())
    options = [given] if isinstance(given, str) else [*given]
    options += ["-c {}={}".format(name, value.replace(" ", r"\ ")) for name, value in session.items()]
    own = {name: value for name, value in _CONNECTION.items() if name not in parts.query}
    try:
        engine = create_engine(
            parts.set(drivername="postgresql+psycopg").difference_update_query(["options"]),
            isolation_level="AUTOCOMMIT",  # the driver begins no transaction of its own
            poolclass=_Pool,
            pool_size=_KEPT,
            max_overflow=_FURTHER,
            pool_timeout=_POOL_SECONDS,
            pool_pre_ping=True,
            hide_parameters=True,
            execution_options={LOCKING: locking},
            connect_args={
                "client_encoding": "utf8",
                "options": " ".join(options),
                **own,
            },
        )
    except ImportError as error:
        msg = "PostgreSQL needs a driver that is not installed; run: pip install 'overt[postgresql]'"
        raise StoreError(msg) from error

    @event.listens_for(engine, "connect")
    def check(connection: Any, _record: object) -> None:
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            msg = f"the database's encoding is {encoding}; make one with: CREATE DATABASE ... ENCODING 'UTF8'"
            raise StoreError(msg)

    event.listen(engine, "handle_error", _translate, retval=True)
    return engine


def _translate(context: ExceptionContext) -> StoreError | None:
    """The store's word for a database error; None leaves the error as it is."""
    if context.sqlalchemy_exception is None or context.is_pre_ping:
        return None  # a bug of ours, which keeps its own name; or a dead connection, which the pool replaces
    original: Any = context.original_exception
    state = getattr(original, "sqlstate", None)
    diagnosis = getattr(original, "diag", None)
    words = (diagnosis.message_primary if diagnosis else None) or str(original)
    # The details of the message quote rows, which hold names; they must not follow the error into a log.
    original.args = (words,)
    if state is None and not context.is_disconnect and context.connection is not None:
        return StoreError(f"the database refused: {words}")
    if state is None or context.is_disconnect or state.startswith(_PASSING):
        return UnavailableError(f"the database cannot do it at present: {words}")
    return StoreError(f"the database refused: {words}")
