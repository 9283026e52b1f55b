# SPDX-License-Identifier: Apache-2.0
"""What every source of live pictures must do, as tests: subclass `SourceContract` and supply two fixtures.

`source` gives moving pictures for as long as a test lasts; `absent` is one of the same kind that has nothing to give.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from overt.media.live import Camera, State, tried
from overt.media.sources.base import Source, SourceError

PATIENCE = 60.0
"""Seconds that nothing should take."""


def until(holds: Callable[[], object], seconds: float = PATIENCE) -> bool:
    """Waits for something to hold. Returns: whether it did."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class SourceContract:
    """Inherit as `class TestMine(SourceContract)` in a test module that has the fixtures."""

    @pytest.fixture
    def source(self) -> Source:
        """A source that gives pictures."""
        raise NotImplementedError

    @pytest.fixture
    def absent(self) -> Source:
        """A source that gives none."""
        raise NotImplementedError

    def test_frames_come_and_their_times_rise(self, source: Source) -> None:
        with Camera(source, rate=None, side=64) as camera:
            frames = [camera.newest(PATIENCE) for _ in range(4)]
            health = camera.health
        shown = [frame for frame in frames if frame is not None]
        assert len(shown) == 4, health
        assert all(earlier.time < later.time for earlier, later in itertools.pairwise(shown))
        assert all(earlier.wall <= later.wall for earlier, later in itertools.pairwise(shown))
        assert abs(dt.datetime.now(dt.UTC) - shown[-1].wall) < dt.timedelta(seconds=PATIENCE)
        assert all(max(frame.image.width, frame.image.height) <= 64 for frame in shown)
        assert all(frame.image.pixels.dtype == np.uint8 for frame in shown)
        assert health.state is State.LIVE
        assert health.decoded >= 4

    def test_it_can_be_watched_again_and_again(self, source: Source) -> None:
        for _ in range(2):
            with Camera(source) as camera:
                assert camera.newest(PATIENCE) is not None, camera.health
        assert camera.health.state is State.CLOSED
        assert camera.newest() is None

    def test_closing_ends_threads_and_workers_at_once(self, source: Source) -> None:
        with Camera(source) as camera:
            assert camera.newest(PATIENCE) is not None, camera.health
            pid = camera.pid
        assert [thread for thread in threading.enumerate() if thread.name.startswith("camera")] == []
        assert pid is not None
        assert not Path(f"/proc/{pid}").exists()

    def test_its_worker_reaches_nothing_that_its_plan_does_not_name(self, source: Source) -> None:
        with contextlib.closing(source.connect()) as feed:
            reach = feed.plan.reach
        lines = tried(source)
        allowed = [line.partition(":")[0] for line in lines if not line.endswith("refused")]
        assert set(allowed) <= ({"make a socket"} if reach.value == "network" else set())

    def test_a_feed_is_closed_in_any_state(self, source: Source) -> None:
        feed = source.connect()
        feed.interrupt()
        feed.interrupt()
        feed.close()
        feed.close()

    def test_what_was_not_opened_cannot_be_read_or_followed(self, source: Source) -> None:
        with contextlib.closing(source.connect()) as feed:
            with contextlib.suppress(SourceError):
                assert feed.read(99, 0, 10) == b""
            for url in ("file:///etc/passwd", "concat:/etc/passwd|/etc/hosts", "/etc/passwd", "data:,x", "crypto+x:y"):
                with pytest.raises(SourceError, match="may not be opened"):
                    feed.follow(url)

    def test_what_gives_nothing_says_why_and_is_asked_again(self, absent: Source) -> None:
        with Camera(absent) as camera:
            assert until(lambda: camera.health.reconnects >= 2), camera.health
            health = camera.health
            shown = f"{camera!r} {health!r} {camera.label}"
        assert health.reason
        assert health.decoded == 0
        for secret in absent.secrets:
            assert secret not in shown
