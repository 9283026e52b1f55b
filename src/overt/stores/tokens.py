# SPDX-License-Identifier: Apache-2.0
"""Idempotency tokens in SQL: answers kept for seven days, then dropped by whoever keeps the next one."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from overt.stores.schema import tokens

KEPT = dt.timedelta(days=7)  # as `base.Tokens` promises


class SqlTokens:
    """Implements `base.Tokens`. clock: gives the present time, with its zone."""

    def __init__(self, connection: Connection, clock: Callable[[], dt.datetime]) -> None:
        self._connection = connection
        self._clock = clock

    def seen(self, account: str, operation: str, token: str) -> tuple[str, Mapping[str, Any]] | None:
        """See `base.Tokens.seen`."""
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
        now = self._clock()
        same = (tokens.c.account == account) & (tokens.c.operation == operation) & (tokens.c.token == token)
        self._connection.execute(delete(tokens).where(same | (tokens.c.kept <= now - KEPT)))
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
