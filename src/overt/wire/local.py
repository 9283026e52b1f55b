# SPDX-License-Identifier: Apache-2.0
"""The door for callers in this process, the command line for one: plain parameters in, a plain dict out.

They pass the same chain as everybody else: the same validation, gate and record.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from botocore.model import OperationModel

from overt.engine import Engine
from overt.errors import WireError
from overt.govern.gate import OWNER
from overt.ops.registry import Operation
from overt.stores.base import AccessKey
from overt.types import Caller
from overt.wire import chain, services
from overt.wire.http import Request
from overt.wire.services import Service


class LocalCall:
    """One call made here. Satisfies chain.Door."""

    def __init__(self, service: str, operation: str, params: Mapping[str, Any], caller: Caller, region: str) -> None:
        self._service = services.named(service)
        self._operation = operation
        self._params = params
        self._caller = caller
        self._region = region
        self.headers: Mapping[str, str] = {}
        self.result: dict[str, Any] = {}
        self.error: WireError | None = None

    def identify(self, _request: Request) -> tuple[Service, str]:
        """The operation asked for."""
        return self._service, self._operation

    def authenticate(
        self, _request: Request, _service: Service, _find_key: Callable[[str], AccessKey], _now: dt.datetime
    ) -> tuple[Caller, str]:
        """Whoever may run code as this user on this machine owns its data."""
        return self._caller, self._region

    def body(self, _operation: OperationModel, _request: Request) -> Any:
        """The parameters as they were given; blobs may be bytes."""
        return self._params

    def answer(self, _operation: OperationModel, result: dict[str, Any], headers: dict[str, str]) -> None:
        """Keep the result for the caller."""
        self.result, self.headers = result, headers

    def refuse(self, error: WireError, headers: dict[str, str]) -> None:
        """Keep the error for the caller."""
        self.error, self.headers = error, headers


def call(
    engine: Engine, operation: str, *, service: str = "rekognition", act: Operation | None = None, **params: Any
) -> dict[str, Any]:
    """Run one operation as the owner of this machine's account.

    Args: service: whose operation. act: does the work in place of the operation's own function, for what its
        parameters cannot say.
    Returns: the answer as JSON values, as an SDK would get it. Raises: WireError.
    """
    caller = Caller("local", engine.settings.account, OWNER)
    door = LocalCall(service, operation, params, caller, engine.settings.region)
    request = Request("LOCAL", operation, body=_fingerprint(params))
    chain.follow(door, request, engine, act=act)
    if door.error:
        raise door.error
    return door.result


def _fingerprint(params: Mapping[str, Any]) -> bytes:
    """Bytes that are equal for equal parameters, for the digest in the record."""

    def digest(value: Any) -> str:
        return hashlib.sha256(value if isinstance(value, bytes) else repr(value).encode()).hexdigest()

    return json.dumps(params, sort_keys=True, default=digest).encode()
