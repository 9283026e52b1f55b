# SPDX-License-Identifier: Apache-2.0
"""Streams in SQL: what is wanted of them, how they go, and who may watch them. Knows no camera."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, and_, delete, func, or_, select, update

from overt.stores import plain
from overt.stores.base import Charge, ExistsError, LostError, NotFoundError, StoreError
from overt.stores.schema import streams
from overt.stores.shelf import AnyRow, held, insert_new
from overt.stores.vault import Vault
from overt.types import Pulse, Session, Stream, Wanted

_SEALED = "stream"
_RUNS = streams.c.status.in_(("STARTING", "RUNNING", "UPDATING", "STOPPING"))
_FREE = {"owner": None, "leased": None}


class SqlStreams:
    """Implements `base.Streams`. clock: gives the present time, with its zone."""

    def __init__(self, connection: Connection, vault: Vault, clock: Callable[[], dt.datetime]) -> None:
        self._connection = connection
        self._vault = vault
        self._clock = clock

    def add(self, stream: Stream) -> None:
        """See `base.Streams.add`."""
        is_new = insert_new(
            self._connection,
            streams,
            id=stream.id,
            account=stream.account,
            name=stream.name,
            wanted=self._sealed(stream.wanted),
            revision=0,
            created=stream.created,
            updated=stream.updated,
            status=stream.status,
            message=stream.message,
            epoch=0,
        )
        if not is_new:
            msg = f"there is a stream {stream.name} in account {stream.account} already"
            raise ExistsError(msg)

    def get(self, account: str, name: str) -> Stream:
        """See `base.Streams.get`."""
        return self._stream(self._row(account, name))

    def find(self, stream_id: str) -> Stream:
        """See `base.Streams.find`."""
        row = self._connection.execute(select(streams).where(streams.c.id == stream_id)).first()
        if row is None:
            msg = f"no stream {stream_id}"
            raise NotFoundError(msg)
        return self._stream(row)

    def page(self, account: str, after: str, limit: int) -> Sequence[Stream]:
        """See `base.Streams.page`."""
        mine = and_(streams.c.account == account, streams.c.name > after)
        statement = select(streams).where(mine).order_by(streams.c.name).limit(limit)
        return [self._stream(row) for row in self._connection.execute(statement)]

    def count(self, account: str) -> int:
        """See `base.Streams.count`."""
        statement = select(func.count()).select_from(streams).where(streams.c.account == account)
        return self._connection.execute(statement).scalar_one()

    def want(self, account: str, name: str, wanted: Wanted) -> Stream:
        """See `base.Streams.want`."""
        row = self._row(account, name)
        return self._change(row, wanted=self._sealed(wanted), revision=streams.c.revision + 1, updated=self._clock())

    def start(self, account: str, name: str, session: Session) -> Stream:
        """See `base.Streams.start`."""
        row = self._row(account, name)
        if not self._stream(row).is_over:
            msg = f"stream {name} is watched already: {row.status}"
            raise StoreError(msg)
        fresh = {"status": "STARTING", "message": "", "session": plain.write(session), "begun": session.begun}
        return self._change(row, **fresh, **_FREE, pulse=None, updated=self._clock(), epoch=streams.c.epoch + 1)

    def stop(self, account: str, name: str) -> Stream:
        """See `base.Streams.stop`."""
        row = self._row(account, name)
        if self._stream(row).is_over or row.status == "STOPPING":
            msg = f"stream {name} is not watched: {row.status}"
            raise StoreError(msg)
        is_watched = row.owner is not None and row.leased > self._clock()
        change = {"status": "STOPPING"} if is_watched else {"status": "STOPPED", **_FREE}
        return self._change(row, **change, updated=self._clock())

    def delete(self, account: str, name: str) -> Stream:
        """See `base.Streams.delete`."""
        row = self._row(account, name)
        stream = self._stream(row)
        if not stream.is_over:
            msg = f"stream {name} is watched: {row.status}"
            raise StoreError(msg)
        self._connection.execute(delete(streams).where(streams.c.number == row.number))
        return stream

    def due(self, owner: str) -> Sequence[str]:
        """See `base.Streams.due`."""
        free = or_(streams.c.owner == owner, self._is_free())
        statement = select(streams.c.id).where(_RUNS, free).order_by(streams.c.begun, streams.c.number)
        return list(self._connection.execute(statement).scalars())

    def claim(self, stream_id: str, owner: str, seconds: float) -> Charge | None:
        """See `base.Streams.claim`."""
        mine = or_(streams.c.owner == owner, self._is_free())
        statement = (
            update(streams)
            .where(streams.c.id == stream_id, _RUNS, mine)
            .values(owner=owner, leased=self._later(seconds), epoch=streams.c.epoch + 1)
            .returning(streams)
        )
        row = self._connection.execute(statement).first()
        return None if row is None else self._charge(row)

    def renew(self, charge: Charge, seconds: float, status: str, message: str, pulse: Pulse) -> Charge:
        """See `base.Streams.renew`."""
        row = self._held(charge)
        told = {} if row.status == "STOPPING" else {"status": status, "message": message}
        change = {**told, "leased": self._later(seconds), "pulse": plain.write(pulse)}
        statement = update(streams).where(streams.c.number == row.number).values(**change).returning(streams)
        return self._charge(self._connection.execute(statement).one())

    def hold(self, charge: Charge) -> None:
        """See `base.Streams.hold`."""
        self._held(charge)

    def end(self, charge: Charge, status: str, message: str, pulse: Pulse) -> None:
        """See `base.Streams.end`."""
        row = self._held(charge)
        told = {"status": status, "message": message, "pulse": plain.write(pulse), "updated": self._clock()}
        self._change(row, **told, **_FREE, epoch=streams.c.epoch + 1)

    def leave(self, charge: Charge) -> None:
        """See `base.Streams.leave`."""
        self._connection.execute(update(streams).where(_is_held(charge)).values(**_FREE, epoch=streams.c.epoch + 1))

    def _row(self, account: str, name: str) -> AnyRow:
        statement = select(streams).where(streams.c.account == account, streams.c.name == name)
        row = self._connection.execute(held(self._connection, statement)).first()
        if row is None:
            msg = f"no stream {name} in account {account}"
            raise NotFoundError(msg)
        return row

    def _held(self, charge: Charge) -> AnyRow:
        row = self._connection.execute(held(self._connection, select(streams).where(_is_held(charge)))).first()
        if row is None:
            msg = f"stream {charge.stream.name} is watched by another server, or no longer"
            raise LostError(msg)
        return row

    def _change(self, row: AnyRow, **values: Any) -> Stream:
        statement = update(streams).where(streams.c.number == row.number).values(**values).returning(streams)
        return self._stream(self._connection.execute(statement).one())

    def _charge(self, row: AnyRow) -> Charge:
        return Charge(self._stream(row), row.epoch, row.revision)

    def _stream(self, row: AnyRow) -> Stream:
        return Stream(
            id=row.id,
            account=row.account,
            name=row.name,
            wanted=plain.read(Wanted, self._vault.unwrap(row.wanted, _SEALED).decode()),
            created=row.created,
            updated=row.updated,
            status=row.status,
            message=row.message,
            session=None if row.session is None else plain.read(Session, row.session),
            pulse=None if row.pulse is None else plain.read(Pulse, row.pulse),
        )

    def _sealed(self, wanted: Wanted) -> bytes:
        return self._vault.wrap(plain.write(wanted).encode(), _SEALED)

    def _is_free(self) -> Any:
        return or_(streams.c.owner.is_(None), streams.c.leased <= self._clock())

    def _later(self, seconds: float) -> dt.datetime:
        return self._clock() + dt.timedelta(seconds=seconds)


def _is_held(charge: Charge) -> Any:
    return and_(streams.c.id == charge.stream.id, streams.c.epoch == charge.epoch, streams.c.owner.is_not(None))
