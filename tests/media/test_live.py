# SPDX-License-Identifier: Apache-2.0
"""Cameras as they really are: slow readers, switched off, stalled, lossy, changed, and eight at once."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from certificate import certificate
from films import film, number
from rtsp_server import Camera as Server

from overt.media import live
from overt.media.confine import Reach
from overt.media.live import Camera, LiveFrame, State
from overt.media.plan import Plan
from overt.media.sources.base import Feed, Services, SourceError
from overt.testing.sources import PATIENCE, until

QUICK = Services(silence=1.0)


@pytest.fixture(scope="module")
def clip() -> bytes:
    """Four seconds, with a key frame each half."""
    return film(count=100)


@pytest.fixture
def server(clip: bytes) -> Iterator[Server]:
    with Server(clip) as made:
        yield made


def taken(camera: Camera, count: int = 1) -> list[LiveFrame]:
    """So many frames, all of which must come."""
    frames = []
    for _ in range(count):
        frame = camera.newest(PATIENCE)
        assert frame is not None, camera.health
        frames.append(frame)
    return frames


def rise(frames: list[LiveFrame]) -> bool:
    return all(earlier.time < later.time for earlier, later in itertools.pairwise(frames))


def test_frames_come_at_the_wanted_rate(server: Server) -> None:
    with Camera(server.url, rate=5.0) as camera:
        frames = taken(camera, 8)
        assert camera.health.state is State.LIVE
        assert until(lambda: 15 < camera.health.frame_rate < 40), camera.health  # of the camera, not of what is wanted
    assert rise(frames)
    assert frames[-1].time - frames[0].time == pytest.approx(1.4, abs=0.3)
    steps = [
        (number(later.image.pixels) - number(earlier.image.pixels)) % 100
        for earlier, later in itertools.pairwise(frames)
    ]
    assert all(4 <= step <= 10 for step in steps), steps
    assert frames[0].fragment is None


def test_a_reader_who_is_late_gets_the_newest_and_the_rest_is_counted(server: Server) -> None:
    with Camera(server.url, rate=10.0) as camera:
        taken(camera)
        assert until(lambda: camera.health.dropped >= 15)
        (frame,) = taken(camera)
        assert dt.datetime.now(dt.UTC) - frame.wall < dt.timedelta(seconds=1)
        assert camera.health.last is not None
        assert camera.health.lag < 1
        (following,) = taken(camera)
        assert following.time - frame.time < 1


def test_it_comes_back_when_the_camera_does_and_its_times_rise(server: Server) -> None:
    with Camera(server.url, services=QUICK) as camera:
        frames = taken(camera, 2)
        pid = camera.pid
        server.stop()
        assert until(lambda: "nothing listens there" in camera.health.reason), camera.health
        assert camera.health.state in (State.WAITING, State.CONNECTING)
        server.start()
        assert until(lambda: camera.health.state is State.LIVE), camera.health
        frames += taken(camera, 3)
        assert camera.health.reconnects >= 1
        assert camera.pid == pid  # the worker is good for more than one connection
    assert rise(frames)
    passed = (frames[-1].wall - frames[0].wall).total_seconds()
    assert frames[-1].time - frames[0].time == pytest.approx(passed, abs=1.0)


def test_a_camera_that_stalls_is_told_and_connected_to_again(server: Server) -> None:
    with Camera(server.url, services=QUICK) as camera:
        taken(camera)
        server.stalled.set()
        assert until(lambda: "stalled: nothing came for 1 s" in camera.health.reason), camera.health
        server.stalled.clear()
        assert until(lambda: camera.health.state is State.LIVE), camera.health
        taken(camera, 2)
    assert server.clients >= 2


def test_a_password_is_used_and_shown_nowhere(clip: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with Server(clip, user=("joe", "s3cret")) as server:
        with Camera(server.url.replace("//", "//joe:s3cret@")) as camera:
            taken(camera)
            shown = f"{camera!r} {camera.health!r} {[thread.name for thread in threading.enumerate()]}"
            told = Path(f"/proc/{camera.pid}/cmdline").read_bytes() + Path(f"/proc/{camera.pid}/environ").read_bytes()
        with Camera(server.url.replace("//", "//joe:wr0ng@")) as camera:
            assert until(lambda: camera.health.reconnects >= 1), camera.health
            assert camera.health.reason == "the camera refused the name or the password"
            shown += f"{camera!r} {camera.health!r}"
    for secret in ("s3cret", "wr0ng", "joe"):
        assert secret not in shown + caplog.text
        assert secret.encode() not in told


def test_a_tenth_of_the_packets_may_be_lost() -> None:
    with Server(film(count=100, size=(1280, 720))) as server:
        server.loss = 0.1
        with Camera(server.url, rate=10.0, side=128) as camera:
            frames = taken(camera, 20)
            assert camera.health.reconnects == 0, camera.health
    assert rise(frames)


def test_a_picture_of_another_size_or_codec_is_followed(server: Server) -> None:
    with Camera(server.url) as camera:
        taken(camera)
        server.show(film(count=50, size=(64, 128), first=200))
        assert until(lambda: taken(camera)[0].image.height == 128), camera.health
        server.show(film(codec="libx265", count=50, size=(320, 160), first=300))
        assert until(lambda: taken(camera)[0].image.width == 320), camera.health
        assert 300 <= number(taken(camera)[0].image.pixels) < 350


def test_key_frames_only(server: Server) -> None:
    with Camera(server.url, rate=None, keyframes_only=True) as camera:
        frames = taken(camera, 4)
        assert camera.health.decoded < 10
    assert {number(frame.image.pixels) % 12 for frame in frames} <= {0}


def test_over_tls(clip: bytes, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path))
    server = Server(clip, user=("joe", "s3cret"), context=context)
    with server, Camera(server.url.replace("//", "//joe:s3cret@")) as camera:
        assert rise(taken(camera, 3))


def test_a_worker_that_is_killed_is_replaced(server: Server) -> None:
    with Camera(server.url) as camera:
        frames = taken(camera, 2)
        pid = camera.pid
        assert pid is not None
        assert camera.resident > 1 << 20
        os.kill(pid, signal.SIGKILL)
        assert until(lambda: camera.pid not in (None, pid) and camera.health.state is State.LIVE), camera.health
        frames += taken(camera, 2)
        assert "its reader ended" in camera.health.reason
    assert rise(frames)


def test_workers_end_with_their_server(server: Server) -> None:
    program = (
        "import sys, time\nfrom overt.media.live import Camera\ncamera = Camera(sys.argv[1])\n"
        "print(bool(camera.newest(60)), camera.pid, flush=True)\ntime.sleep(600)"
    )
    process = subprocess.Popen([sys.executable, "-c", program, server.url], stdout=subprocess.PIPE, text=True)
    came, pid = process.stdout.readline().split()
    assert came == "True"
    process.kill()
    process.wait()
    process.stdout.close()
    assert until(lambda: not Path(f"/proc/{pid}").exists() or "State:\tZ" in Path(f"/proc/{pid}/status").read_text())


def test_a_file_is_played_once_or_for_ever(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(film(count=25))
    with Camera(f"file://{tmp_path}/film.mp4", rate=None) as camera:
        frames = list(camera.frames())
        health = camera.health
    assert health.state is State.CLOSED
    assert health.reason == "the stream ended"
    assert (health.decoded, health.reconnects) == (25, 0)
    assert len(frames) + health.dropped == 25
    with Camera(f"file://{tmp_path}/film.mp4?loop=1") as camera:
        frames = taken(camera, 12)
    assert rise(frames)
    assert frames[-1].time > 2


def test_a_film_on_its_side_is_turned_upright(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(film(count=5, degrees=90))
    with Camera(f"file://{tmp_path}/film.mp4?loop=1", side=64) as camera:
        (frame,) = taken(camera)
    assert (frame.image.width, frame.image.height) == (32, 64)


def test_eight_cameras_at_once(clip: bytes) -> None:
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(Server(clip))
        cameras = [stack.enter_context(Camera(server.url, rate=5.0, side=64)) for _ in range(8)]
        for camera in cameras:
            assert rise(taken(camera, 5))
        assert len({camera.pid for camera in cameras}) == 8
    assert all(camera.health.state is State.CLOSED for camera in cameras)


def test_closing_does_not_wait_for_the_camera(server: Server) -> None:
    server.stalled.set()
    camera = Camera(server.url, services=Services(silence=600.0))
    assert until(lambda: server.clients)
    began = time.monotonic()
    camera.close()
    assert time.monotonic() - began < 30
    camera.close()
    assert list(camera.frames()) == []
    assert camera.pid is None
    assert camera.resident == 0
    server.stalled.clear()


def test_waiting_for_a_frame_may_end_without_one(server: Server) -> None:
    server.stalled.set()
    with Camera(server.url) as camera:
        assert camera.newest(0.1) is None
        assert camera.health.state is State.CONNECTING
    server.stalled.clear()


@pytest.mark.parametrize("wanted", [{"rate": 0.0}, {"rate": -1.0}, {"rate": float("inf")}, {"side": 0}])
def test_what_cannot_be_wanted_is_refused(wanted: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="no way to watch"):
        Camera("rtsp://127.0.0.1/cam", **wanted)
    with pytest.raises(SourceError, match="no source reads"):
        Camera("gopher://127.0.0.1/cam")


class Broken:
    """A source whose feed fails in a way of its own."""

    label, secrets = "broken", ("s3cret",)

    def __init__(self, error: Exception) -> None:
        self.error = error

    def connect(self) -> Feed:
        feed = Feed(Plan(Reach.NOTHING, "broken"))
        feed.read = self.read  # type: ignore[method-assign]
        return feed

    def read(self, number: int, offset: int, length: int) -> bytes:
        raise self.error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (SourceError("it broke\noff at s3cret"), "it broke off at ***"),
        (ZeroDivisionError("s3cret"), "the source failed: ZeroDivisionError"),
    ],
)
def test_a_source_that_fails_is_told_and_tried_again(error: Exception, reason: str) -> None:
    with Camera(Broken(error)) as camera:
        assert until(lambda: camera.health.reconnects >= 2), camera.health
        assert camera.health.reason == reason


def test_times_follow_the_stream_and_lag_is_what_is_later_than_the_promptest(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [50.0]
    monkeypatch.setattr(live.time, "monotonic", lambda: now[0])
    clock = live._Clock()
    clock.begin()
    assert clock.read(0.0) == (0.0, 0.0)
    now[0] = 51.0
    assert clock.read(1.0) == pytest.approx((1.0, 0.0), abs=0.001)
    now[0] = 54.0
    assert clock.read(2.0) == pytest.approx((2.0, 2.0), abs=0.001)
    now[0] = 54.1
    assert clock.read(4.1) == pytest.approx((4.1, 0.0), abs=0.001)
    clock.begin()
    now[0] = 64.0
    assert clock.read(0.5) == pytest.approx((14.0, 0.0), abs=0.001)
    clock.begin()
    assert clock.read(0.0)[0] > 14.0
