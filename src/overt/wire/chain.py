# SPDX-License-Identifier: Apache-2.0
"""The steps every call takes, whatever door it came in by. To see what happens to a request, read CHAIN.

A step works on one Exchange and stops the call by raising a WireError; `record` and `render` run all the same, so each
call leaves its durable row before anything is answered. Knows no JSON, no signature and no operation.
"""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog
from botocore.model import OperationModel

from overt.engine import Engine
from overt.errors import AccessDeniedException, ImageTooLargeException, InternalServerError, WireError
from overt.govern import audit, gate
from overt.ops import registry
from overt.ops.registry import Operation
from overt.stores.base import AccessKey, MissingShardsError
from overt.types import Call, Caller, Event, Verdict
from overt.wire import services, shapes
from overt.wire.http import Request, Response
from overt.wire.services import Service

log = structlog.get_logger(__name__)

NOBODY = Caller(key_id="", account="", role="")


class Door(Protocol):
    """A way in: how calls are named, proved and written there."""

    def identify(self, request: Request) -> tuple[Service, str]:
        """The service and its operation's name. Raises: WireError."""

    def authenticate(
        self, request: Request, service: Service, find_key: Callable[[str], AccessKey], now: dt.datetime
    ) -> tuple[Caller, str]:
        """The caller and the region it named. Raises: WireError."""

    def body(self, operation: OperationModel, request: Request) -> Any:
        """The request's values. Raises: WireError."""

    def answer(self, operation: OperationModel, result: dict[str, Any], headers: dict[str, str]) -> Any:
        """Write a success."""

    def refuse(self, error: WireError, headers: dict[str, str]) -> Any:
        """Write an error."""


@dataclass(slots=True)
class Exchange:
    """One call on its way through the steps; each step reads what earlier ones filled in."""

    door: Door
    request: Request
    crowded: bool  # more calls in flight than the server takes on
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: float = field(default_factory=time.perf_counter)
    time: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))
    service: Service = field(default_factory=services.rekognition)  # whose operation it is, once it is known
    name: str = ""  # of what is asked for, once it is known
    operation: OperationModel | None = None
    caller: Caller = NOBODY
    region: str = ""
    call: Call | None = None
    verdict: Verdict | None = None
    result: Mapping[str, Any] | None = None
    error: WireError | None = None
    response: Any = None
    act: Operation | None = None  # what does the work, where it is not the operation as the registry has it


def identify(exchange: Exchange, engine: Engine) -> None:
    """Which operation is meant?"""
    exchange.service, exchange.name = exchange.door.identify(exchange.request)
    exchange.operation = exchange.service.operations[exchange.name]
    if exchange.request.oversized:
        raise ImageTooLargeException(detail="the request is longer than two pictures of 5 MiB in base64")


def authenticate(exchange: Exchange, engine: Engine) -> None:
    """Who asks?"""

    def find_key(key_id: str) -> AccessKey:
        with engine.stores.read() as unit:
            return unit.keys.get(key_id)

    exchange.caller, exchange.region = exchange.door.authenticate(
        exchange.request, exchange.service, find_key, exchange.time
    )


def parse(exchange: Exchange, engine: Engine) -> None:
    """What exactly is asked?"""
    operation = _operation(exchange)
    exchange.call = Call(
        id=exchange.id,
        operation=operation.name,
        params=shapes.parse(operation.input_shape, exchange.door.body(operation, exchange.request)),
        caller=exchange.caller,
        region=exchange.region,
        digest=_digest(exchange, engine),
        service=exchange.service.name,
    )


def gate_before(exchange: Exchange, engine: Engine) -> None:
    """May it be done?"""
    exchange.verdict = gate.before(_call(exchange), crowded=exchange.crowded)
    if not exchange.verdict.allowed:
        raise AccessDeniedException(exchange.verdict.reason)


def run(exchange: Exchange, engine: Engine) -> None:
    """Do it."""
    call = _call(exchange)
    act = exchange.act or registry.find(call.operation, call.service)
    exchange.result = act(call, engine)


def gate_after(exchange: Exchange, engine: Engine) -> None:
    """May the caller see all of what came out?"""
    exchange.result = gate.after(_call(exchange), exchange.result or {})


def record(exchange: Exchange, engine: Engine) -> None:
    """Leave a durable row. Also for calls that were refused or failed."""
    event = Event(
        call_id=exchange.id,
        time=exchange.time,
        operation=exchange.name,
        key_id=exchange.caller.key_id,
        account=exchange.caller.account,
        digest=_digest(exchange, engine),
        verdict="none" if exchange.verdict is None else "allow" if exchange.verdict.allowed else "deny",
        outcome=exchange.error.code if exchange.error else "ok",
        milliseconds=round((time.perf_counter() - exchange.started) * 1000, 3),
    )
    audit.record(engine.stores, event)
    log.info("call", request=event.call_id, operation=event.operation, key=event.key_id, outcome=event.outcome,
             ms=event.milliseconds)  # fmt: skip


def render(exchange: Exchange, engine: Engine) -> None:
    """Write the answer."""
    headers = {"x-amzn-requestid": exchange.id}
    if exchange.error is None:
        operation = _operation(exchange)
        result = shapes.render(operation.output_shape, exchange.result or {})
        notes = exchange.call.notes if exchange.call else {}
        exchange.response = exchange.door.answer(operation, result, {**headers, **notes})
    else:
        exchange.response = exchange.door.refuse(exchange.error, headers)


Step = Callable[[Exchange, Engine], None]

CHAIN: tuple[Step, ...] = (identify, authenticate, parse, gate_before, run, gate_after, record, render)
ALWAYS: frozenset[Step] = frozenset({record, render})


def follow(
    door: Door,
    request: Request,
    engine: Engine,
    *,
    crowded: bool = False,
    act: Operation | None = None,
    steps: tuple[Step, ...] = CHAIN,
) -> Response | Any:
    """Take one call through the chain; what comes back is what the door wrote.

    Blocks: call it from a worker thread. Never raises for anything a caller can send.

    Args: act: does the work in place of the operation's own function. steps: for what is no operation of the contract.
    """
    exchange = Exchange(door, request, crowded, act=act)
    for step in steps:
        if exchange.error is None or step in ALWAYS:
            try:
                step(exchange, engine)
            except WireError as error:
                exchange.error = error
            except MissingShardsError as error:  # it is not our fault, and passes
                log.warning("call failed", request=exchange.id, step=step.__name__, reason=str(error))
                exchange.error = InternalServerError(detail=str(error))
            except Exception:
                log.exception("call failed", request=exchange.id, step=step.__name__)
                exchange.error = InternalServerError(detail=f"request {exchange.id}: see the server's log")
    if exchange.response is None:  # refused by steps without render, or an answer that does not fit its shape
        render(exchange, engine)
    return exchange.response


def _operation(exchange: Exchange) -> OperationModel:
    if exchange.operation is None:
        msg = "a step ran before identify"
        raise RuntimeError(msg)
    return exchange.operation


def _call(exchange: Exchange) -> Call:
    if exchange.call is None:
        msg = "a step ran before parse"
        raise RuntimeError(msg)
    return exchange.call


def _digest(exchange: Exchange, engine: Engine) -> str:
    return engine.digest("call", f"{exchange.name}:{exchange.request.body_sha256}".encode())
