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


def once(call: Call, engine: Engine, act: Callable[[Unit], Mapping[str, Any]]) -> Mapping[str, Any]:
    """Run `act` in one transaction, or give the answer it gave when this token came before (within seven days).

    Raises: IdempotentParameterMismatchException when the token came with other parameters.
    """
    token = call.get("ClientRequestToken")
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


def _digest(call: Call, engine: Engine) -> str:
    params = {name: value for name, value in call.params.items() if name != "ClientRequestToken"}
    return engine.digest("token", json.dumps(params, sort_keys=True).encode())
