# SPDX-License-Identifier: Apache-2.0
"""Which database this is, so that search segments made from another one are never used. Knows no segment."""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, select, update

from overt.stores.schema import database


def current(connection: Connection) -> str:
    """Its name, hex. A copy of a database keeps it."""
    return str(connection.execute(select(database.c.lineage)).scalar_one())


def renew(connection: Connection) -> str:
    """Give it a new name, as one must that was put back to an earlier state: what came after is not to be found."""
    name = secrets.token_hex(16)
    connection.execute(update(database).values(lineage=name))
    return name
