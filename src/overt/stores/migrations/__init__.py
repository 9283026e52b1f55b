# SPDX-License-Identifier: Apache-2.0
"""Bringing a database to the newest schema. Alembic is loaded only when there is something to do."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection, inspect

from overt.stores.base import StoreError

HEAD = "0009"  # the newest revision; a test compares it with the scripts in `versions`

# One at a time, on either database: who waits here finds the work done. A migration may take as long as it takes.
_BEGIN = {
    "sqlite": ("BEGIN IMMEDIATE",),
    "postgresql": (
        "BEGIN",
        "SET LOCAL lock_timeout = 0",
        "SET LOCAL statement_timeout = 0",
        "SELECT pg_advisory_xact_lock(8750000000000000001)",  # any number, always the same
    ),
}


def upgrade(connection: Connection) -> None:
    """Run the revisions a database lacks, all or none.

    Args: connection: in autocommit mode.
    Raises: StoreError when the database was written by a newer overt.
    """
    if _revision(connection) == HEAD:
        return
    try:
        for statement in _BEGIN[connection.dialect.name]:
            connection.exec_driver_sql(statement)
        if _revision(connection) != HEAD:  # another process may have been first
            _run(connection)
        connection.exec_driver_sql("COMMIT")
    except BaseException:
        with suppress(StoreError):  # what failed may have ended the transaction, or been its beginning
            connection.exec_driver_sql("ROLLBACK")
        raise


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return revision


def _run(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - slow, and an up-to-date database does without
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        msg = f"the database cannot be upgraded; was it written by a newer overt? ({error})"
        raise StoreError(msg) from error
