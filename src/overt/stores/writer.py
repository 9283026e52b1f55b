# SPDX-License-Identifier: Apache-2.0
"""Who hands out write units, and group commit on SQLite: units that queue up share one transaction and one sync.

A unit of SQLite runs alone, inside a savepoint. When it ends while others stand in line, it waits; the last in line
commits for all. So a lone writer commits at once, and under load one sync to disk serves everyone who waited for the
one before.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Protocol

from sqlalchemy import Connection

from overt.stores.base import StoreError

_LARGEST_GROUP = 64  # so that an endless line cannot put off the commit for ever
_ORPHAN_SECONDS = 1.0  # after this a waiter looks whether whoever should have committed was interrupted
NESTED = "this thread is in a write unit already; use that one"


class Writer(Protocol):
    """Hands out connections for write units; safe for many threads."""

    def unit(self) -> AbstractContextManager[Connection]:
        """A connection for one unit's work. Leaving the block returns once the work is durable.

        An exception undoes this unit alone and passes on. Raises: StoreError when the work could not be kept; when the
        writer is closed; when the thread is in a write unit already.
        """

    def close(self) -> None:
        """Let what is under way finish and refuse what comes after. Raises: StoreError inside a write unit."""


class _Group:
    """The units of one transaction, and what became of it."""

    def __init__(self) -> None:
        self.members = 0
        self.done = threading.Event()
        self.error: Exception | None = None

    def finish(self, error: Exception | None = None) -> None:
        self.error = error
        self.done.set()


class GroupWriter:
    """Implements `Writer` over the one connection that writes, which one thread at a time may use."""

    def __init__(self, connection: Connection) -> None:
        """Args: connection: in autocommit mode; it belongs to the writer from here on."""
        self._connection = connection
        self._turn = threading.Lock()
        self._owner: int | None = None
        self._line_lock = threading.Lock()
        self._in_line = 0
        self._group: _Group | None = None
        self._closed = False

    @contextmanager
    def unit(self) -> Iterator[Connection]:
        """See `Writer.unit`. The connection is inside a savepoint.

        Raises: StoreError also when another process kept the file locked. A commit that fails is an error of every
        unit it would have covered.
        """
        with self._my_turn():
            group = self._begin()
            try:
                with self._savepoint(group):
                    yield self._connection
                group.members += 1
            finally:
                if self._group is group and (self._in_line == 0 or group.members >= _LARGEST_GROUP):
                    self._end(group)
        self._wait(group)

    def close(self) -> None:
        """See `Writer.close`."""
        with self._my_turn():
            if not self._closed:
                self._closed = True
                if self._group is not None:
                    self._end(self._group)
                self._connection.close()

    @contextmanager
    def _my_turn(self) -> Iterator[None]:
        if self._owner == threading.get_ident():
            raise StoreError(NESTED)
        with self._line_lock:
            self._in_line += 1
        try:
            self._turn.acquire()
        finally:
            with self._line_lock:
                self._in_line -= 1
        self._owner = threading.get_ident()
        try:
            yield
        finally:
            self._owner = None
            self._turn.release()

    def _begin(self) -> _Group:
        """The group whose transaction is open, or a new one."""
        if self._closed:
            msg = "the store is closed"
            raise StoreError(msg)
        if self._group is None:
            self._connection.exec_driver_sql("BEGIN IMMEDIATE")
            self._group = _Group()
        return self._group

    @contextmanager
    def _savepoint(self, group: _Group) -> Iterator[None]:
        self._connection.exec_driver_sql("SAVEPOINT unit")
        try:
            yield
            self._connection.exec_driver_sql("RELEASE unit")
        except BaseException as error:
            if not self._undo_unit():  # disk full, input/output error: the other units go with it
                self._group = None
                try:
                    self._give_up()
                finally:
                    group.finish(StoreError(f"the transaction was lost to another unit's error: {error}"))
            raise

    def _undo_unit(self) -> bool:
        """Go back to where the unit began; False when that cannot be done, as SQLite gave up the whole transaction."""
        if not self._is_open():
            return False
        try:
            self._connection.exec_driver_sql("ROLLBACK TO unit")
            self._connection.exec_driver_sql("RELEASE unit")
        except StoreError:
            return False
        return True

    def _end(self, group: _Group) -> None:
        """Commit, and tell the group how it went; raises nothing itself."""
        self._group = None
        error: Exception | None = StoreError("the commit was interrupted")  # unless we get past it
        try:
            self._connection.exec_driver_sql("COMMIT" if group.members else "ROLLBACK")
            error = None
        except StoreError as failure:
            error = failure
        finally:
            try:
                if error is not None:
                    self._give_up()
            finally:
                group.finish(error)

    def _give_up(self) -> None:
        """Leave no transaction open: the next unit begins one. After an interrupt also on a new connection."""
        with suppress(StoreError):
            self._connection.rollback()

    def _wait(self, group: _Group) -> None:
        while not group.done.wait(_ORPHAN_SECONDS):
            with self._turn:
                if self._group is group:
                    self._end(group)
        if group.error is not None:
            msg = f"nothing was written: {group.error}"
            raise StoreError(msg) from group.error

    def _is_open(self) -> bool:
        """Whether the database still has our transaction."""
        if self._connection.invalidated:
            return False
        return bool(self._connection.connection.driver_connection.in_transaction)  # type: ignore[union-attr]
