# SPDX-License-Identifier: Apache-2.0
"""Frames for what looks at a video: of the shared clips, small, and drawn."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from pathlib import Path

import av
import numpy as np
import pytest

from overt.types import Frame, Image, Pixels

SIDE = 96


@pytest.fixture(scope="session")
def clip(shared_data: Path) -> Callable[[str], list[Frame]]:
    """Every frame of a shared clip, 96 pixels long."""

    @functools.cache
    def frames(name: str) -> list[Frame]:
        found = []
        with av.open(str(shared_data / "video" / name)) as container:
            stream = container.streams.video[0]
            scale = SIDE / max(stream.width, stream.height)
            size = {"width": round(stream.width * scale), "height": round(stream.height * scale)}
            for frame in container.decode(stream):
                pixels = frame.to_ndarray(format="rgb24", interpolation="AREA", **size)
                found.append(Frame(Image(pixels, ""), frame.time))
        return found

    return frames


@pytest.fixture(scope="session")
def film() -> Callable[..., list[Frame]]:
    """Frames at a rate of the pixels given, all with the same sound."""

    def frames(pixels: Iterable[Pixels], rate: float = 25.0, loudness: float | None = None) -> list[Frame]:
        return [Frame(Image(np.ascontiguousarray(one), ""), k / rate, loudness) for k, one in enumerate(pixels)]

    return frames
