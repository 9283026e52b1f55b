# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from watching import alerts, get, put, start, stop, stop_all, until

from overt.engine import Engine
from overt.streams.supervisor import Supervisor
from overt.streams.watch import WatchList
from overt.types import Stream


@pytest.fixture(autouse=True)
def _stopped(engine: Engine) -> Iterator[None]:
    yield
    stop_all(engine)


def test_streams_are_watched_while_they_are_to_be(engine: Engine, listed: WatchList, street: Path) -> None:
    one = put(engine, listed, "managed-one", f"{street.as_uri()}?loop=1")
    two = put(engine, listed, "managed-two", f"{street.as_uri()}?loop=1")
    supervisor = Supervisor(engine.watching(), owner="one")
    supervisor.open()
    try:
        start(engine, one)
        start(engine, two)
        until(lambda: set(supervisor.watched) == {one.id, two.id})
        until(lambda: alerts(engine, one) and alerts(engine, two))
        stop(engine, one)
        supervisor.wake()
        until(lambda: get(engine, one).status == "STOPPED")
        until(lambda: supervisor.watched == (two.id,))
    finally:
        supervisor.close()
    assert get(engine, two).status == "RUNNING"


def test_two_managers_share_streams_and_each_is_watched_by_one(engine: Engine, listed: WatchList, street: Path) -> None:
    streams = [put(engine, listed, f"shared-{number}", f"{street.as_uri()}?loop=1") for number in range(4)]
    supervisors = [Supervisor(engine.watching(), owner=owner, most=3) for owner in ("one", "two")]
    for supervisor in supervisors:
        supervisor.open()
    try:
        for stream in streams:
            start(engine, stream)
        until(lambda: sum(len(supervisor.watched) for supervisor in supervisors) == 4)
        assert all(supervisor.watched for supervisor in supervisors)
        assert not set(supervisors[0].watched) & set(supervisors[1].watched)
        supervisors[0].close()  # leaves them in good order
        until(lambda: len(supervisors[1].watched) == 3)
    finally:
        for supervisor in supervisors:
            supervisor.close()


def test_streams_that_come_one_by_one_spread_too(engine: Engine, listed: WatchList, street: Path) -> None:
    supervisors = [Supervisor(engine.watching(), owner=owner, most=4) for owner in ("one", "two")]
    for supervisor in supervisors:
        supervisor.open()
    try:
        for number in range(4):
            stream = put(engine, listed, f"spread-{number}", f"{street.as_uri()}?loop=1")
            start(engine, stream)
            until(lambda stream=stream: any(stream.id in supervisor.watched for supervisor in supervisors))
        assert sorted(len(supervisor.watched) for supervisor in supervisors) in ([2, 2], [1, 3])
    finally:
        for supervisor in supervisors:
            supervisor.close()


def test_a_stream_that_is_let_go_is_another_s(engine: Engine, listed: WatchList, street: Path) -> None:
    stream = put(engine, listed, "let-go", f"{street.as_uri()}?loop=1")
    supervisors = [Supervisor(engine.watching(), owner=owner, most=2) for owner in ("one", "two")]
    supervisors[0].let_go()  # it has none
    supervisors[0].open()
    try:
        start(engine, stream)
        until(lambda: get(engine, stream).status == "RUNNING")
        supervisors[1].open()
        supervisors[0].let_go()
        until(lambda: supervisors[1].watched == (stream.id,))
        until(lambda: supervisors[0].watched == ())
    finally:
        for supervisor in supervisors:
            supervisor.close()
    assert get(engine, stream).status == "RUNNING"


def test_a_stream_whose_worker_failed_is_watched_again(engine: Engine, listed: WatchList, street: Path) -> None:
    stream = put(engine, listed, "again", f"{street.as_uri()}?loop=1")
    tools, failures = engine.watching(), list[int]()

    def sometimes(found: Stream) -> Any:
        if len(failures) < 2:
            failures.append(1)
            raise RuntimeError("a bug")
        return tools.analyse(found)

    supervisor = Supervisor(replace(tools, analyse=sometimes), owner="one")
    supervisor.open()
    try:
        start(engine, stream)
        until(lambda: get(engine, stream).status == "RUNNING")
    finally:
        supervisor.close()
    assert len(failures) == 2
