# SPDX-License-Identifier: Apache-2.0
"""The worker program that watches live streams, inside a process that can do little else; `live` is its other end.

`main` loads the codecs, learns what to watch, confines the process accordingly and then sends frames until it is told
to watch anew or the pipes close. It loads no numpy, since there is one such process for each camera.
"""

from __future__ import annotations

import io
import json
import math
import os
import sys
import time
from typing import BinaryIO, cast

import av
import av.audio.codeccontext
import av.subtitles.codeccontext  # these two and the next are loaded late, which the filter would refuse
import av.subtitles.stream
from av.video.frame import VideoFrame

from overt.media import confine, pipes
from overt.media.broadcast import Broadcast, Sight, UnwatchableError
from overt.media.confine import Reach
from overt.media.frames import (
    ANSWER,
    BAD,
    BUSY,
    END,
    FOLLOW,
    LENGTH,
    NEED,
    PIXELS,
    REFUSED,
    SIGHT,
    TRY,
    WATCH,
    WORDS,
)
from overt.media.plan import Order, Plan

_CPU_SECONDS = 90 * 86400
"""Ends a worker whose codec spins after its server is gone; any other ends when it next writes."""
_PULSE_SECONDS = 0.5
_FILES = 12
"""Descriptors of a worker that connects or holds a device."""
_MOST = 0xFFFFFFFF
_ROWS = 512
"""Written at once; the system takes 1024."""


def main(memory: int) -> None:
    """Load, confine, announce, serve. Args: memory: bytes of address space this process may use."""
    _warm()
    asked = _asked()
    if asked is None:
        return
    kind, order = asked
    reach = order.plan.reach
    broadcast = _broadcast(order)
    failed = ""
    if reach is Reach.DEVICE:  # there is no opening it afterwards
        try:
            broadcast.open()
        except UnwatchableError as error:
            failed = str(error)
    import resource  # noqa: PLC0415 - absent on Windows

    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    confine.limit(memory, 4 if reach is Reach.NOTHING else _FILES)
    pipes.say(WORDS, confine.confine(reach))
    while True:
        if kind == TRY:
            pipes.say(WORDS, "\n".join(confine.attempts()))
        elif failed:
            pipes.say(BAD, failed)
        else:
            _watch(broadcast)
        asked = _asked()
        if asked is None:
            return
        kind, order = asked
        broadcast = _broadcast(order)


def _asked() -> tuple[bytes, Order] | None:
    """What the server wants next; None when it has gone."""
    head = pipes.read(WATCH.size)
    if head is None:
        return None
    kind, length = WATCH.unpack(head)
    raw = pipes.read(length)
    return None if raw is None else (kind, Order.read(raw))


def _broadcast(order: Order) -> Broadcast:
    pulse = _Pulse()
    made = Broadcast(order, lambda: cast("BinaryIO", FarFile(0, order.plan.name, order.plan.size)), _follow, pulse.beat)
    pulse.broadcast = made
    return made


def _watch(broadcast: Broadcast) -> None:
    try:
        for sight in broadcast.sights():
            _send(sight, broadcast)
        pipes.write(ANSWER.pack(END, broadcast.damaged & _MOST, 0, broadcast.decoded))
    except BrokenPipeError:
        os._exit(0)  # the server has gone
    except UnwatchableError as error:
        pipes.say(BAD, str(error))
    except MemoryError:
        pipes.say(BAD, "watching it needs more memory than a stream may have")
    except Exception as error:  # noqa: BLE001 - a codec may raise anything at all on hostile bytes
        pipes.say(BAD, f"it cannot be decoded: {type(error).__name__}")
    finally:
        broadcast.close()


class _Pulse:
    """Tells the server now and then that the stream is alive, and how many frames came."""

    def __init__(self) -> None:
        self.broadcast: Broadcast | None = None
        self._said = time.monotonic()

    def beat(self) -> None:
        now = time.monotonic()
        if self.broadcast is not None and now - self._said > _PULSE_SECONDS:
            self._said = now
            pipes.write(ANSWER.pack(BUSY, self.broadcast.damaged & _MOST, 0, self.broadcast.decoded))


class FarFile(io.RawIOBase):
    """A file, or a stream without end, that the server has. Args: number: 0 = the one to watch. size: None = no end."""

    def __init__(self, number: int, name: str, size: int | None = None) -> None:
        super().__init__()
        self.name = name
        self._number = number
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Where the size is known."""
        return self._size is not None

    def tell(self) -> int:
        """Where the next read begins."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go there; nothing is asked of the server yet."""
        if self._size is None:
            msg = "a stream"
            raise io.UnsupportedOperation(msg)
        self._at = max(0, offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence])
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Some bytes from here, none at the end; ends the process when the server has gone. Raises: OSError."""
        if size <= 0:
            return b""
        pipes.write(ANSWER.pack(NEED, size, self._number, self._at))
        count = _length()
        if count == REFUSED:
            msg = "the stream broke off"
            raise OSError(msg)
        data = pipes.read(count)
        if data is None:
            os._exit(0)  # the server has gone
        self._at += len(data)
        return bytes(data)


def _follow(url: str) -> BinaryIO:
    """What a playlist names, if the server gives it. Raises: OSError."""
    raw = url.encode()
    pipes.write(ANSWER.pack(FOLLOW, 0, 0, len(raw)) + raw)
    number = _length()
    if number == REFUSED:
        msg = "the playlist names what may not be opened"
        raise OSError(msg)
    return cast("BinaryIO", FarFile(number, url))


def _length() -> int:
    head = pipes.read(LENGTH.size)
    if head is None:
        os._exit(0)  # the server has gone
    return int(LENGTH.unpack(head)[0])


def _send(sight: Sight, broadcast: Broadcast) -> None:
    frame = sight.frame
    width = frame.width * 3
    pipes.write(
        ANSWER.pack(PIXELS, frame.width, frame.height, width * frame.height)
        + SIGHT.pack(sight.time, sight.told, broadcast.decoded, broadcast.damaged, sight.degrees)
    )
    for rows in _rows(frame):
        pipes.write_all(rows)


def _rows(frame: VideoFrame) -> list[list[memoryview]]:
    """An RGB frame's rows without the filling behind each, as many together as may be written at once."""
    plane = frame.planes[0]
    data = memoryview(cast("bytes", plane))  # it has the buffer protocol, of which its types do not tell
    width, stride = frame.width * 3, plane.line_size
    if width == stride:
        return [[data[: width * frame.height]]]
    rows = [data[top : top + width] for top in range(0, frame.height * stride, stride)]
    return [rows[at : at + _ROWS] for at in range(0, len(rows), _ROWS)]


def _warm() -> None:
    """Watch a tiny film and fail at another, so that what Python loads late is loaded before files are out of reach."""
    file = io.BytesIO()
    with av.open(file, "w", format="mpegts") as container:
        stream = container.add_stream("mpeg4", 25, options={"threads": "1"})
        stream.width = stream.height = 64
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(stream.encode(None))
    for keyframes_only in (False, True):
        order = Order(Plan(Reach.NOTHING, "warm", size=1, is_paced=True), 0.0, 32, keyframes_only)
        order = Order.read(order.packed())
        broadcast = Broadcast(order, lambda: io.BytesIO(file.getvalue()), _nothing)
        for sight in broadcast.sights():
            _rows(sight.frame)
    for broken in (Plan(Reach.NOTHING, "warm"), Plan(Reach.NETWORK, "tcp://127.0.0.1:1", "mpegts")):
        try:
            Broadcast(Order(broken, 0.0, 0, keyframes_only=False), lambda: io.BytesIO(b"none"), _nothing).open()
        except UnwatchableError as error:
            json.dumps(str(error) + str(math.nan))


def _nothing(url: str) -> BinaryIO:
    raise OSError(url)


if __name__ == "__main__":
    main(int(sys.argv[1]))
