# SPDX-License-Identifier: Apache-2.0
"""Moratoria on face analysis, in SQL. Knows nothing of what they stop."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Connection, insert, select, update

from overt.stores.base import Approval, Halt, NotFoundError
from overt.stores.schema import halt_approvals, halts
from overt.stores.shelf import AnySelect, held, insert_new


class SqlHalts:
    """Implements `base.Halts`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def begin(self, collection: str, purpose: str, begun: dt.datetime, person: str, reason: str) -> Halt:
        """See `base.Halts.begin`."""
        statement = insert(halts).values(
            collection=collection, purpose=purpose, begun=begun, person=person, reason=reason
        )
        number = self._connection.execute(statement.returning(halts.c.number)).scalar_one()
        return Halt(number, collection, purpose, begun, person, reason)

    def approve(self, number: int, approval: Approval, needed: int) -> Halt:
        """See `base.Halts.approve`."""
        # Held, so that two who approve at the same moment are counted one after the other.
        mine = select(halts.c.number).where(halts.c.number == number, halts.c.lifted.is_(None))
        if self._connection.execute(held(self._connection, mine)).first() is None:
            msg = f"no moratorium {number} is in force"
            raise NotFoundError(msg)
        insert_new(
            self._connection,
            halt_approvals,
            halt=number,
            person=approval.person,
            time=approval.time,
            reason=approval.reason,
        )
        (halt,) = self._read(select(halts).where(halts.c.number == number))
        if len(halt.approvals) >= needed:
            self._connection.execute(update(halts).where(halts.c.number == number).values(lifted=approval.time))
            (halt,) = self._read(select(halts).where(halts.c.number == number))
        return halt

    def standing(self) -> Sequence[Halt]:
        """See `base.Halts.standing`."""
        return self._read(select(halts).where(halts.c.lifted.is_(None)).order_by(halts.c.number))

    def list(self) -> Sequence[Halt]:
        """See `base.Halts.list`."""
        return self._read(select(halts).order_by(halts.c.number))

    def _read(self, statement: AnySelect) -> Sequence[Halt]:
        rows = self._connection.execute(statement).all()
        if not rows:
            return []
        said: defaultdict[int, list[Approval]] = defaultdict(list)
        approvals = select(halt_approvals).where(halt_approvals.c.halt.in_([row.number for row in rows]))
        for row in self._connection.execute(approvals.order_by(halt_approvals.c.time, halt_approvals.c.person)):
            said[row.halt].append(Approval(row.person, row.time, row.reason))
        return [Halt(**row._mapping, approvals=tuple(said[row.number])) for row in rows]  # noqa: SLF001 - SQLAlchemy's way
