# SPDX-License-Identifier: Apache-2.0
"""The composition root: one engine and the doors of the wire as one ASGI application. Knows no operation."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, StreamingResponse
from starlette.responses import Response as HttpResponse
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from overt.engine import Engine
from overt.wire import chain, events, openapi, query, rest
from overt.wire.awsjson import AwsJson
from overt.wire.http import Request, Response

# The largest body the contract allows: two 5 MiB pictures (CompareFaces) in base64, and some JSON around them.
BODY_LIMIT = 15 * 1024 * 1024
BODY_SECONDS = 60  # a client that takes longer to send its body is let go
# A longer body is read to its end, so that the client hears why it was refused, but not for ever.
DRAIN_LIMIT = 8 * BODY_LIMIT
TAKE_SECONDS = 5  # one who listens to events and takes none for so long is let go, and may come back

T = TypeVar("T")


class Follow(Protocol):
    """Takes one call through the chain, here or elsewhere. Blocks; never raises for anything a caller can send."""

    def __call__(self, door: chain.Door, request: Request, *, crowded: bool) -> Response:
        """What the door wrote."""


class Front:
    """Takes requests off the event loop into threads, and says no in time when there are too many.

    A call refused for crowding still passes the chain, in a thread of its own, so that it too leaves its row.
    """

    def __init__(self, limit: int, follow: Follow) -> None:
        """Args: limit: calls in flight."""
        self._follow = follow
        self._limit = limit
        self._in_flight = 0
        self._calls = ThreadPoolExecutor(limit, "call")
        self._refusals = ThreadPoolExecutor(1, "refusal")

    async def answer(self, door: chain.Door, request: Request) -> Response:
        """One call's response."""
        return await self.take(functools.partial(self._follow, door, request))

    async def take(self, step: Callable[..., T]) -> T:
        """What comes of a step that counts as a call; `crowded` tells it that there are as many as may be."""
        crowded = self._in_flight >= self._limit
        threads = self._refusals if crowded else self._calls
        self._in_flight += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(threads, functools.partial(step, crowded=crowded))
        finally:
            self._in_flight -= 1

    def close(self) -> None:
        """Finish the calls under way."""
        self._calls.shutdown()
        self._refusals.shutdown()


def build(engine: Engine, follow: Follow | None = None) -> Starlette:
    """The application over an open engine, which the caller closes after it.

    Args: follow: who takes calls through the chain; by default this process, with the engine.
    """

    def here(door: chain.Door, request: Request, *, crowded: bool) -> Response:
        response: Response = chain.follow(door, request, engine, crowded=crowded)
        return response

    front = Front(engine.settings.calls_in_flight, follow or here)
    audience = events.Audience(engine)  # here, whoever follows calls: this process is told of events
    doors: dict[str, chain.Door] = {"awsjson": AwsJson(), "rest": rest.Rest(), "query": query.Query()}

    async def call(http: HttpRequest) -> HttpResponse:
        request = await _whole(http)
        if isinstance(request, HttpResponse):
            return request
        is_rest = http.url.path.startswith(rest.PREFIX)
        name = "rest" if is_rest else "query" if query.is_meant(request.headers) else "awsjson"
        return _http(await front.answer(doors[name], request))

    async def listen(http: HttpRequest) -> HttpResponse:
        if http.method == "HEAD":  # which Starlette routes as GET, and which would never end
            return HttpResponse(status_code=405, headers={"allow": "GET"})
        request = await _whole(http)
        if isinstance(request, HttpResponse):
            return request
        admitted = await front.take(functools.partial(audience.admit, request))
        return _http(admitted) if isinstance(admitted, Response) else EventStream(admitted)

    async def health(_http: HttpRequest) -> HttpResponse:
        return JSONResponse({"status": "ok"})

    async def document(_http: HttpRequest) -> HttpResponse:
        return JSONResponse(openapi.document())

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        front.close()

    return Starlette(
        routes=[
            Route("/", call, methods=["POST"]),
            Route("/v1/openapi.json", document, methods=["GET"]),
            Route(events.PATH, listen, methods=["GET"]),
            Route("/v1/{operation}", call, methods=["POST"]),
            Route("/v1/overt/{operation}", call, methods=["POST"]),
            Route("/healthz", health, methods=["GET"]),
        ],
        lifespan=lifespan,
    )


class EventStream(StreamingResponse):
    """Events for one who listens, until it goes, takes nothing any more, or is let go."""

    def __init__(self, listening: events.Listening) -> None:
        self._listening = listening
        self._frames = listening.frames()
        super().__init__(self._frames, headers=listening.headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""

        async def hand(message: Message) -> None:
            async with asyncio.timeout(TAKE_SECONDS):
                await send(message)

        try:
            await super().__call__(scope, receive, hand)
        except (ClientDisconnect, TimeoutError):
            pass
        finally:
            await self._frames.aclose()
            self._listening.close()


async def _whole(http: HttpRequest) -> Request | HttpResponse:
    """A request with its body; an answer when it is not to be had."""
    if "transfer-encoding" in http.headers and "content-length" in http.headers:
        # Two lengths for one body hide a second request from whoever reads the other one. Source: RFC 9112, 6.1.
        return HttpResponse(status_code=400, headers={"connection": "close"})
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _request(http)
    except (ClientDisconnect, TimeoutError):
        return HttpResponse(status_code=408, headers={"connection": "close"})


async def _request(http: HttpRequest) -> Request:
    headers: dict[str, str] = {}
    for raw_name, raw_value in http.headers.raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    body = await _body(http)
    return Request(
        method=http.method,
        path=http.scope["raw_path"].decode("latin-1"),
        query=http.scope["query_string"].decode("latin-1"),
        headers=headers,
        body=body or b"",
        oversized=body is None,
    )


async def _body(http: HttpRequest) -> bytes | None:
    """The body, or None when it is longer than BODY_LIMIT."""
    chunks: list[bytes] = []
    length = 0
    async for chunk in http.stream():
        length += len(chunk)
        if length <= BODY_LIMIT:
            chunks.append(chunk)
        else:
            chunks.clear()
        if length > DRAIN_LIMIT:
            break
    return b"".join(chunks) if length <= BODY_LIMIT else None


def _http(response: Response) -> HttpResponse:
    return HttpResponse(response.body, response.status, dict(response.headers))
