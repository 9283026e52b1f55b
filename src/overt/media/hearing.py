# SPDX-License-Identifier: Apache-2.0
"""How loud a film's sound is between two moments. Runs inside the worker that plays videos; knows no pixel."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.container import InputContainer

Powers = npt.NDArray[np.float64]

_FULL_SCALE = {"u8": 128.0, "s16": 32768.0, "s32": 2.0**31, "flt": 1.0, "dbl": 1.0}
"""The value of a full-scale sample by FFmpeg's name of the format, whose planar kinds end in p."""


class Ear:
    """Listens to the best sound track of an opened film.

    Args: container: the film, opened for this ear alone. origin: seconds of the file's clock at the film's start.
    """

    def __init__(self, container: InputContainer, origin: float) -> None:
        self._container = container
        self._stream = container.streams.best("audio")
        self._origin = origin
        self._pieces: Iterator[tuple[float, Powers]] = iter(())
        self._rest: tuple[float, Powers] | None = None
        if self._stream is not None:
            self._stream.codec_context.thread_count = 1

    def turn(self, time: float) -> None:
        """Listen from there on. Args: time: seconds from the film's start."""
        if self._stream is None or self._stream.time_base is None:
            return
        target = int((time + self._origin) / self._stream.time_base) - 1
        self._container.seek(target, stream=self._stream)
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

    def _heard(self) -> Iterator[tuple[float, Powers]]:
        """The start of each decoded frame in seconds and the power of each of its samples."""
        end = 0.0
        for packet in self._container.demux(self._stream):
            try:
                frames: list[Any] = packet.decode()
            except av.FFmpegError:  # a damaged piece of sound is a gap, and no reason to lose the pictures
                continue
            for frame in frames:
                powers = _powers(frame)
                if powers is None or not len(powers):
                    continue
                # FFmpeg tells the time of nearly every frame; one without follows the one before.
                start = end if frame.pts is None else float(frame.pts * frame.time_base) - self._origin
                end = start + len(powers) / frame.sample_rate
                yield start, powers


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
    return np.nan_to_num(np.square(values / full).mean(axis=0), posinf=1.0)
