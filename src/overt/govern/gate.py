# SPDX-License-Identifier: Apache-2.0
"""The gate: may this call be done, and may its result be shown? Knows calls and roles, no HTTP and no store.

Today there is one role, owner, and it may do all; every policy that follows is decided here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from overt.errors import ThrottlingException
from overt.types import Call, Verdict

OWNER = "owner"


def before(call: Call, *, crowded: bool) -> Verdict:
    """Whether the call may run.

    Args: crowded: the server has as many calls in flight as it takes on.
    Raises: ThrottlingException when crowded. SDKs wait and try again.
    """
    if crowded:
        raise ThrottlingException(detail="the server has as many calls in flight as it takes on; wait and try again")
    if call.caller.role != OWNER:
        return Verdict(allowed=False, reason=f"The role {call.caller.role} may not call {call.operation}.")
    return Verdict(allowed=True)


def after(_call: Call, result: Mapping[str, Any]) -> Mapping[str, Any]:
    """What of the result the caller may see: for an owner, all of it."""
    return result
