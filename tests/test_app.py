# SPDX-License-Identifier: Apache-2.0
"""What the listener itself does; the wire's tests show the rest."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from botocore.config import Config
from botocore.exceptions import ClientError


def ask(server: Any, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    connection.request(method, path, body)
    response = connection.getresponse()
    answer = response.status, response.read()
    connection.close()
    return answer


def test_health_and_the_document_need_no_signature(server: Any) -> None:
    assert ask(server, "GET", "/healthz") == (200, b'{"status":"ok"}')
    status, body = ask(server, "GET", "/v1/openapi.json")
    assert (status, json.loads(body)["openapi"]) == (200, "3.1.0")


def test_other_methods_and_paths_are_not_served(server: Any) -> None:
    assert ask(server, "GET", "/")[0] == 405
    assert ask(server, "POST", "/elsewhere")[0] == 404


def test_a_body_longer_than_any_the_contract_allows_is_refused_in_words(server: Any) -> None:
    status, body = ask(server, "POST", "/v1/DetectFaces", b"x" * (16 << 20))
    assert (status, json.loads(body)["__type"]) == (400, "ImageTooLargeException")


def test_more_calls_than_the_server_takes_on_are_throttled_and_sdks_get_through_by_trying_again(
    start_server: Callable[..., Any], photos: Any
) -> None:
    server = start_server(OVERT_CALLS_IN_FLIGHT="1", OVERT_IMAGE_QUEUE="0", OVERT_WORKERS="1")
    picture = {"Bytes": (photos / "obama.jpg").read_bytes()}
    impatient = server.client(config=Config(retries={"total_max_attempts": 1}, max_pool_connections=20))
    codes: list[str] = []

    def call() -> None:
        try:
            impatient.detect_faces(Image=picture)
            codes.append("ok")
        except ClientError as error:
            codes.append(error.response["Error"]["Code"])

    threads = [threading.Thread(target=call) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(codes) == {"ok", "ThrottlingException"}
    assert len(codes) == 12
    patient = server.client(config=Config(retries={"total_max_attempts": 10, "mode": "standard"}))
    assert len(patient.detect_faces(Image=picture)["FaceDetails"]) == 1
