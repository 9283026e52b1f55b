# SPDX-License-Identifier: Apache-2.0
"""Collections in SQL. Knows their rows and counts; what lies in them is `faces` and `users`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from sqlalchemy import Connection, delete, insert, select, update

from overt.stores import alerts
from overt.stores.base import ExistsError, NotFoundError
from overt.stores.schema import collections, faces, graves, tags
from overt.stores.shelf import AnyRow, held, insert_new, locate
from overt.types import Collection

_COLUMNS = (
    collections.c.account,
    collections.c.id,
    collections.c.model,
    collections.c.created,
    collections.c.face_count,
    collections.c.user_count,
)


class SqlCollections:
    """Implements `base.Collections`. forget: told the number of a collection that goes."""

    def __init__(self, connection: Connection, forget: Callable[[int], None]) -> None:
        self._connection = connection
        self._forget = forget

    def create(self, account: str, collection_id: str, model: str, created: dt.datetime) -> Collection:
        """See `base.Collections.create`."""
        fresh = {"model": model, "created": created, "head": 0, "face_count": 0, "user_count": 0}
        if not insert_new(self._connection, collections, account=account, id=collection_id, **fresh):
            msg = f"collection {collection_id} exists already in account {account}"
            raise ExistsError(msg)
        return self.get(account, collection_id)

    def get(self, account: str, collection_id: str) -> Collection:
        """See `base.Collections.get`."""
        row = self._row(account, collection_id)
        if row is None:
            msg = f"no collection {collection_id} in account {account}"
            raise NotFoundError(msg)
        return Collection(*row)

    def page(self, account: str, after: str, limit: int) -> Sequence[Collection]:
        """See `base.Collections.page`."""
        rows = self._connection.execute(
            select(*_COLUMNS)
            .where(collections.c.account == account, collections.c.id > after)
            .order_by(collections.c.id)
            .limit(limit)
        )
        return [Collection(*row) for row in rows]

    def accounts(self) -> Sequence[str]:
        """See `base.Collections.accounts`."""
        return (
            self._connection.execute(select(collections.c.account).distinct().order_by(collections.c.account))
            .scalars()
            .all()
        )

    def rename(self, collection: Collection, account: str, collection_id: str) -> Collection:
        """See `base.Collections.rename`."""
        number = locate(self._connection, collection).number
        if self._row(account, collection_id) is not None:
            msg = f"collection {collection_id} exists already in account {account}"
            raise ExistsError(msg)
        self._connection.execute(
            update(collections).where(collections.c.number == number).values(account=account, id=collection_id)
        )
        return self.get(account, collection_id)

    def delete(self, account: str, collection_id: str) -> None:
        """See `base.Collections.delete`. Tags go whatever region their ARN names."""
        collection = self.get(account, collection_id)
        number = locate(self._connection, collection).number
        # Otherwise each user would be held by its faces while the database removes both.
        mine = (faces.c.collection == number, faces.c.user_id.is_not(None))
        self._connection.execute(update(faces).where(*mine).values(user_id=None))
        self._connection.execute(insert(graves).values(number=number, created=collection.created))
        self._connection.execute(delete(collections).where(collections.c.number == number))
        self._connection.execute(delete(tags).where(tags.c.resource == f"{account}:collection/{collection_id}"))
        alerts.drop_all(self._connection, account, collection_id)
        self._forget(number)

    def head(self, account: str, collection_id: str) -> int:
        """See `base.Collections.head`."""
        return locate(self._connection, self.get(account, collection_id)).head

    def exchange(self, account: str, one: str, other: str) -> None:
        """See `base.Collections.exchange`."""
        # In one order whoever asks, so that two exchanges never wait for each other.
        first, second = (self.get(account, name) for name in sorted((one, other)))
        numbers = [locate(self._connection, collection).number for collection in (first, second)]
        between = f"/{first.id}"  # no collection can be called that
        for number, name, created in (
            (numbers[0], between, first.created),
            (numbers[1], first.id, first.created),
            (numbers[0], second.id, second.created),
        ):
            self._connection.execute(
                update(collections).where(collections.c.number == number).values(id=name, created=created)
            )

    def _row(self, account: str, collection_id: str) -> AnyRow | None:
        statement = select(*_COLUMNS).where(collections.c.account == account, collections.c.id == collection_id)
        return self._connection.execute(held(self._connection, statement)).first()
