# SPDX-License-Identifier: Apache-2.0
"""`GET /v1/events`: what an account's streams tell, as server-sent events, for as long as the caller listens.

Who listens is proved and recorded as with every call. Knows the hub and who owns a stream, no HTTP server.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import threading
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from types import MappingProxyType
from urllib.parse import parse_qs

import structlog

from overt.engine import Engine
from overt.errors import InvalidParameterException, ThrottlingException
from overt.ops.finding import find_stream
from overt.stores.base import NotFoundError, StoreError, Stores
from overt.streams.events import framed
from overt.types import Call, Caller
from overt.wire import chain
from overt.wire.chain import Exchange
from overt.wire.http import Request, Response
from overt.wire.rest import PREFIX, Rest

log = structlog.get_logger(__name__)

PATH = f"{PREFIX}events"
OPERATION = "ListenEvents"
"""The name in the record; the contract has no such operation."""
HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "content-type": "text/event-stream",
        "cache-control": "no-store",
        "x-accel-buffering": "no",  # nginx would collect events before it passes them on
    }
)
MOST = 100
"""Who may listen to one server at the same time."""
KEEP_ALIVE = 15.0
"""Seconds between two comments, without which proxies close what is silent; the key is looked at as often."""
_REMEMBERED = 10_000
"""Streams whose owner is known without asking the store."""
_STREAM = "stream"


class Audience:
    """Everybody who listens to one server. Thread-safe.

    Args: most: how many may listen at the same time.
    """

    def __init__(self, engine: Engine, most: int = MOST) -> None:
        self._engine = engine
        self._most = most
        self._places = threading.BoundedSemaphore(most)
        # A stream's id, account and name never change, and no id is given out twice.
        self._whose = lru_cache(_REMEMBERED)(partial(_whose, engine.stores))

    def admit(self, request: Request, *, crowded: bool) -> Response | Listening:
        """Take a caller in, or say why not. Blocks; leaves a row in the record either way."""
        has_place = self._places.acquire(blocking=False)

        def enter(exchange: Exchange, engine: Engine) -> None:
            _check(exchange, engine)
            if not has_place:
                raise ThrottlingException(
                    detail=f"{self._most} listen to this server already, which are as many as may; come back later"
                )

        steps = (_identify, chain.authenticate, _parse, chain.gate_before, enter, chain.record, self._begin)
        answer: Response | Listening = chain.follow(Rest(), request, self._engine, crowded=crowded, steps=steps)
        if has_place and not isinstance(answer, Listening):
            self._places.release()
        return answer

    def leave(self) -> None:
        """One of them has gone."""
        self._places.release()

    def is_for(self, stream_id: str, caller: Caller, names: frozenset[str]) -> bool:
        """Whether a caller may and wants to hear of a stream. names: empty = all. Raises: StoreError."""
        account, name = self._whose(stream_id)
        return account == caller.account and (not names or name in names)

    def may_stay(self, caller: Caller) -> bool:
        """Whether the caller's key is still good. Raises: StoreError."""
        with self._engine.stores.read() as unit:
            try:
                key = unit.keys.get(caller.key_id)
            except NotFoundError:
                return False
        return key.revoked is None and (key.expires is None or key.expires > dt.datetime.now(dt.UTC))

    def _begin(self, exchange: Exchange, engine: Engine) -> None:
        names = frozenset(exchange.call["Streams"] if exchange.call else ())
        after = exchange.request.headers.get("last-event-id")
        exchange.response = Listening(self, engine, exchange.caller, names, after, exchange.id)


@dataclass(frozen=True, slots=True)
class Listening:
    """One caller who listens. Whoever got it calls `close`.

    names: of streams; empty = all of the account, also those to come. after: the id of the last event that the caller
    has. id: the request's.
    """

    audience: Audience
    engine: Engine
    caller: Caller
    names: frozenset[str]
    after: str | None
    id: str

    @property
    def headers(self) -> dict[str, str]:
        """Of the answer."""
        return {**HEADERS, "x-amzn-requestid": self.id}

    async def frames(self) -> AsyncGenerator[bytes]:
        """What goes to the caller, from a comment that says that it has begun until the key or the server ends.

        No thread waits for events. While the store cannot say whose a stream is, nothing can be told: the caller is let
        go, and hears what was missed when it comes back.
        """
        loop, came = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and so has whoever waited
                loop.call_soon_threadsafe(came.set)

        with self.engine.surroundings.hub.listen(after=self.after, wake=wake) as listener:
            yield b": listening\n\n"
            due = loop.time() + KEEP_ALIVE
            try:
                while True:
                    came.clear()
                    while (parcel := listener.next(0)) is not None:
                        if await asyncio.to_thread(self.audience.is_for, parcel.stream, self.caller, self.names):
                            yield framed(parcel)
                    if listener.is_closed:
                        return
                    if loop.time() >= due:
                        if not await asyncio.to_thread(self.audience.may_stay, self.caller):
                            return
                        yield b":\n\n"
                        due = loop.time() + KEEP_ALIVE
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout_at(due):
                            await came.wait()
            except StoreError as error:
                log.warning("a listener was let go", request=self.id, reason=str(error))

    def close(self) -> None:
        """Make room for another."""
        self.audience.leave()


def _identify(exchange: Exchange, _engine: Engine) -> None:
    exchange.name = OPERATION


def _parse(exchange: Exchange, _engine: Engine) -> None:
    asked = parse_qs(exchange.request.query, keep_blank_values=True)
    if set(asked) - {_STREAM}:
        raise InvalidParameterException(detail=f"events are chosen by {_STREAM}=NAME, which may be given several times")
    params = {"Streams": tuple(asked.get(_STREAM, ()))}
    exchange.call = Call(exchange.id, OPERATION, params, exchange.caller, exchange.region, digest="")


def _check(exchange: Exchange, engine: Engine) -> None:
    """Raises: ResourceNotFoundException when the account has no stream of a name."""
    call = exchange.call
    if call is not None and call["Streams"]:
        with engine.stores.read() as unit:
            for name in call["Streams"]:
                find_stream(unit, call, name)


def _whose(stores: Stores, stream_id: str) -> tuple[str, str]:
    """A stream's account and name; of one that is gone, nobody's. Raises: StoreError."""
    with stores.read() as unit:
        try:
            stream = unit.streams.find(stream_id)
        except NotFoundError:
            return "", ""
    return stream.account, stream.name
