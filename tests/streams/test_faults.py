# SPDX-License-Identifier: Apache-2.0
"""What goes wrong around a stream: its camera, its targets, its server. Alerts go on, and none is lost."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import filming
import pytest
import served
from rtsp_server import Camera
from takers import Web
from watching import alerts, claim, get, put, start, stop, stop_all, until

from overt.engine import Engine
from overt.media.sources.base import Services
from overt.streams import postman
from overt.streams.cameras import open_camera
from overt.streams.postman import Limits, Postman
from overt.streams.watch import WatchList
from overt.streams.worker import Tools, Worker
from overt.testing.sinks import surroundings
from overt.types import Options, Parcel, Stream

OFTEN = Options(quiet=0.7)


@pytest.fixture(scope="module")
def passer(photos: Path) -> bytes:
    """Three seconds: somebody passes, then nobody."""
    return filming.film(itertools.chain(filming.passing(photos / "obama2.jpg", 1.5), filming.empty(1.5)))


@pytest.fixture(autouse=True)
def _stopped(engine: Engine) -> Iterator[None]:
    yield
    stop_all(engine)


@contextmanager
def watched(engine: Engine, stream: Stream, tools: Tools) -> Iterator[Worker]:
    start(engine, stream)
    worker = Worker(claim(engine, stream), tools)
    try:
        yield worker
    finally:
        worker.close()
        worker.join(20)
        assert not worker.is_alive


def looked(engine: Engine, stream: Stream) -> int:
    pulse = get(engine, stream).pulse
    return pulse.looked if pulse else 0


def test_a_target_that_is_down_gets_all_when_it_is_back(
    engine: Engine, listed: WatchList, passer: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postman, "_LONGEST", 1.0)
    (tmp_path / "passer.mp4").write_bytes(passer)
    web, told = Web(), list[Parcel]()
    hook = f"http://127.0.0.1:{web.port}/alerts"
    around = surroundings(hub=engine.surroundings.hub)
    post = Postman(engine.stores, around, Limits(), owner="faults")

    def put_parcels(unit: Any, parcels: tuple[Parcel, ...]) -> None:
        post.put(unit, parcels)
        told.extend(parcel for parcel in parcels if parcel.target == hook)

    stream = put(
        engine, listed, "down", f"{(tmp_path / 'passer.mp4').as_uri()}?loop=1", options=replace(OFTEN, targets=(hook,))
    )
    tools = replace(engine.watching(), put=put_parcels, wake=post.wake)
    web.stop()
    post.open()
    try:
        with watched(engine, stream, tools) as worker:
            until(lambda: len(told) >= 3)
            before = looked(engine, stream)
            until(lambda: looked(engine, stream) > before)  # the camera goes on
            assert web.posts == []
            web.start()
            until(lambda: web.posts)
            web.stop()  # and once more, in the middle of it
            until(lambda: len(told) >= 6)
            web.start()
            stop(engine, stream)
            worker.poke()
            until(lambda: get(engine, stream).is_over)
        until(lambda: {headers["webhook-id"] for _, headers, _ in web.posts} == {parcel.id for parcel in told})
    finally:
        post.close()
        web.stop()
        around.clients.close()
    arrived = dict.fromkeys((headers["webhook-id"], body) for _, headers, body in web.posts)  # some may come twice
    assert list(arrived) == [(parcel.id, parcel.body) for parcel in told]


@pytest.fixture
def camera(passer: bytes) -> Iterator[Camera]:
    with Camera(passer, user=("joe", "s3cret")) as made:
        yield made


@pytest.fixture
def tools(engine: Engine) -> Tools:
    """Those of the engine, with less patience."""
    opener = partial(open_camera, stores=engine.stores, services=Services(silence=1.0))
    return replace(engine.watching(), open_camera=opener)


def address(camera: Camera, password: str = "s3cret") -> str:
    return camera.url.replace("//", f"//joe:{password}@")


def test_a_camera_goes_and_comes_back_and_alerts_go_on(
    engine: Engine, listed: WatchList, camera: Camera, tools: Tools, photos: Path
) -> None:
    stream = put(engine, listed, "faulty", address(camera), options=OFTEN)

    def message(words: str) -> None:
        until(lambda: words in get(engine, stream).message)
        assert "s3cret" not in get(engine, stream).message
        assert get(engine, stream).status == "RUNNING"

    def another() -> None:
        """One more alert, which begins from now on."""
        before = {alert.id for alert in alerts(engine, stream)}
        until(lambda: {alert.id for alert in alerts(engine, stream)} - before)
        until(lambda: get(engine, stream).message == "")

    with watched(engine, stream, tools):
        another()
        camera.stop()
        message("nothing listens there")
        camera.start()
        another()
        camera.stalled.set()
        message("stalled")
        camera.stalled.clear()
        another()
        camera.loss = 0.1
        another()
        camera.loss = 0.0
        small = {"size": (480, 270)}
        parts = (filming.passing(photos / "obama2.jpg", 1.5, **small), filming.empty(1.5, **small))
        camera.show(filming.film(itertools.chain(*parts)))
        another()
        assert get(engine, stream).pulse.reconnects >= 2


def test_a_wrong_password_is_told_without_it_and_mended_at_the_camera(
    engine: Engine, listed: WatchList, camera: Camera, tools: Tools, caplog: pytest.LogCaptureFixture
) -> None:
    stream = put(engine, listed, "locked", address(camera, "wr0ng"), options=OFTEN)
    with watched(engine, stream, tools):
        until(lambda: "the camera refused the name or the password" in get(engine, stream).message)
        told = get(engine, stream)
        assert told.status == "STARTING"
        assert "wr0ng" not in f"{told.message} {told.pulse!r} {caplog.text}"
        camera.user = ("joe", "wr0ng")
        until(lambda: alerts(engine, stream))
        until(lambda: get(engine, stream).message == "")
        assert get(engine, stream).status == "RUNNING"


def test_a_server_that_is_killed_goes_on_with_its_streams_and_visits(
    start_own_server: Callable[..., Any], photos: Path, tmp_path: Path
) -> None:
    home, film = tmp_path / "home", tmp_path / "stays.mp4"
    parts = (filming.passing(photos / "obama2.jpg", 8, still=True), filming.empty(4))
    film.write_bytes(filming.film(itertools.chain(*parts)))
    server = start_own_server(home, OVERT_PRELOAD="true")
    client = server.client()
    served.enrol(client, photos, "obama")
    served.create(client, home, "gate", f"{film.as_uri()}?loop=1", quiet=3.0)
    client.start_stream_processor(Name="gate")
    (first,) = until(lambda: served.alerts(home, "gate"))
    assert first.end is None
    os.kill(server.process.pid, signal.SIGKILL)
    assert server.process.wait(timeout=15) == -signal.SIGKILL
    assert [alert.id for alert in served.alerts(home, "gate")] == [first.id]
    client = start_own_server(home, OVERT_PRELOAD="true").client()
    until(lambda: client.describe_stream_processor(Name="gate")["Status"] == "RUNNING")
    again, second, *_ = until(lambda: len(found := served.alerts(home, "gate")) > 1 and found)
    assert again.id == first.id  # it was theirs all along, until they had left
    assert again.end is not None
    assert second.start >= again.end
