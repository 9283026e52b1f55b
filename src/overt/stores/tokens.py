# SPDX-License-Identifier: Apache-2.0
"""Idempotency tokens in SQL: answers kept for seven days, then dropped by whoever keeps the next one."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert, select, tuple_

from overt.stores.schema import tokens
from overt.stores.shelf import hold

KEPT = dt.timedelta(days=7)  # as `base.Tokens` promises


class SqlTokens:
    """Implements `base.Tokens`. clock: gives the present time, with its zone."""

    def __init__(self, connection: Connection, clock: Callable[[], dt.datetime]) -> None:
        self._connection = connection
        self._clock = clock

    def seen(self, account: str, operation: str, token: str) -> tuple[str, Mapping[str, Any]] | None:
        """See `base.Tokens.seen`. In a write unit it also waits for any other that has asked for the same token."""
        hold(self._connection, "token", account, operation, token)
        statement = select(tokens.c.digest, tokens.c.answer).where(
            tokens.c.account == account,
            tokens.c.operation == operation,
            tokens.c.token == token,
            tokens.c.kept > self._clock() - KEPT,
        )
        row = self._connection.execute(statement).first()
        return None if row is None else (row.digest, json.loads(row.answer))

    def keep(self, account: str, operation: str, token: str, digest: str, answer: Mapping[str, Any]) -> None:
        """See `base.Tokens.keep`. A second answer to the same token takes the place of the first."""
        hold(self._connection, "token", account, operation, token)
        now = self._clock()
        key = tuple_(*tokens.primary_key)
        # What another unit is just dropping is left to it: two that wait for each other's rows would never end.
        old = select(*tokens.primary_key).where(tokens.c.kept <= now - KEPT).with_for_update(skip_locked=True)
        self._connection.execute(delete(tokens).where(key == (account, operation, token)))
        self._connection.execute(delete(tokens).where(key.in_(old)))
        self._connection.execute(
            insert(tokens).values(
                account=account,
                operation=operation,
                token=token,
                digest=digest,
                answer=json.dumps(answer, allow_nan=False),
                kept=now,
            )
        )
