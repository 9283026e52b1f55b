# SPDX-License-Identifier: Apache-2.0
"""Who a signed request comes from, and what for: the signature's key, its session, and the headers it vouches for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from overt.govern import intents
from overt.stores.base import AccessKey
from overt.types import Caller
from overt.wire import sigv4
from overt.wire.http import Request
from overt.wire.services import Service


def caller(
    request: Request, service: Service, find_key: Callable[[str], AccessKey], now: dt.datetime
) -> tuple[Caller, str]:
    """The caller and the region it names. The User-Agent is never read: SDKs do not sign it.

    Raises: the errors of sigv4.verify and intents.declare.
    """
    key, region = sigv4.verify(request, service.signing_name, find_key, now)
    declared = {
        name: sigv4.trimmed(value) for name, value in request.headers.items() if name.startswith(intents.HEADER)
    }
    return Caller(key.id, key.account, key.role, intents.declare(key, declared)), region
