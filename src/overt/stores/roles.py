# SPDX-License-Identifier: Apache-2.0
"""Roles in SQL. Knows nothing of what a kind of role may do."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence

from sqlalchemy import Connection, delete, select, update

from overt.stores.base import ExistsError, NotFoundError
from overt.stores.keys import revoke_with_descendants
from overt.stores.schema import keys, roles
from overt.stores.shelf import AnyRow, held, insert_new
from overt.types import Role


class SqlRoles:
    """Implements `base.Roles`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, role: Role) -> None:
        """See `base.Roles.add`."""
        if not insert_new(
            self._connection,
            roles,
            account=role.account,
            name=role.name,
            kind=role.kind,
            created=role.created,
            terms=_terms(role),
        ):
            msg = f"there is a role {role.name} in account {role.account} already"
            raise ExistsError(msg)

    def get(self, account: str, name: str) -> Role:
        """See `base.Roles.get`."""
        statement = select(roles).where(roles.c.account == account, roles.c.name == name)
        row = self._connection.execute(held(self._connection, statement)).first()
        return _role(_found(row, account, name))

    def page(self, account: str, after: str, limit: int) -> Sequence[Role]:
        """See `base.Roles.page`."""
        statement = select(roles).where(roles.c.account == account, roles.c.name > after)
        return [_role(row) for row in self._connection.execute(statement.order_by(roles.c.name).limit(limit))]

    def change(self, role: Role) -> None:
        """See `base.Roles.change`."""
        statement = update(roles).where(roles.c.account == role.account, roles.c.name == role.name)
        changed = statement.values(kind=role.kind, terms=_terms(role)).returning(roles.c.name)
        _found(self._connection.execute(changed).first(), role.account, role.name)

    def remove(self, account: str, name: str, when: dt.datetime) -> None:
        """See `base.Roles.remove`."""
        statement = delete(roles).where(roles.c.account == account, roles.c.name == name)
        _found(self._connection.execute(statement.returning(roles.c.name)).first(), account, name)
        of_it = select(keys.c.id).where(keys.c.account == account, keys.c.assumed_role == name)
        revoke_with_descendants(self._connection, list(self._connection.execute(of_it).scalars()), when)


def _terms(role: Role) -> str:
    return json.dumps(
        {
            "trusted": role.trusted,
            "required": role.required,
            "allowed": dict(role.allowed),
            "seconds": round(role.longest.total_seconds()),
            "is_own_operator": role.is_own_operator,
        }
    )


def _role(row: AnyRow) -> Role:
    terms = json.loads(row.terms)
    return Role(
        account=row.account,
        name=row.name,
        kind=row.kind,
        created=row.created,
        trusted=tuple(terms["trusted"]),
        required=tuple(terms["required"]),
        allowed={name: tuple(values) for name, values in terms["allowed"].items()},
        longest=dt.timedelta(seconds=terms["seconds"]),
        is_own_operator=terms["is_own_operator"],
    )


def _found(row: AnyRow | None, account: str, name: str) -> AnyRow:
    if row is None:
        msg = f"no role {name} in account {account}"
        raise NotFoundError(msg)
    return row
