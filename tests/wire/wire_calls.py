# SPDX-License-Identifier: Apache-2.0
"""Calls as raw HTTP requests, signed by botocore but free of every check boto3 makes before it sends."""

from __future__ import annotations

import base64
import datetime as dt
import http.client
import json
import sqlite3
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from overt.wire import services

_CLOCK = threading.Lock()
_MODEL = Path(services.FOLDER, "overt", "2026-11-01", "service-2.json")
OWN = frozenset(json.loads(_MODEL.read_text())["operations"])
"""Operations of our own service, which is called by its own target and signing name."""
PATIENCE = 5.0  # seconds any answer may take
_IDLE = 2.0  # seconds after which a kept connection is not trusted any more: a server may close it at any time
_SHOWN = 40  # characters of a value that a message repeats
_LINE = 500  # and of a whole input

FRONT_END = {
    "ValidationException",
    "SerializationException",
    "UnknownOperationException",
    "MissingAuthenticationTokenException",
    "IncompleteSignatureException",
    "UnrecognizedClientException",
    "InvalidSignatureException",
}
"""Codes that any operation may answer although its model does not declare them."""


@dataclass(frozen=True)
class Answer:
    """One answer. headers: lower-case names. seconds: how long it took."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """ "ok" or the error's."""
        return "ok" if self.status == 200 else self.json["__type"]

    @property
    def message(self) -> str:
        return self.json["Message"]

    @property
    def id(self) -> str:
        return self.headers["x-amzn-requestid"]

    def __repr__(self) -> str:
        detail = self.headers.get("x-overt-detail", "")
        return f"{self.status} {self.body[:300].decode('utf-8', 'replace')} {detail} ({self.seconds:.3f} s)"


@dataclass
class Caller:
    """An access key and a kept connection. Not for several threads at once."""

    url: str
    key_id: str
    secret: str
    token: str | None = None
    _connection: http.client.HTTPConnection | None = field(default=None, repr=False)
    _used: float = 0.0

    def call(self, operation: str, value: Any = None, **changes: Any) -> Answer:
        """Call an operation with a JSON value (`{}` unless given); changes are further arguments of `send`."""
        body = json.dumps({} if value is None else value).encode()
        own = operation in OWN
        headers = {"X-Amz-Target": f"{'OvertService' if own else 'RekognitionService'}.{operation}"}
        service = "overt" if own else "rekognition"
        return self.send(**({"body": body, "headers": headers, "service": service} | changes))

    def rest(self, operation: str, value: Any = None) -> Answer:
        """The same by the plain-HTTP door."""
        body = json.dumps({} if value is None else value).encode()
        path, service = ("/v1/overt/", "overt") if operation in OWN else ("/v1/", "rekognition")
        headers = {"Content-Type": "application/json"}
        return self.send(f"{path}{operation}", body=body, headers=headers, service=service)

    def send(
        self,
        path: str = "/",
        *,
        body: bytes,
        headers: dict[str, str],
        at: dt.datetime | None = None,
        service: str = "rekognition",
    ) -> Answer:
        """Sign and send a POST. at: when the signature claims to be made."""
        return self.exchange("POST", path, body, self.sign(path, body, headers, at, service=service))

    def sign(
        self,
        path: str,
        body: bytes,
        headers: dict[str, str],
        at: dt.datetime | None = None,
        region: str = "us-east-1",
        *,
        service: str = "rekognition",
    ) -> dict[str, str]:
        """The headers with a signature among them."""
        given = {"Content-Type": "application/x-amz-json-1.1", **headers}
        request = AWSRequest("POST", self.url + path, data=body, headers=given)
        # A patch is the whole process's: two threads that undid theirs in the wrong order would leave one for ever.
        with _CLOCK, mock.patch("botocore.auth.get_current_datetime", return_value=at or dt.datetime.now(dt.UTC)):
            SigV4Auth(Credentials(self.key_id, self.secret, self.token), service, region).add_auth(request)
        return dict(request.headers.items())

    def exchange(self, method: str, path: str, body: Any, headers: dict[str, str], **options: Any) -> Answer:
        """Send a request as it is. options: further arguments of http.client's request."""
        connection = self._connected()
        started = time.perf_counter()
        try:
            connection.request(method, path, body, headers, **options)
            response = connection.getresponse()
            content = response.read()
        except BaseException:
            self.close()
            raise
        self._used = time.monotonic()
        lower = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, lower, content, time.perf_counter() - started)

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None or time.monotonic() - self._used > _IDLE:
            self.close()
            self._connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=30)
            self._connection.connect()
        return self._connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def base64_text(raw: bytes) -> str:
    """A blob as JSON carries it."""
    return base64.b64encode(raw).decode()


def shown(value: Any) -> str:
    """A value in one short line, for messages."""

    def short(item: Any) -> Any:
        if isinstance(item, dict):
            return {key[:_SHOWN]: short(part) for key, part in list(item.items())[:20]}
        if isinstance(item, list):
            return [short(part) for part in item[:2]] + ["..."] * (len(item) > 2)
        text = str(item)
        return item if len(text) <= _SHOWN else f"{text[:_SHOWN]}... {len(text)}"

    return json.dumps(short(value))[:_LINE]


def rows(home: Any, call_id: str | None = None) -> list[dict[str, Any]]:
    """The records in a server's database, or those of one call."""
    where, values = ("where call_id = ?", (call_id,)) if call_id else ("", ())
    connection = sqlite3.connect(f"file:{home / 'overt.db'}?mode=ro", uri=True)
    try:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(f"select * from records {where}", values)]
    finally:
        connection.close()
