# SPDX-License-Identifier: Apache-2.0
"""ClientRequestToken: a write that comes twice is done once and answered alike. Knows no operation."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from overt.engine import Engine
from overt.errors import IdempotentParameterMismatchException
from overt.stores.base import Unit
from overt.types import Call


def once(
    call: Call, engine: Engine, act: Callable[[Unit], Mapping[str, Any]], check: Callable[[], None] | None = None
) -> Mapping[str, Any]:
    """Run `act` in one transaction, or give the answer it gave when this token came before (within seven days).

    Args: check: run before the transaction, as it may take long, unless the token came before.
    Raises: IdempotentParameterMismatchException when the token came with other parameters.
    """
    token = call.get("ClientRequestToken")
    if check is not None and not _came(call, engine, token):
        check()
    with engine.stores.write() as unit:
        if token is None:
            return act(unit)
        digest = _digest(call, engine)
        before = unit.tokens.seen(call.caller.account, call.operation, token)
        if before is None:
            answer = act(unit)
            unit.tokens.keep(call.caller.account, call.operation, token, digest, answer)
            return answer
        if before[0] != digest:
            raise IdempotentParameterMismatchException(
                f"The ClientRequestToken: {token} you have supplied is already in use.",
                detail="the token came with other parameters within the last seven days; use a new one",
            )
        return before[1]


def _came(call: Call, engine: Engine, token: str | None) -> bool:
    if token is None:
        return False
    with engine.stores.read() as unit:
        return unit.tokens.seen(call.caller.account, call.operation, token) is not None


def _digest(call: Call, engine: Engine) -> str:
    params = {name: value for name, value in call.params.items() if name != "ClientRequestToken"}
    return engine.digest("token", json.dumps(params, sort_keys=True).encode())
