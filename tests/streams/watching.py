# SPDX-License-Identifier: Apache-2.0
"""Streams to watch in tests: an engine of their own, cameras that are files, and what became of them."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from overt.engine import Engine
from overt.stores.base import Charge, ExistsError, StoreError
from overt.streams.watch import WatchList
from overt.types import Alert, CameraAddress, FaceSearch, Options, Session, Stream, Wanted

PREFIX = "arn:aws:kinesisvideo:us-east-1:000000000001:stream"
DEADLINE = 60.0


def put(engine: Engine, listed: WatchList, name: str, url: str, **wanted: Any) -> Stream:
    """A stream of a camera at that URL, not started."""
    now = dt.datetime.now(dt.UTC)
    arn = f"{PREFIX}/{name}/1"
    search = FaceSearch(listed.collection, 0.8)
    asked = Wanted(arn, **{"search": search, "options": Options(quiet=1.5), **wanted})
    stream = Stream(f"id-{name}", listed.account, name, asked, now, now)
    with engine.stores.write() as unit:
        with suppress(ExistsError):
            unit.cameras.add(CameraAddress(listed.account, name, arn, url, now))
        unit.streams.add(stream)
    return stream


def start(engine: Engine, stream: Stream, session: str = "session") -> None:
    with engine.stores.write() as unit:
        unit.streams.start(stream.account, stream.name, Session(session, dt.datetime.now(dt.UTC)))


def stop(engine: Engine, stream: Stream) -> None:
    with engine.stores.write() as unit:
        unit.streams.stop(stream.account, stream.name)


def stop_all(engine: Engine) -> None:
    """Leave no stream to be watched."""
    with engine.stores.write() as unit:
        for stream in unit.streams.page("000000000001", "", 1000):
            if not stream.is_over:
                charge = unit.streams.claim(stream.id, "nobody", -1)
                with suppress(StoreError):
                    unit.streams.stop(stream.account, stream.name)
                if charge is not None:
                    unit.streams.leave(charge)


def claim(engine: Engine, stream: Stream, owner: str = "one") -> Charge:
    with engine.stores.write() as unit:
        charge = unit.streams.claim(stream.id, owner, 15)
    assert charge is not None
    return charge


def get(engine: Engine, stream: Stream) -> Stream:
    with engine.stores.read() as unit:
        return unit.streams.get(stream.account, stream.name)


def alerts(engine: Engine, stream: Stream) -> list[Alert]:
    """Oldest first."""
    with engine.stores.read() as unit:
        return [alert for _, alert in reversed(unit.alerts.page(stream.account, 0, 1000, stream=stream.name))]


def until(happened: Callable[[], Any], seconds: float = DEADLINE) -> Any:
    """Waits for something."""
    end = time.monotonic() + seconds
    while not (value := happened()):
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)
    return value
