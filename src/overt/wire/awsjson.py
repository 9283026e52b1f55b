# SPDX-License-Identifier: Apache-2.0
"""The AWS SDKs' door: `POST /`, AWS JSON 1.1, the operation named by X-Amz-Target. Knows no operation."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

from botocore.model import OperationModel

from overt.errors import SerializationException, UnknownOperationException, WireError
from overt.stores.base import AccessKey
from overt.types import Caller
from overt.wire import services, signed
from overt.wire.http import Request, Response
from overt.wire.services import Service

CONTENT_TYPE = "application/x-amz-json-1.1"


class AwsJson:
    """How the SDKs name an operation, prove who they are, and write values."""

    content_type = CONTENT_TYPE

    def identify(self, request: Request) -> tuple[Service, str]:
        """The service and its operation's name. Raises: UnknownOperationException."""
        prefix, _, name = request.headers.get("x-amz-target", "").partition(".")
        for service in services.documented():
            if prefix == service.target_prefix and name in service.operations:
                return service, name
        known = services.rekognition()
        raise UnknownOperationException(
            detail=f"X-Amz-Target must be {known.target_prefix}.<Operation> with an operation of API version "
            f"{known.api_version}, or of {services.overt().target_prefix}"
        )

    def authenticate(
        self, request: Request, service: Service, find_key: Callable[[str], AccessKey], now: dt.datetime
    ) -> tuple[Caller, str]:
        """The caller and the region it names. Raises: the errors of signed.caller."""
        return signed.caller(request, service, find_key, now)

    def body(self, _operation: OperationModel, request: Request) -> Any:
        """The request body as Python values. Raises: SerializationException."""
        return decode(request.body)

    def answer(self, _operation: OperationModel, result: dict[str, Any], headers: dict[str, str]) -> Response:
        """A success."""
        return Response(200, {"content-type": self.content_type, **headers}, encode(result))

    def refuse(self, error: WireError, headers: dict[str, str]) -> Response:
        """An error, in the form every SDK reads; its cause goes into x-overt-detail."""
        request_id = headers.get("x-amzn-requestid", "")
        body = {"__type": error.code, "Code": error.code, "Message": error.text, "Logref": request_id}
        named = {"content-type": self.content_type, "x-amzn-errortype": error.code, **headers}
        if error.detail:
            named["x-overt-detail"] = header_text(error.detail)
        return Response(error.status, named, encode(body))


def decode(body: bytes) -> Any:
    """Strict JSON: UTF-8, no duplicate keys, no NaN or Infinity. Raises: SerializationException."""
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_not_json)
    except RecursionError:
        raise SerializationException(detail="the JSON is nested too deeply") from None
    except ValueError as error:  # also UnicodeDecodeError and numbers of thousands of digits
        reason = str(error) if isinstance(error, json.JSONDecodeError | _RefusedError) else "not JSON in UTF-8"
        raise SerializationException(detail=reason) from None


def encode(value: Any) -> bytes:
    """Compact JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


class _RefusedError(ValueError):
    """JSON that Python would take and the contract does not."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        msg = "an object names the same member twice"
        raise _RefusedError(msg)
    return members


def _not_json(name: str) -> Any:
    msg = f"{name} is not a JSON number"
    raise _RefusedError(msg)


def header_text(text: str) -> str:
    """One line of printable ASCII, which is all a header may hold."""
    return "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in text)[:1024]
