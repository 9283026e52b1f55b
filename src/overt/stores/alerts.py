# SPDX-License-Identifier: Apache-2.0
"""Alerts in SQL: who was seen by cameras, when, how sure that was, and what somebody made of it. Knows no stream."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from collections.abc import Collection as Ids
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from overt.stores import plain
from overt.stores.base import NotFoundError, StoreError
from overt.stores.schema import alerts
from overt.stores.shelf import AnyRow, chunks
from overt.stores.vault import Vault
from overt.types import Alert, Box, Collection, Match, StoredFace

DECISIONS = ("confirmed", "rejected")

_SEALED = "alert picture"
_OPEN = alerts.c.review.not_in(DECISIONS)
_WITHOUT_PICTURE = [column for column in alerts.c if column is not alerts.c.picture]


class SqlAlerts:
    """Implements `base.Alerts`. clock: gives the present time, with its zone."""

    def __init__(self, connection: Connection, vault: Vault, clock: Callable[[], dt.datetime]) -> None:
        self._connection = connection
        self._vault = vault
        self._clock = clock

    def add(self, alert: Alert) -> None:
        """See `base.Alerts.add`."""
        row = {
            "id": alert.id,
            "account": alert.account,
            "stream": alert.stream,
            "stream_name": alert.stream_name,
            "source": alert.source,
            "session": alert.session,
            "start": alert.start,
            "end": alert.end,
            "picture": self._sealed(alert.picture),
            "review": alert.review,
            "reviewer": alert.reviewer,
            "reviewed": alert.reviewed,
            **_sight(alert),
        }
        self._connection.execute(insert(alerts).values(row))

    def extend(self, alert: Alert) -> None:
        """See `base.Alerts.extend`."""
        mine = (alerts.c.id == alert.id, alerts.c.account == alert.account)
        picture = {} if alert.picture is None else {"picture": self._sealed(alert.picture)}
        self._connection.execute(update(alerts).where(*mine).values(end=alert.end))
        # What somebody decided on stays as it was when they looked.
        self._connection.execute(update(alerts).where(*mine, _OPEN).values(**_sight(alert), **picture))

    def get(self, account: str, alert_id: str) -> Alert:
        """See `base.Alerts.get`."""
        statement = select(alerts).where(alerts.c.account == account, alerts.c.id == alert_id)
        row = self._connection.execute(statement).first()
        if row is None:
            msg = f"no alert {alert_id} in account {account}"
            raise NotFoundError(msg)
        return _alert(row, self._opened(row.picture))

    def open(self, stream_id: str) -> Sequence[Alert]:
        """See `base.Alerts.open`."""
        going = select(alerts).where(alerts.c.stream == stream_id, alerts.c.end.is_(None)).order_by(alerts.c.number)
        return [_alert(row, self._opened(row.picture)) for row in self._connection.execute(going)]

    def page(self, account: str, after: int, limit: int, *, stream: str | None = None) -> Sequence[tuple[int, Alert]]:
        """See `base.Alerts.page`."""
        statement = select(*_WITHOUT_PICTURE).where(alerts.c.account == account).order_by(alerts.c.number.desc())
        if after:
            statement = statement.where(alerts.c.number < after)
        if stream is not None:
            statement = statement.where(alerts.c.stream_name == stream)
        return [(row.number, _alert(row, None)) for row in self._connection.execute(statement.limit(limit))]

    def judge(self, account: str, alert_id: str, review: str, reviewer: str) -> Alert:
        """See `base.Alerts.judge`."""
        if review not in DECISIONS:
            msg = f"an alert is {' or '.join(DECISIONS)}, not {review}"
            raise StoreError(msg)
        statement = (
            update(alerts)
            .where(alerts.c.account == account, alerts.c.id == alert_id, _OPEN)
            .values(review=review, reviewer=reviewer, reviewed=self._clock())
            .returning(alerts)
        )
        row = self._connection.execute(statement).first()
        if row is None:
            before = self.get(account, alert_id)
            msg = f"alert {alert_id} was decided already: {before.review} by {before.reviewer or 'somebody'}"
            raise StoreError(msg)
        return _alert(row, self._opened(row.picture))

    def expire(self, before: dt.datetime) -> int:
        """See `base.Alerts.expire`."""
        return self._connection.execute(delete(alerts).where(alerts.c.start < before)).rowcount

    def forget(self, collection: Collection, face_ids: Ids[str]) -> int:
        """See `base.Alerts.forget`."""
        mine = (alerts.c.account == collection.account, alerts.c.collection == collection.id)
        return sum(
            self._connection.execute(delete(alerts).where(*mine, alerts.c.face.in_(chunk))).rowcount
            for chunk in chunks(face_ids)
        )

    def _sealed(self, picture: bytes | None) -> bytes | None:
        return None if picture is None else self._vault.wrap(picture, _SEALED)

    def _opened(self, sealed: bytes | None) -> bytes | None:
        return None if sealed is None else self._vault.unwrap(sealed, _SEALED)


def drop_all(connection: Connection, account: str, collection_id: str) -> None:
    """Drop all alerts of people who were looked for in a collection, also those that name none of its faces."""
    connection.execute(delete(alerts).where(alerts.c.account == account, alerts.c.collection == collection_id))


def _sight(alert: Alert) -> dict[str, Any]:
    """What a better sight may change."""
    return {
        "time": alert.time,
        "box": plain.write(alert.box),
        "collection": alert.collection,
        "face": None if alert.match is None else alert.match.subject.id,
        "match": None if alert.match is None else plain.write(alert.match),
        "list_size": alert.list_size,
        "threshold": alert.threshold,
        "model": alert.model,
    }


def _alert(row: AnyRow, picture: bytes | None) -> Alert:
    return Alert(
        id=row.id,
        account=row.account,
        stream=row.stream,
        stream_name=row.stream_name,
        source=row.source,
        session=row.session,
        start=row.start,
        end=row.end,
        time=row.time,
        box=plain.read(Box, row.box),
        match=None if row.match is None else plain.read(Match[StoredFace], row.match),
        collection=row.collection,
        list_size=row.list_size,
        threshold=row.threshold,
        model=row.model,
        picture=picture,
        review=row.review,
        reviewer=row.reviewer,
        reviewed=row.reviewed,
    )
