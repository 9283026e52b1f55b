# SPDX-License-Identifier: Apache-2.0
"""The worker program that plays videos inside a process that can do nothing else; the file comes over its pipes.

`main` loads the codecs, confines the process and then answers until the pipes close. It has no file: whatever FFmpeg
reads, it asks the server for, which knows one object only. `video` is the other end of the pipes.
"""

from __future__ import annotations

import functools
import io
import json
import math
import os
import sys
import time
from collections.abc import Iterator
from typing import BinaryIO, cast

import av
import av.audio.codeccontext
import av.subtitles.codeccontext  # these two and the next are loaded late, which the filter would refuse
import av.subtitles.stream
import numpy as np
from av.video.plane import VideoPlane

from overt.media import confine, pipes
from overt.media.frames import ANSWER, BAD, BUSY, END, FRAMES, LENGTH, MOMENT, NEED, OPEN, PIXELS, PLAY, TRY, WORDS
from overt.media.reel import Reel, Shown, UnplayableError

_CPU_SECONDS = 8 * 3600
"""Ends a worker that spins after its server is gone; the longest film takes less."""
_PULSE_SECONDS = 1.0


def main(memory: int) -> None:
    """Load, confine, announce, serve. Args: memory: bytes of address space this process may use."""
    _warm()
    import resource  # noqa: PLC0415 - absent on Windows

    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    confine.limit(memory)
    pipes.say(WORDS, confine.confine())
    player = _Player()
    while (head := pipes.read(PLAY.size)) is not None:
        try:
            player.answer(head)
        except UnplayableError as error:
            pipes.say(BAD, str(error))
        except MemoryError:
            pipes.say(BAD, "playing it needs more memory than a video may have")
        except Exception as error:  # noqa: BLE001 - a codec may raise anything at all on hostile bytes
            pipes.say(BAD, f"it cannot be decoded: {str(error) or type(error).__name__}")


class _Player:
    """One file, and the stretch of it that is being played."""

    def __init__(self) -> None:
        self._reel: Reel | None = None
        self._shown: Iterator[Shown] = iter(())
        self._said = time.monotonic()

    def answer(self, request: bytearray) -> None:
        """Do what a PLAY asks. Raises: UnplayableError; whatever a codec raises."""
        kind, size, start, end, rate, width, height, loudness = PLAY.unpack(request)
        if kind == TRY:
            pipes.say(WORDS, "\n".join(confine.attempts()))
        elif kind == OPEN:
            self._reel = Reel(lambda: cast("BinaryIO", FarFile(size)), self._pulse)
            pipes.say(WORDS, json.dumps(self._reel.footage()))
        elif self._reel is not None:
            if kind == FRAMES:
                self._shown = self._reel.frames(start, end, rate, (width, height), loudness=loudness)
            shown = next(self._shown, None)
            if shown is None:
                pipes.write(ANSWER.pack(END, 0, 0, 0))
            else:
                _send(shown)
            self._said = time.monotonic()

    def _pulse(self) -> None:
        """Tell the server now and then that what it waits for is being worked on."""
        now = time.monotonic()
        if now - self._said > _PULSE_SECONDS:
            self._said = now
            pipes.write(ANSWER.pack(BUSY, 0, 0, 0))


class FarFile(io.RawIOBase):
    """The server's file. Args: size: its bytes."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go there; nothing is asked of the server yet."""
        self._at = max(0, offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence])
        return self._at

    def read(self, size: int = -1) -> bytes:
        """The bytes from here, as the server has them; ends the process when the server has gone."""
        count = min(max(0, self._size - self._at), size if size >= 0 else self._size)
        if count == 0:
            return b""
        pipes.write(ANSWER.pack(NEED, count, 0, self._at))
        head = pipes.read(LENGTH.size)
        data = None if head is None else pipes.read(LENGTH.unpack(head)[0])
        if data is None:
            os._exit(0)  # the server has gone
        self._at += len(data)
        return bytes(data)


def _send(shown: Shown) -> None:
    frame = shown.frame
    plane = frame.planes[0]
    stride = plane.line_size
    rows = np.frombuffer(_bytes(plane), np.uint8).reshape(-1, stride)[: frame.height, : frame.width * 3]
    pipes.write(
        ANSWER.pack(PIXELS, frame.width, frame.height, rows.size)
        + MOMENT.pack(shown.time, math.nan if shown.loudness is None else shown.loudness)
    )
    pipes.write_rows(rows.reshape(frame.height, frame.width, 3))


def _bytes(plane: VideoPlane) -> memoryview:
    return memoryview(cast("bytes", plane))  # it has the buffer protocol, of which its types do not tell


def _warm() -> None:
    """Play a film of each container, so that what Python loads late is loaded before files are out of reach.

    FFmpeg itself loads nothing late: its codecs are part of one library.
    """
    for kind in ("mp4", "matroska", "avi"):
        raw = _tiny(kind)
        reel = Reel(functools.partial(io.BytesIO, raw))
        json.dumps(reel.footage())
        for shown in reel.frames(0.05, math.inf, 0.0, (32, 32), loudness=True):
            _ = np.frombuffer(_bytes(shown.frame.planes[0]), np.uint8)
    try:
        Reel(functools.partial(io.BytesIO, raw[:40]))
    except UnplayableError as error:
        str(error).encode()


def _tiny(kind: str) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=kind) as container:
        stream = container.add_stream("mpeg4", 25, options={"threads": "1"})
        stream.width = stream.height = 64
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(stream.encode(None))
    return file.getvalue()


if __name__ == "__main__":
    main(int(sys.argv[1]))
