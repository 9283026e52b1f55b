# SPDX-License-Identifier: Apache-2.0
"""Posts: what counts as taken, what is never followed or waited for, and what no error repeats."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from takers import Web

from overt.outlets.base import SendError
from overt.outlets.posting import post


@pytest.fixture
def web() -> Iterator[Web]:
    web = Web()
    yield web
    web.stop()


def url(web: Web) -> str:
    return f"http://127.0.0.1:{web.port}/hunter2?key=hunter2"


def test_body_and_headers_arrive(web: Web) -> None:
    post(url(web), b"{}", {"content-type": "application/json", "x-mine": "1"})
    ((path, headers, body),) = web.posts
    assert (path, headers["x-mine"], headers["content-type"], body) == (
        "/hunter2?key=hunter2",
        "1",
        "application/json",
        b"{}",
    )


@pytest.mark.parametrize(
    ("status", "is_permanent"),
    [
        *((status, True) for status in (400, 410, 413, 415, 422)),
        *((status, False) for status in (401, 403, 404, 429, 500, 503)),
    ],
)
def test_answers_other_than_yes_are_errors(web: Web, status: int, *, is_permanent: bool) -> None:
    web.status = status
    with pytest.raises(SendError, match=f"http://127.0.0.1:{web.port} answered {status}$") as caught:
        post(url(web), b"", {})
    assert caught.value.is_permanent is is_permanent


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(web: Web, status: int) -> None:
    other = Web()
    web.status, web.headers = status, {"location": f"http://127.0.0.1:{other.port}/"}
    with pytest.raises(SendError, match="redirect"):
        post(url(web), b"{}", {})
    assert other.tries == 0
    other.stop()


def test_an_answer_that_comes_letter_by_letter_is_not_waited_for(web: Web) -> None:
    web.drip = True
    begun = time.monotonic()
    with pytest.raises(SendError, match="no answer within"):
        post(url(web), b"{}", {}, seconds=0.3)
    assert time.monotonic() - begun < 10
    web.drip = False


def test_nobody_there_is_told_without_the_path(web: Web) -> None:
    web.stop()
    with pytest.raises(SendError, match="Connection refused") as caught:
        post(url(web), b"{}", {})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("address", ["file:///etc/hostname", "ftp://127.0.0.1/x", "data:,x", "/etc/hostname"])
def test_other_schemes_are_refused(address: str) -> None:
    with pytest.raises(SendError, match="has to begin with") as caught:
        post(address, b"{}", {})
    assert caught.value.is_permanent


def test_a_server_that_speaks_no_tls_is_told(web: Web) -> None:
    with pytest.raises(SendError, match="gave no answer"):
        post(f"https://127.0.0.1:{web.port}/", b"{}", {})
