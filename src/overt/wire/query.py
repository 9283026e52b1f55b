# SPDX-License-Identifier: Apache-2.0
"""STS's door: AWS's query protocol, `POST /` with a form that names the Action, and XML back. Knows no operation.

Source: botocore's QuerySerializer and QueryParser, which are what has to read and write the same.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import html
import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl

from botocore.model import ListShape, OperationModel, Shape, StructureShape

from overt.errors import SerializationException, UnknownOperationException, ValidationException, WireError
from overt.stores.base import AccessKey
from overt.types import Caller
from overt.wire import services, signed
from overt.wire.awsjson import header_text
from overt.wire.http import Request, Response
from overt.wire.services import Service

FORM = "application/x-www-form-urlencoded"
CONTENT_TYPE = "text/xml"
_ADDRESSED = frozenset({"Action", "Version"})
_MOST_FIELDS = 1000  # fifty tags and fifty transitive keys are 150
_WHOLE = re.compile(r"-?\d{1,19}", re.ASCII)
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

CODES: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "AccessDeniedException": ("AccessDenied", 403),
        "MissingAuthenticationTokenException": ("MissingAuthenticationToken", 403),
        "IncompleteSignatureException": ("IncompleteSignature", 400),
        "UnrecognizedClientException": ("InvalidClientTokenId", 403),
        "InvalidSignatureException": ("SignatureDoesNotMatch", 403),
        "UnknownOperationException": ("InvalidAction", 400),
        "SerializationException": ("MalformedInput", 400),
        "ValidationException": ("ValidationError", 400),
        "InvalidParameterException": ("ValidationError", 400),
        "ThrottlingException": ("Throttling", 400),
        "InternalServerError": ("InternalFailure", 500),
    }
)
"""Our codes as STS writes them, and their HTTP statuses. Records keep ours."""


def is_meant(headers: Mapping[str, str]) -> bool:
    """Whether a request to `/` is for this door. With X-Amz-Target it is not: curl calls any body a form."""
    return headers.get("content-type", "").partition(";")[0].strip().lower() == FORM and "x-amz-target" not in headers


class Query:
    """How STS names an operation, proves who asks, and writes values. Satisfies chain.Door."""

    def identify(self, request: Request) -> tuple[Service, str]:
        """The service and its operation's name. Raises: UnknownOperationException, SerializationException."""
        service = services.sts()
        fields = {} if request.oversized else _fields(request)
        name, version = fields.get("Action", ""), fields.get("Version", "")
        if name not in service.operations or version != service.api_version:
            raise UnknownOperationException(
                f"Could not find operation {_shown(name)} for version {_shown(version)}",
                detail=f"Action must be an operation of STS, and Version {service.api_version}",
            )
        return service, name

    def authenticate(
        self, request: Request, service: Service, find_key: Callable[[str], AccessKey], now: dt.datetime
    ) -> tuple[Caller, str]:
        """The caller and the region it names. Raises: the errors of signed.caller."""
        return signed.caller(request, service, find_key, now)

    def body(self, operation: OperationModel, request: Request) -> Any:
        """The form's fields as the values of a JSON body.

        Raises: SerializationException. ValidationException for a field that the operation does not have: passed over,
        a misspelt limit would be none.
        """
        fields = {name: text for name, text in _fields(request).items() if name not in _ADDRESSED}
        form = _Form(fields)
        values = form.structure(operation.input_shape, "") if operation.input_shape else {}
        if left := sorted(fields.keys() - form.taken):
            raise ValidationException(f"{operation.name} has no parameter {_shown(left[0])}")
        return values

    def answer(self, operation: OperationModel, result: dict[str, Any], headers: dict[str, str]) -> Response:
        """A success."""
        shape = operation.output_shape
        inner = "".join(_members(shape, result)) if shape else ""
        wrapper = shape.serialization.get("resultWrapper") if shape else None
        wrapped = f"<{wrapper}>{inner}</{wrapper}>" if wrapper else inner
        metadata = f"<ResponseMetadata>{_element('RequestId', _id(headers))}</ResponseMetadata>"
        return _xml(200, f"{operation.name}Response", wrapped + metadata, headers)

    def refuse(self, error: WireError, headers: dict[str, str]) -> Response:
        """An error, in the form every SDK reads; its cause goes into x-overt-detail."""
        code, status = CODES.get(error.code, (error.code, error.status))
        kind = "Sender" if status < 500 else "Receiver"  # noqa: PLR2004 - a status
        inner = _element("Type", kind) + _element("Code", code) + _element("Message", error.text)
        named = {**headers, "x-overt-detail": header_text(error.detail)} if error.detail else headers
        return _xml(status, "ErrorResponse", f"<Error>{inner}</Error>{_element('RequestId', _id(headers))}", named)


class _Form:
    """Reads shapes from flat fields like Tags.member.1.Key. taken: names of fields that were read."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = fields
        self.taken: set[str] = set()

    def structure(self, shape: StructureShape, path: str) -> dict[str, Any]:
        values = {}
        for name, member in shape.members.items():
            below = f"{path}.{name}" if path else name
            if below in self._fields or any(each.startswith(f"{below}.") for each in self._fields):
                values[name] = self.read(member, below)
        return values

    def list(self, shape: ListShape, path: str) -> list[Any]:
        if path in self._fields:  # how botocore writes an empty list
            self.taken.add(path)
            if self._fields[path]:
                raise SerializationException(f"'{path}' must be a list.")
            return []
        prefix, numbers = f"{path}.member.", set()
        for name in self._fields:
            if name.startswith(prefix):
                number = name.removeprefix(prefix).partition(".")[0]
                if not (number.isascii() and number.isdigit() and len(number) <= 4):  # noqa: PLR2004 - digits
                    raise SerializationException(f"'{_shown(name)}' does not number a member.")
                numbers.add(int(number))
        if numbers != set(range(1, len(numbers) + 1)):
            raise SerializationException(f"The members of '{path}' must be numbered from 1, without gaps.")
        return [self.read(shape.member, f"{prefix}{number}") for number in sorted(numbers)]

    def read(self, shape: Shape, path: str) -> Any:
        if isinstance(shape, StructureShape):
            return self.structure(shape, path)
        if isinstance(shape, ListShape):
            return self.list(shape, path)
        if path not in self._fields:
            raise SerializationException(f"'{path}' must be one value.")
        self.taken.add(path)
        return _SCALARS.get(shape.type_name, str)(self._fields[path])


def _whole(text: str) -> int | str:
    return int(text) if _WHOLE.fullmatch(text) else text  # a text is refused when shapes are parsed


def _boolean(text: str) -> bool | str:
    return {"true": True, "false": False}.get(text, text)


def _blob(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise SerializationException("A value must be text in base64.") from None


_SCALARS: dict[str, Callable[[str], Any]] = {"integer": _whole, "long": _whole, "boolean": _boolean, "blob": _blob}


def _fields(request: Request) -> dict[str, str]:
    """The form's fields. Raises: SerializationException when it is none, or names one twice."""
    try:
        pairs = parse_qsl(
            request.body.decode("utf-8"),
            keep_blank_values=True,
            strict_parsing=bool(request.body),
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:
        raise SerializationException("The body is not a form in UTF-8.") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise SerializationException("The form names a field twice.")
    return fields


def _members(shape: Shape, values: Mapping[str, Any]) -> Iterator[str]:
    members = shape.members if isinstance(shape, StructureShape) else {}
    for name, value in values.items():
        yield _written(members[name], name, value)


def _written(shape: Shape, name: str, value: Any) -> str:
    """A JSON value as XML."""
    if isinstance(shape, StructureShape):
        return f"<{name}>{''.join(_members(shape, value))}</{name}>"
    if isinstance(shape, ListShape):
        return f"<{name}>{''.join(_written(shape.member, 'member', item) for item in value)}</{name}>"
    if shape.type_name == "timestamp":
        return _element(name, dt.datetime.fromtimestamp(value, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    if isinstance(value, bool):
        return _element(name, str(value).lower())
    return _element(name, str(value))


def _element(name: str, text: str) -> str:
    return f"<{name}>{html.escape(_NOT_XML.sub('?', text), quote=False)}</{name}>"


def _xml(status: int, root: str, inner: str, headers: Mapping[str, str]) -> Response:
    space = services.sts().namespace
    body = f'<{root} xmlns="{space}">{inner}</{root}>'
    return Response(status, {"content-type": CONTENT_TYPE, **headers}, body.encode())


def _id(headers: Mapping[str, str]) -> str:
    return headers.get("x-amzn-requestid", "")


def _shown(text: str) -> str:
    return text[:64]
