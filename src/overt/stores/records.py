# SPDX-License-Identifier: Apache-2.0
"""The rows that calls leave, in SQL. Offers no way to change or remove one."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from sqlalchemy import Connection, func, insert, select

from overt.stores.schema import records
from overt.types import Event

_COLUMNS = [records.c[field.name] for field in dataclasses.fields(Event)]


class SqlRecords:
    """Implements `base.Records`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, event: Event) -> None:
        """See `base.Records.append`."""
        # dataclasses.asdict would copy deeply; this runs in every call.
        self._connection.execute(insert(records), {column.name: getattr(event, column.name) for column in _COLUMNS})

    def tail(self, limit: int) -> Sequence[Event]:
        """See `base.Records.tail`."""
        rows = self._connection.execute(select(*_COLUMNS).order_by(records.c.number.desc()).limit(limit))
        return [Event(*row) for row in rows]

    def count(self) -> int:
        """See `base.Records.count`."""
        return self._connection.execute(select(func.count()).select_from(records)).scalar_one()
