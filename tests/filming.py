# SPDX-License-Identifier: Apache-2.0
"""Films made of pictures, for tests that look at what is in them."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from overt.jobs.task import Watch
from overt.types import Finding, Frame

Rows = npt.NDArray[np.uint8]
RATE = 25


def film(frames: Iterable[Rows], kind: str = "mp4", *, seconds: float | None = None) -> bytes:
    """A file of H.264. kind: FFmpeg's name of the container. seconds: from frame to frame; None: 25 frames a second."""
    file = io.BytesIO()
    with av.open(file, "w", format=kind) as container:
        stream = None
        for number, frame in enumerate(frames):
            if stream is None:
                stream = container.add_stream("libx264", RATE, options={"preset": "ultrafast", "crf": "20"})
                stream.height, stream.width = frame.shape[:2]
                stream.pix_fmt = "yuv420p"
                stream.codec_context.gop_size = RATE
                stream.codec_context.thread_count = 1
                if seconds is not None:
                    stream.codec_context.time_base = Fraction(1, 1000)
            picture = av.VideoFrame.from_ndarray(frame, "rgb24")
            if seconds is not None:
                picture.pts, picture.time_base = round(number * seconds * 1000), Fraction(1, 1000)
            container.mux(stream.encode(picture))
        if stream is not None:
            container.mux(stream.encode(None))
    return file.getvalue()


def passing(photo: Path, seconds: float, *, size: tuple[int, int] = (640, 360), still: bool = False) -> Iterator[Rows]:
    """A portrait that moves across a grey picture from left to right, or rests in its middle."""
    width, height = size
    count = round(seconds * RATE)
    with Image.open(photo) as opened:
        face = opened.convert("RGB")
        face = face.resize((round(face.width * height / face.height), height))
    for number in range(count):
        sheet = Image.new("RGB", size, (90, 90, 90))
        share = 0.5 if still else number / max(count - 1, 1)
        sheet.paste(face, (round((width - face.width) * share), 0))
        yield np.asarray(sheet)


def empty(seconds: float, *, size: tuple[int, int] = (640, 360)) -> Iterator[Rows]:
    """Nothing but grey."""
    for _ in range(round(seconds * RATE)):
        yield np.full((size[1], size[0], 3), 90, np.uint8)


def sign(text: str, seconds: float, *, size: tuple[int, int] = (640, 360)) -> Iterator[Rows]:
    """Words in the middle of a white picture."""
    sheet = Image.new("RGB", size, "white")
    ImageDraw.Draw(sheet).text((size[0] / 2, size[1] / 2), text, "black", ImageFont.load_default(72), anchor="mm")
    for _ in range(round(seconds * RATE)):
        yield np.asarray(sheet)


def seen(watch: Watch, frame: Frame) -> list[Finding]:
    """What a task finds in the next frame."""
    return list(watch.see(frame, watch.glance(frame)))
