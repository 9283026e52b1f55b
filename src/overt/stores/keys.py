# SPDX-License-Identifier: Apache-2.0
"""Access keys in SQL, each secret wrapped by the vault under its key's id."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Sequence

from sqlalchemy import Connection, select, update

from overt.stores.base import AccessKey, ExistsError, NotFoundError
from overt.stores.schema import keys
from overt.stores.shelf import AnyRow, chunks, held, insert_new
from overt.stores.vault import Vault
from overt.types import Assumed


class SqlKeys:
    """Implements `base.Keys`."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    def add(self, key: AccessKey) -> None:
        """See `base.Keys.add`."""
        if not insert_new(
            self._connection,
            keys,
            id=key.id,
            account=key.account,
            role=key.role,
            secret=self._vault.wrap(key.secret.encode(), key.id),
            created=key.created,
            expires=key.expires,
            token_digest=key.token_digest,
            revoked=key.revoked,
            label=key.label,
            assumed=self._sealed(key),
            parent=key.assumed.parent if key.assumed else None,
            assumed_role=key.assumed.role if key.assumed else None,
        ):
            msg = f"access key {key.id} exists already"
            raise ExistsError(msg)

    def get(self, key_id: str) -> AccessKey:
        """See `base.Keys.get`. Raises StoreError too, when the secret was wrapped by another vault."""
        row = self._row(key_id)
        if row is None:
            msg = f"no access key {key_id}"
            raise NotFoundError(msg)
        return _key(row, self._vault.unwrap(row.secret, key_id).decode(), self._assumed(row))

    def list(self) -> Sequence[AccessKey]:
        """See `base.Keys.list`."""
        rows = self._connection.execute(select(keys).order_by(keys.c.created, keys.c.id))
        return [_key(row, "") for row in rows]

    def revoke(self, key_id: str, when: dt.datetime) -> None:
        """See `base.Keys.revoke`. A key revoked before keeps its first date."""
        row = self._row(key_id)
        if row is None:
            msg = f"no access key {key_id}"
            raise NotFoundError(msg)
        if row.revoked is None:
            revoke_with_descendants(self._connection, [key_id], when)

    def _sealed(self, key: AccessKey) -> bytes | None:
        if key.assumed is None:
            return None
        return self._vault.wrap(json.dumps(dataclasses.asdict(key.assumed)).encode(), f"assumed:{key.id}")

    def _assumed(self, row: AnyRow) -> Assumed | None:
        if row.assumed is None:
            return None
        told = json.loads(self._vault.unwrap(row.assumed, f"assumed:{row.id}"))
        allowed = {name: tuple(values) for name, values in told.pop("allowed").items()}
        return Assumed(**told | {"transitive": tuple(told["transitive"]), "allowed": allowed})

    def _row(self, key_id: str) -> AnyRow | None:
        return self._connection.execute(held(self._connection, select(keys).where(keys.c.id == key_id))).first()


def revoke_with_descendants(connection: Connection, key_ids: Sequence[str], when: dt.datetime) -> None:
    """Revoke keys and all that were made from them, directly or not; what was revoked before keeps its date."""
    pending = list(key_ids)
    while pending:
        below: list[str] = []
        for some in chunks(pending):
            connection.execute(update(keys).where(keys.c.id.in_(some), keys.c.revoked.is_(None)).values(revoked=when))
            below += connection.execute(select(keys.c.id).where(keys.c.parent.in_(some))).scalars()
        pending = below


def _key(row: AnyRow, secret: str, assumed: Assumed | None = None) -> AccessKey:
    return AccessKey(
        id=row.id,
        account=row.account,
        role=row.role,
        secret=secret,
        created=row.created,
        expires=row.expires,
        token_digest=row.token_digest,
        revoked=row.revoked,
        label=row.label,
        assumed=assumed,
    )
