# SPDX-License-Identifier: Apache-2.0
"""Tags in SQL, by ARN. Knows of an ARN only that what follows its region names the resource."""

from __future__ import annotations

from collections.abc import Collection as Ids
from collections.abc import Mapping

from sqlalchemy import Connection, delete, insert, select

from overt.stores.schema import tags as table
from overt.stores.shelf import chunks, hold

_REGION_END = 4  # arn:partition:service:region:account:resource


class SqlTags:
    """Implements `base.Tags`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, arn: str) -> Mapping[str, str]:
        """See `base.Tags.of`."""
        rows = self._connection.execute(
            select(table.c.key, table.c.value).where(table.c.arn == arn).order_by(table.c.key)
        )
        return {row.key: row.value for row in rows}

    def put(self, arn: str, tags: Mapping[str, str]) -> None:
        """See `base.Tags.put`."""
        hold(self._connection, "tags", arn)
        self.remove(arn, tags.keys())
        resource = arn.split(":", _REGION_END)[-1]
        rows = [{"arn": arn, "key": key, "value": value, "resource": resource} for key, value in tags.items()]
        if rows:
            self._connection.execute(insert(table), rows)

    def remove(self, arn: str, keys: Ids[str]) -> None:
        """See `base.Tags.remove`."""
        for chunk in chunks(keys):
            self._connection.execute(delete(table).where(table.c.arn == arn, table.c.key.in_(chunk)))
