# SPDX-License-Identifier: Apache-2.0
"""Parcels on their way, in SQL: lanes that keep their order, leases on them, dead letters, and a bound on them all.

Every change takes hold of its lane's row first, so that places are dealt in the order of the commits and the sizes that
the row keeps are true.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Collection as Ids
from typing import Any

from sqlalchemy import Connection, LargeBinary, and_, delete, exists, func, insert, literal, or_, select, update

from overt.stores.base import DeadLetter, Lane, LostError, Turn
from overt.stores.schema import attachments, lanes, parcels
from overt.stores.shelf import LOCKING, AnyRow, AnySelect, among, chunks, held, insert_new
from overt.stores.vault import Vault
from overt.types import Attachment, Parcel

_ROW = 512
"""Bytes counted for a parcel beside its contents."""
_BATCH = 100
_SEALED = "parcel target"
_WAITS = parcels.c.died.is_(None)
_SIZES = (parcels.c.number, parcels.c.size)


class SqlParcels:
    """Implements `base.Parcels`. clock: gives the present time, with its zone."""

    def __init__(self, connection: Connection, vault: Vault, clock: Callable[[], dt.datetime]) -> None:
        self._connection = connection
        self._vault = vault
        self._clock = clock

    def put(self, parcels: Sequence[Parcel], most: int) -> int:
        """See `base.Parcels.put`."""
        mine: dict[tuple[str, str], list[Parcel]] = defaultdict(list)
        for parcel in parcels:
            mine[parcel.stream, parcel.target].append(parcel)
        # In two sorted rounds: units that make or hold several lanes at once never wait for each other in a circle.
        found = {self._lane(stream, target): mine[stream, target] for stream, target in sorted(mine)}
        return sum(self._append(lane, found[lane], most) for lane in sorted(found))

    def lanes(self, stream: str | None = None) -> Sequence[Lane]:
        """See `base.Parcels.lanes`."""
        dead = parcels.c.died.is_not(None)
        counts = (
            func.count(parcels.c.number).filter(_WAITS),
            func.min(parcels.c.queued).filter(_WAITS),
            func.count(parcels.c.number).filter(dead),
        )
        statement = select(lanes, *counts).outerjoin(parcels).group_by(lanes.c.number).order_by(lanes.c.number)
        if stream is not None:
            statement = statement.where(lanes.c.stream == stream)
        return [
            Lane(
                number=row.number,
                stream=row.stream,
                target=self._open(row.target),
                waiting=row[-3],
                oldest=row[-2],
                dead=row[-1],
                sent=row.sent,
                lost=row.lost,
                attempts=row.attempts,
                error=row.error,
                due=row.due,
            )
            for row in self._connection.execute(statement)
        ]

    def due(self, owner: str) -> Sequence[tuple[int, int]]:
        """See `base.Parcels.due`."""
        order = (lanes.c.attempts, lanes.c.number)
        statement = select(lanes.c.number, lanes.c.attempts).where(self._is_due(owner)).order_by(*order)
        return [(number, attempts) for number, attempts in self._connection.execute(statement)]

    def claim(self, lane: int, owner: str, seconds: float) -> Turn | None:
        """See `base.Parcels.claim`."""
        statement = (
            update(lanes)
            .where(lanes.c.number == lane, self._is_due(owner))
            .values(owner=owner, leased=self._later(seconds), epoch=lanes.c.epoch + 1)
            .returning(lanes)
        )
        row = self._connection.execute(statement).first()
        return None if row is None else Turn(lane, row.stream, self._open(row.target), row.epoch, row.attempts)

    def front(self, turn: Turn, limit: int) -> Sequence[tuple[int, Parcel]]:
        """See `base.Parcels.front`."""
        first = select(parcels).where(parcels.c.lane == turn.lane, _WAITS).order_by(parcels.c.place).limit(limit)
        rows = self._connection.execute(first).all()
        wanted = select(attachments).order_by(attachments.c.number)
        held_by: dict[int, list[Attachment]] = defaultdict(list)
        for row in among(self._connection, wanted, attachments.c.parcel, [row.number for row in rows]):
            held_by[row.parcel].append(Attachment(row.name, row.media_type, row.data))
        return [(row.number, _parcel(row, turn, held_by[row.number])) for row in rows]

    def sent(self, turn: Turn, number: int, seconds: float) -> bool:
        """See `base.Parcels.sent`."""
        self._hold([turn.lane])
        size = select(parcels.c.size).where(parcels.c.number == number, _WAITS).scalar_subquery()
        counted = {"sent": lanes.c.sent + 1, "size": lanes.c.size - func.coalesce(size, 0)}
        is_ours = self._try(turn, **counted, attempts=0, due=None, error="", leased=self._later(seconds))
        if not is_ours:
            self._connection.execute(update(lanes).where(lanes.c.number == turn.lane).values(**counted))
        gone = delete(parcels).where(parcels.c.number == number).returning(parcels.c.size, parcels.c.died)
        row = self._connection.execute(gone).first()
        if row is not None and row.died is not None:  # it was given up while it was being sent
            change = {"dead_size": lanes.c.dead_size - row.size}
            self._connection.execute(update(lanes).where(lanes.c.number == turn.lane).values(**change))
        return is_ours

    def bury(self, turn: Turn, number: int, reason: str, seconds: float) -> None:
        """See `base.Parcels.bury`."""
        self._set(turn, attempts=0, due=None, error=reason, leased=self._later(seconds))
        self._give_up(turn.lane, [number], reason)

    def failed(self, turn: Turn, error: str, wait: float) -> None:
        """See `base.Parcels.failed`."""
        self._set(turn, attempts=lanes.c.attempts + 1, due=self._later(wait), error=error, owner=None, leased=None)

    def release(self, turn: Turn) -> None:
        """See `base.Parcels.release`."""
        self._connection.execute(update(lanes).where(_is_held(turn)).values(owner=None, leased=None))

    def expire(self, waiting: dt.timedelta, dead: dt.timedelta) -> tuple[int, int]:
        """See `base.Parcels.expire`."""
        now = self._clock()
        tired = and_(_WAITS, parcels.c.queued <= now - waiting)
        old = parcels.c.died <= now - dead
        touched = select(parcels.c.lane).where(or_(tired, old)).distinct().order_by(parcels.c.lane)
        given_up = dropped = 0
        reason = f"it waited for {waiting.total_seconds() / 86400:g} days and was not taken"
        for lane in self._connection.execute(touched).scalars().all():
            self._hold([lane])
            within = parcels.c.lane == lane
            dropped += self._drop(self._numbers(select(parcels.c.number).where(within, old)))
            given_up += self._give_up(lane, self._numbers(select(parcels.c.number).where(within, tired)), reason)
        return given_up, dropped

    def dead(self, stream: str | None, after: int, limit: int) -> Sequence[DeadLetter]:
        """See `base.Parcels.dead`."""
        columns = (lanes.c.stream, lanes.c.target, *(column for column in parcels.c if column is not parcels.c.body))
        statement = (
            select(*columns)
            .join_from(parcels, lanes)
            .where(parcels.c.died.is_not(None), parcels.c.number > after)
            .order_by(parcels.c.number)
            .limit(limit)
        )
        if stream is not None:
            statement = statement.where(lanes.c.stream == stream)
        return [
            DeadLetter(
                number=row.number,
                stream=row.stream,
                target=self._open(row.target),
                id=row.id,
                kind=row.kind,
                subject=row.subject,
                size=row.size,
                created=row.created,
                died=row.died,
                reason=row.reason,
            )
            for row in self._connection.execute(statement)
        ]

    def resend(self, numbers: Ids[int]) -> int:
        """See `base.Parcels.resend`."""
        found = self._dead_ones(numbers)
        for row in found:
            change = {"size": lanes.c.size + row.size, "dead_size": lanes.c.dead_size - row.size}
            (place,), _, _ = self._place(row.lane, 1, **change)
            fresh = {"place": place, "queued": self._clock(), "died": None, "reason": ""}
            self._connection.execute(update(parcels).where(parcels.c.number == row.number).values(**fresh))
        # Whoever sends anew believes that it will be taken now.
        again = lanes.c.number.in_({row.lane for row in found})
        self._connection.execute(update(lanes).where(again).values(attempts=0, due=None))
        return len(found)

    def discard(self, numbers: Ids[int]) -> int:
        """See `base.Parcels.discard`."""
        return self._drop([row.number for row in self._dead_ones(numbers)])

    def forget(self, stream: str) -> int:
        """See `base.Parcels.forget`."""
        mine = select(lanes.c.number).where(lanes.c.stream == stream).order_by(lanes.c.number)
        numbers = self._connection.execute(held(self._connection, mine)).scalars().all()
        gone = self._connection.execute(delete(parcels).where(parcels.c.lane.in_(numbers))).rowcount
        self._connection.execute(delete(lanes).where(lanes.c.number.in_(numbers)))
        return gone

    def forget_faces(self, face_ids: Ids[str]) -> int:
        """See `base.Parcels.forget_faces`."""
        find = func.instr if self._connection.dialect.name == "sqlite" else _position
        found: dict[int, int] = {}
        for chunk in chunks(face_ids):
            names = or_(*(find(parcels.c.body, face_id.encode()) > 0 for face_id in chunk))
            rows = self._connection.execute(select(parcels.c.number, parcels.c.lane).where(names))
            found |= {row.number: row.lane for row in rows}
        self._hold(set(found.values()))
        return self._drop(sorted(found))

    def _lane(self, stream: str, target: str) -> int:
        """The lane of that stream and target, made where there is none."""
        digest = self._vault.digest(_SEALED, target.encode())
        statement = select(lanes.c.number).where(lanes.c.stream == stream, lanes.c.digest == digest)
        while (number := self._connection.execute(statement).scalar()) is None:
            insert_new(
                self._connection,
                lanes,
                stream=stream,
                digest=digest,
                target=self._vault.wrap(target.encode(), _SEALED),
                places=0,
                size=0,
                dead_size=0,
                sent=0,
                lost=0,
                epoch=0,
                attempts=0,
                error="",
            )
        found: int = number
        return found

    def _append(self, lane: int, new: Sequence[Parcel], most: int) -> int:
        """Set parcels at the end of a lane; how many had to be given up for that."""
        sizes = [_size(parcel) for parcel in new]
        now = self._clock()
        places, waiting, dead = self._place(lane, len(new), size=lanes.c.size + sum(sizes))
        for parcel, size, place in zip(new, sizes, places, strict=True):
            row = {
                "lane": lane,
                "place": place,
                "id": parcel.id,
                "kind": parcel.kind,
                "subject": parcel.subject,
                "body": parcel.body,
                "created": parcel.created,
                "queued": now,
                "size": size,
                "reason": "",
            }
            number = self._connection.execute(insert(parcels).values(**row).returning(parcels.c.number)).scalar_one()
            files = [
                {"parcel": number, "number": at, "name": each.name, "media_type": each.media_type, "data": each.data}
                for at, each in enumerate(parcel.attachments)
            ]
            if files:
                self._connection.execute(insert(attachments), files)
        return self._make_room(lane, most, waiting, dead)

    def _place(self, lane: int, count: int, **columns: Any) -> tuple[range, int, int]:
        """Deal the next places of a lane and set other columns of its row on the way.

        Returns: the places, and how many bytes wait and are dead then.
        """
        statement = (
            update(lanes)
            .where(lanes.c.number == lane)
            .values(places=lanes.c.places + count, **columns)
            .returning(lanes.c.places, lanes.c.size, lanes.c.dead_size)
        )
        last, waiting, dead = self._connection.execute(statement).one()
        return range(last - count + 1, last + 1), waiting, dead

    def _make_room(self, lane: int, most: int, waiting: int, dead: int) -> int:
        """Give up the oldest until no more than `most` bytes wait, and drop the oldest dead until no more are dead."""
        given_up = 0
        if waiting > most:
            first = select(*_SIZES).where(parcels.c.lane == lane, _WAITS).order_by(parcels.c.place)
            reason = f"{most} bytes waited for the target already, and later ones needed the room"
            given_up = self._give_up(lane, self._oldest(first, waiting - most), reason)
            dead = self._connection.execute(select(lanes.c.dead_size).where(lanes.c.number == lane)).scalar_one()
        if dead > most:
            first = select(*_SIZES).where(parcels.c.lane == lane, ~_WAITS).order_by(parcels.c.died, parcels.c.place)
            lost = self._drop(self._oldest(first, dead - most))
            self._connection.execute(update(lanes).where(lanes.c.number == lane).values(lost=lanes.c.lost + lost))
        return given_up

    def _oldest(self, statement: AnySelect, size: int) -> list[int]:
        """The numbers of as many of the first as make up a size."""
        numbers: list[int] = []
        while size > 0:
            rows = self._connection.execute(statement.limit(_BATCH).offset(len(numbers))).all()
            if not rows:
                break
            for row in rows:
                if size <= 0:
                    break
                numbers.append(row.number)
                size -= row.size
        return numbers

    def _give_up(self, lane: int, numbers: Iterable[int], reason: str) -> int:
        """Make waiting parcels of a lane that is held dead ones; how many."""
        dead = {"died": self._clock(), "reason": reason}
        count = size = 0
        for number in numbers:
            kill = update(parcels).where(parcels.c.number == number, _WAITS).values(**dead).returning(parcels.c.size)
            found: int | None = self._connection.execute(kill).scalar()
            count, size = count + (found is not None), size + (found or 0)
        change = {"size": lanes.c.size - size, "dead_size": lanes.c.dead_size + size}
        self._connection.execute(update(lanes).where(lanes.c.number == lane).values(**change))
        return count

    def _drop(self, numbers: Iterable[int]) -> int:
        """Remove parcels, waiting or dead, of lanes that are held; how many."""
        gone: Counter[tuple[int, str]] = Counter()
        count = 0
        back = (parcels.c.lane, parcels.c.size, parcels.c.died)
        for number in numbers:
            row = self._connection.execute(delete(parcels).where(parcels.c.number == number).returning(*back)).first()
            if row is not None:
                gone[row.lane, "size" if row.died is None else "dead_size"] += row.size
                count += 1
        for (lane, column), size in gone.items():
            change = {column: lanes.c[column] - size}
            self._connection.execute(update(lanes).where(lanes.c.number == lane).values(**change))
        return count

    def _dead_ones(self, numbers: Ids[int]) -> list[AnyRow]:
        """Those of the parcels that are dead, in their order; their lanes are held from here on."""
        found = among(self._connection, select(parcels.c.lane, parcels.c.number), parcels.c.number, numbers)
        self._hold({row.lane for row in found})
        statement = select(parcels.c.lane, parcels.c.number, parcels.c.size, parcels.c.place).where(~_WAITS)
        rows = among(self._connection, statement, parcels.c.number, numbers)
        return sorted(rows, key=lambda row: (row.lane, row.place))

    def _hold(self, numbers: Iterable[int]) -> None:
        """Let no other unit change the lanes until ours ends; with SQLite none can."""
        if not self._connection.get_execution_options().get(LOCKING):
            return
        for number in sorted(numbers):
            self._connection.execute(held(self._connection, select(lanes.c.number).where(lanes.c.number == number)))

    def _numbers(self, statement: AnySelect) -> list[int]:
        return [row.number for row in self._connection.execute(statement.order_by(parcels.c.place))]

    def _set(self, turn: Turn, **values: Any) -> None:
        """Change a lane whose turn it is. Raises: LostError."""
        if not self._try(turn, **values):
            msg = f"what {turn.stream} has to tell is carried by another server"
            raise LostError(msg)

    def _try(self, turn: Turn, **values: Any) -> bool:
        """Change a lane if it is still the turn's."""
        statement = update(lanes).where(_is_held(turn)).values(**values).returning(lanes.c.number)
        return self._connection.execute(statement).first() is not None

    def _is_due(self, owner: str) -> Any:
        now = self._clock()
        free = or_(lanes.c.owner.is_(None), lanes.c.owner == owner, lanes.c.leased <= now)
        waits = exists().where(parcels.c.lane == lanes.c.number, _WAITS)
        return and_(free, or_(lanes.c.due.is_(None), lanes.c.due <= now), waits)

    def _later(self, seconds: float) -> dt.datetime:
        return self._clock() + dt.timedelta(seconds=seconds)

    def _open(self, sealed: bytes) -> str:
        return self._vault.unwrap(sealed, _SEALED).decode()


def _position(body: Any, name: bytes) -> Any:
    return func.position(literal(name, LargeBinary).op("IN")(body))


def _is_held(turn: Turn) -> Any:
    return and_(lanes.c.number == turn.lane, lanes.c.epoch == turn.epoch, lanes.c.owner.is_not(None))


def _size(parcel: Parcel) -> int:
    return _ROW + len(parcel.body) + sum(len(each.data) for each in parcel.attachments)


def _parcel(row: AnyRow, turn: Turn, files: Sequence[Attachment]) -> Parcel:
    return Parcel(
        stream=turn.stream,
        target=turn.target,
        kind=row.kind,
        subject=row.subject,
        body=row.body,
        created=row.created,
        attachments=tuple(files),
        id=row.id,
    )
