# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import http.server
import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

import pytest


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder of the test's own."""
    return tmp_path / "home"


@pytest.fixture
def told(overt: Callable[..., Any], home: Path) -> Callable[..., Any]:
    """Runs a command with --json on the home folder; gives what it printed."""

    def run(*arguments: str | Path) -> Any:
        done = overt(*arguments, "--home", home, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


class Shop(http.server.BaseHTTPRequestHandler):
    """S3 over a folder, path style: signed GET of objects and ListObjectsV2, two keys a page."""

    folder: Path
    signed: list[str]
    barred: list[str]

    def do_GET(self) -> None:
        self.signed.append(self.headers.get("Authorization", ""))
        url = urlsplit(self.path)
        bucket, _, key = unquote(url.path).strip("/").partition("/")
        if key in self.barred:
            self.answer(500, b"<Error><Code>InternalError</Code><Message>later</Message></Error>")
        elif key:
            file = self.folder / bucket / key
            self.answer(200, file.read_bytes()) if file.is_file() else self.refuse("NoSuchKey")
        elif (self.folder / bucket).is_dir():
            self.list(bucket, {name: values[0] for name, values in parse_qs(url.query).items()})
        else:
            self.refuse("NoSuchBucket")

    def list(self, bucket: str, query: dict[str, str]) -> None:
        root = self.folder / bucket
        keys = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
        keys = [key for key in keys if key.startswith(query.get("prefix", ""))]
        keys = [key for key in keys if key > query.get("continuation-token", "")]
        page, rest = keys[:2], keys[2:]
        more = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if rest else ""
        items = "".join(
            f"<Contents><Key>{quote(key)}</Key><ETag>{len((root / key).read_bytes())}</ETag></Contents>" for key in page
        )
        truncated = str(bool(rest)).lower()
        head = f"<EncodingType>url</EncodingType><IsTruncated>{truncated}</IsTruncated>"
        self.answer(200, f"<ListBucketResult>{head}{more}{items}</ListBucketResult>".encode())

    def refuse(self, code: str) -> None:
        self.answer(404, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode())

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def listening(handler: type[http.server.BaseHTTPRequestHandler]) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True)
class S3:
    """An S3 service whose buckets are the folders in one.

    signed: the Authorization header of each request. barred: keys that fail for now.
    """

    url: str
    folder: Path
    signed: list[str]
    barred: list[str]

    @property
    def variables(self) -> dict[str, str]:
        """What a shell that uses it has set."""
        return {
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "example",
            "AWS_DEFAULT_REGION": "us-east-1",
            "NO_PROXY": "127.0.0.1",
        }


@pytest.fixture
def s3(tmp_path: Path) -> Iterator[S3]:
    """An S3 service without a bucket."""
    folder = tmp_path / "s3"
    folder.mkdir()
    signed: list[str] = []
    barred: list[str] = []
    with listening(type("Opened", (Shop,), {"folder": folder, "signed": signed, "barred": barred})) as url:
        yield S3(url, folder, signed, barred)


@dataclass(frozen=True)
class Gate:
    """A way to a server that may be barred: `refusals` are given out first, each (status, error code)."""

    url: str
    refusals: list[tuple[int, str]]
    passed: list[str]


@pytest.fixture
def gate() -> Iterator[Callable[[str], Gate]]:
    """Opens a gate before the server at a URL."""
    with ExitStack() as stack:

        def opened(target: str) -> Gate:
            refusals: list[tuple[int, str]] = []
            passed: list[str] = []

            class Doorkeeper(http.server.BaseHTTPRequestHandler):
                def do_POST(self) -> None:
                    body = self.rfile.read(int(self.headers["Content-Length"]))
                    if refusals:
                        status, code = refusals.pop(0)
                        answer = json.dumps({"__type": code, "Message": code}).encode()
                    else:
                        passed.append(self.headers["X-Amz-Target"].partition(".")[2])
                        request = urllib.request.Request(target, body, dict(self.headers))
                        with urllib.request.urlopen(request) as reply:
                            status, answer = reply.status, reply.read()
                    self.send_response(status)
                    self.send_header("Content-Type", "application/x-amz-json-1.1")
                    self.send_header("Content-Length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)

                def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                    pass

            return Gate(stack.enter_context(listening(Doorkeeper)), refusals, passed)

        yield opened
