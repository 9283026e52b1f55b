# SPDX-License-Identifier: Apache-2.0
"""The worker program that puts the sound of one file beside the pictures of another, and can do nothing else.

Packets are copied, not decoded. It has three open files, two to read and one to write; `splicing` starts it.
"""

from __future__ import annotations

import heapq
import io
import os
import sys
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import av
import av.audio.codeccontext
import av.subtitles.codeccontext  # these two and the next are loaded late, which the filter would refuse
import av.subtitles.stream
import numpy as np

from overt.media import confine

if TYPE_CHECKING:
    from av.packet import Packet

HELD = frozenset({"aac", "mp3", "ac3", "eac3", "opus", "flac", "alac"})
"""Sound that MP4 can hold and players play, by FFmpeg's name of the codec."""
_CPU_SECONDS = 3600
_READ = {"protocol_whitelist": "", "max_streams": "64"}  # nothing but the file object we give
_WRITTEN = {"movflags": "+faststart"}


def main(memory: int, heard: int, seen: int, written: int) -> None:
    """Load, confine, splice. Args: memory: bytes of address space. heard, seen, written: descriptors of the files."""
    _warm()
    import resource  # noqa: PLC0415 - absent on Windows

    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    confine.limit(memory, writes=True)
    confine.confine()
    try:
        splice(heard, seen, written)
    except Exception as error:  # noqa: BLE001 - a file may make FFmpeg raise anything at all
        os.write(2, f"{str(error) or type(error).__name__}\n".encode())
        os._exit(1)
    os._exit(0)


def splice(heard: int, seen: int, written: int) -> None:
    """Write an MP4 file of the pictures seen and the sound heard. Args: descriptors. Raises: what FFmpeg raises."""
    with (
        av.open(_file(heard), "r", options=_READ, metadata_errors="replace") as sounds,
        av.open(_file(seen), "r", options=_READ) as pictures,
        av.open(_file(written), "w", format="mp4", options=_WRITTEN, io_open=lambda *_: _file(written)) as target,
    ):
        video, sound = sounds.streams.video[0], best(sounds)
        beginning = float((video.start_time or 0) * (video.time_base or Fraction(1, 1000)))
        copies = [target.add_stream_from_template(stream) for stream in (pictures.streams.video[0], sound)]
        shown = ((_seconds(packet), 0, packet) for packet in pictures.demux(video=0) if packet.dts is not None)
        said = _from(sounds.demux(sound), beginning)
        for _, which, packet in heapq.merge(shown, said, key=lambda item: item[:2]):
            packet.stream = copies[which]
            target.mux(packet)


def best(container: Any) -> Any:
    """The sound of a container that would be played. Raises: ValueError when MP4 can hold none of it."""
    held = [sound for sound in container.streams.audio if sound.codec_context and sound.codec_context.name in _names()]
    if not held:
        msg = "MP4 can hold none of its sound"
        raise ValueError(msg)
    likely = container.streams.best("audio")
    return next((sound for sound in held if sound is likely), held[0])


def _names() -> frozenset[str]:
    return HELD | {"mp3float"}  # FFmpeg's other name of the decoder


def _from(packets: Iterator[Packet[Any]], beginning: float) -> Iterator[tuple[float, int, Packet[Any]]]:
    """Packets with times from the first picture on."""
    for packet in packets:
        if packet.dts is None or packet.pts is None or packet.time_base is None:
            continue
        shift = round(beginning / packet.time_base)
        packet.pts -= shift
        packet.dts -= shift
        if packet.pts >= 0:
            yield _seconds(packet), 1, packet


def _seconds(packet: Packet[Any]) -> float:
    return float((packet.dts or 0) * (packet.time_base or 0))


class _File(io.RawIOBase):
    """An open file at a place of its own, as two may read and write the same one."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._at = 0

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_END:
            offset += os.lseek(self._descriptor, 0, os.SEEK_END)
        elif whence == os.SEEK_CUR:
            offset += self._at
        self._at = offset
        return offset

    def read(self, size: int = -1) -> bytes:
        os.lseek(self._descriptor, self._at, os.SEEK_SET)
        data = os.read(self._descriptor, size if size >= 0 else 1 << 20)
        self._at += len(data)
        return data

    def write(self, data: Any) -> int:
        os.lseek(self._descriptor, self._at, os.SEEK_SET)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        self._at += len(data)
        return len(data)


def _file(descriptor: int) -> BinaryIO:
    return cast("BinaryIO", _File(descriptor))


def _warm() -> None:
    """Splice a tiny film, so that what Python loads late is loaded before files are out of reach."""
    with tempfile.TemporaryFile() as heard, tempfile.TemporaryFile() as written:
        with av.open(_file(heard.fileno()), "w", format="matroska") as container:
            video = container.add_stream("mpeg4", 25, options={"threads": "1"})
            video.width = video.height = 64
            sound = container.add_stream("mp3", 44100)
            container.mux(video.encode(av.VideoFrame(64, 64, "yuv420p")))
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 1152), np.float32), "fltp", "mono")
            silence.sample_rate = 44100
            container.mux(sound.encode(silence))
            for stream in (video, sound):
                container.mux(stream.encode(None))
        splice(heard.fileno(), heard.fileno(), written.fileno())


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:5]))
