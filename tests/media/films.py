# SPDX-License-Identifier: Apache-2.0
"""Short films whose frames carry their own number, sixteen blocks of black or white, so that a test can tell them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction

import av
import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.uint8]
SIZE = (128, 64)
RATE = 25
OPTIONS = {
    "libx264": {"preset": "ultrafast", "x264-params": "bframes=2:ref=3"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none:pools=1"},
    "libvpx": {"deadline": "realtime", "cpu-used": "8"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
    "libsvtav1": {"preset": "12", "svtav1-params": "lp=1"},
    "mpeg4": {"qscale": "2"},
}


def drawn(number: int, size: tuple[int, int] = SIZE) -> Rows:
    """A frame that shows a number: two rows of eight blocks, lowest bit first."""
    bits = np.array([number >> at & 1 for at in range(16)], np.uint8).reshape(2, 8) * 255
    rows = bits.repeat(size[1] // 2, 0).repeat(size[0] // 8, 1)
    return np.stack([rows] * 3, axis=2)


def number(pixels: Rows) -> int:
    """The number that a frame of any size shows."""
    height, width, _ = pixels.shape
    bits = [
        pixels[height // 4 + height // 2 * (at // 8), width * (2 * (at % 8) + 1) // 16, 1] > 127 for at in range(16)
    ]
    return sum(int(bit) << at for at, bit in enumerate(bits))


def film(
    kind: str = "mp4",
    codec: str = "libx264",
    *,
    count: int = 50,
    times: Sequence[float] | None = None,
    size: tuple[int, int] = SIZE,
    degrees: int = 0,
    sound: npt.NDArray[np.float32] | None = None,
    gop: int = 12,
    first: int = 0,
    options: dict[str, str] | None = None,
) -> bytes:
    """A film's bytes.

    Args: kind: FFmpeg's name of the container. times: of frames, in seconds; default: 25 a second. degrees: by which
    players turn it counterclockwise. sound: mono at 48 kHz, 1 = full scale. first: number of the first frame.
    """
    file = io.BytesIO()
    times = [at / RATE for at in range(count)] if times is None else times
    base = Fraction(1, RATE if kind == "avi" else 1000)
    with av.open(file, "w", format=kind, options=options or {}) as container:
        stream = container.add_stream(codec, RATE, options=OPTIONS[codec])
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = gop
        stream.codec_context.time_base = base
        stream.codec_context.thread_count = 1
        if degrees:
            stream.set_display_rotation(degrees)
        voice = None
        if sound is not None:
            voice = container.add_stream("pcm_s16le" if kind in ("mov", "matroska", "avi") else "aac", 48000)
            voice.layout = "mono"
            heard = av.AudioFrame.from_ndarray(sound[None], format="fltp", layout="mono")
            heard.sample_rate, heard.pts, heard.time_base = 48000, 0, Fraction(1, 48000)
            resampler = av.AudioResampler(voice.codec_context.format.name, "mono", 48000, frame_size=1024)
            for piece in (*resampler.resample(heard), *resampler.resample(None)):
                container.mux(voice.encode(piece))
        for at, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(drawn(first + at, size), "rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = round(time / base), base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if voice is not None:
            container.mux(voice.encode(None))
    return file.getvalue()
