# SPDX-License-Identifier: Apache-2.0
"""How loud a film's sound is between two moments. Runs inside the worker that plays videos; knows no pixel."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard

_PREROLL = 0.2
"""Seconds that a decoder needs ahead of what is right; codecs carry some sound over from packet to packet."""

Powers = npt.NDArray[np.float64]

_FULL_SCALE = {"u8": 128.0, "s16": 32768.0, "s32": 2.0**31, "flt": 1.0, "dbl": 1.0}
"""The value of a full-scale sample by FFmpeg's name of the format, whose planar kinds end in p."""


class Ear:
    """Listens to the best sound track of an opened film.

    Args: opener: opens the film for this ear alone. origin: seconds of the file's clock at the film's start.
    """

    def __init__(self, opener: Callable[[], InputContainer], origin: float) -> None:
        self._opener = opener
        self._origin = origin
        self._pieces: Iterator[tuple[float, Powers]] = iter(())
        self._rest: tuple[float, Powers] | None = None
        self._container = opener()
        self._load()

    def turn(self, time: float) -> None:
        """Listen from there on. Args: time: seconds from the film's start."""
        if self._stream is None:
            return
        if not self._seek(time - _PREROLL):
            self._container.close()
            self._container = self._opener()
            self._load()
        self._pieces = self._heard()
        self._rest = None

    def loudness(self, begin: float, until: float) -> float | None:
        """RMS over samples and channels in dB below full scale; call with moments that do not go back.

        Args: begin, until: seconds from the film's start.
        Returns: -inf for silence and where the track has nothing; None when there is no sound track.
        """
        if self._stream is None:
            return None
        rate = self._stream.codec_context.sample_rate
        energy, count = 0.0, 0
        while (piece := self._rest or next(self._pieces, None)) is not None:
            start, powers = piece
            first, last = (min(max(round((moment - start) * rate), 0), len(powers)) for moment in (begin, until))
            energy += float(powers[first:last].sum())
            count += last - first
            self._rest = (start + last / rate, powers[last:]) if last < len(powers) else None
            if self._rest is not None:
                break
        return 10 * math.log10(energy / count) if energy > 0 else -math.inf

    def _load(self) -> None:
        best = self._container.streams.best("audio")
        self._stream = best if isinstance(best, AudioStream) and best.codec_context is not None else None
        if self._stream is not None:
            self._stream.codec_context.thread_count = 1
            for other in self._container.streams:
                if other is not self._stream:
                    other.discard = Discard.all

    def _seek(self, time: float) -> bool:
        if self._stream is None or not self._stream.time_base or time <= 0:
            return False
        try:
            self._container.seek(int((time + self._origin) / self._stream.time_base), stream=self._stream)
        except av.FFmpegError:
            return False
        return True

    def _heard(self) -> Iterator[tuple[float, Powers]]:
        """The start of each decoded frame in seconds and the power of each of its samples."""
        stream, end = self._stream, 0.0
        if stream is None:
            return
        for packet in self._packets():
            try:
                frames = stream.codec_context.decode(packet)
            except av.FFmpegError:  # a damaged piece of sound is a gap, and no reason to lose the pictures
                continue
            for frame in frames:
                powers = _powers(frame)
                if powers is None or not len(powers):
                    continue
                # FFmpeg tells the time of nearly every frame; one without follows the one before.
                ticks, base = frame.pts, frame.time_base
                start = end if ticks is None or base is None else float(ticks * base) - self._origin
                end = start + len(powers) / frame.sample_rate
                yield start, powers

    def _packets(self) -> Iterator[Packet[AudioStream]]:
        if self._stream is not None:
            with contextlib.suppress(av.FFmpegError):  # the file ends in the middle of something
                yield from self._container.demux(self._stream)


def _powers(frame: AudioFrame) -> Powers | None:
    """Mean over channels of each sample's square, 1 = full scale; None for a format we do not know."""
    name = frame.format.name
    planar = name.endswith("p")
    full = _FULL_SCALE.get(name.removesuffix("p"))
    if full is None:
        return None
    values = frame.to_ndarray().astype(np.float64)
    values = values if planar else values.reshape(-1, max(1, frame.layout.nb_channels)).T
    if name.startswith("u8"):
        values = values - full
    powers: Powers = np.nan_to_num(np.square(values / full).mean(axis=0), posinf=1.0)
    return powers
