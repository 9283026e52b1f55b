# SPDX-License-Identifier: Apache-2.0
"""NextToken: where a list goes on. A token is signed, belongs to one request, and is good for a day.

Source: wire contract, "Token life 24 h; expired or garbled -> InvalidPaginationTokenException".
"""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from overt.engine import Engine
from overt.errors import InvalidPaginationTokenException
from overt.types import Call

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows to show, and the token that goes on behind them; None at the end of the list."""

    rows: Sequence[Row]
    token: str | None


LIFE = 24 * 3600  # seconds
_NOT_SCOPE = frozenset({"NextToken", "MaxResults"})


def cut(call: Call, engine: Engine, rows: Sequence[Row], limit: int, place: Callable[[Row], Any]) -> Page[Row]:
    """The first `limit` of the rows looked up, and the token for the rest if there is one.

    Args: rows: up to limit + 1 of them, so that one too many tells of a further page. place: where a row stands, as
    `after` will give it back.
    """
    shown = rows[:limit]
    return Page(shown, token(call, engine, place(shown[-1])) if len(rows) > limit else None)


def token(call: Call, engine: Engine, after: Any) -> str:
    """A token that goes on behind `after` (any JSON value) for the same caller and filters."""
    payload = json.dumps([after, int(time.time())]).encode()
    return f"{_text(payload)}.{_seal(call, engine, payload)}"


def after(call: Call, engine: Engine, start: Any) -> Any:
    """Where this call goes on, or `start` when it begins. Raises: InvalidPaginationTokenException."""
    given = call.get("NextToken")
    if given is None:
        return start
    text, _, seal = given.partition(".")
    try:
        payload = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise InvalidPaginationTokenException(detail="NextToken is not one this server gave out") from None
    if not hmac.compare_digest(seal.encode(), _seal(call, engine, payload).encode()):
        raise InvalidPaginationTokenException(detail="NextToken was given out for another request, or changed")
    value, issued = json.loads(payload)
    if time.time() - issued > LIFE:
        raise InvalidPaginationTokenException(detail="NextToken is older than a day")
    return value


def _text(payload: bytes) -> str:
    return base64.urlsafe_b64encode(payload).decode("ascii").rstrip("=")


def _seal(call: Call, engine: Engine, payload: bytes) -> str:
    scope = {name: value for name, value in call.params.items() if name not in _NOT_SCOPE}
    sealed = json.dumps([call.operation, call.caller.account, scope], sort_keys=True).encode() + payload
    return engine.digest("page", sealed)[:32]
