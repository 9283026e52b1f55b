# SPDX-License-Identifier: Apache-2.0
"""Which class reads which URL: those here, and those that other distributions offer under `overt.sources`."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import cast

from overt.media.sources.base import Services, Source, SourceError
from overt.media.sources.device import DeviceSource
from overt.media.sources.file import FileSource
from overt.media.sources.kinesis import KinesisSource
from overt.media.sources.rtsp import RtspSource
from overt.media.sources.web import WebSource

GROUP = "overt.sources"
"""Entry points: the name is a URL scheme, the object a function of a URL and `Services` that gives a `Source`."""

Maker = Callable[[str, Services], Source]

_OURS: dict[str, Maker] = {
    "rtsp": RtspSource,
    "rtsps": RtspSource,
    "http": WebSource,
    "https": WebSource,
    "file": FileSource,
    "v4l2": DeviceSource,
    "arn": KinesisSource,
    "kinesisvideo": KinesisSource,
}


def schemes() -> tuple[str, ...]:
    """Every scheme that can be read."""
    return tuple(sorted({*_OURS, *(point.name for point in entry_points(group=GROUP))}))


def find(url: str, services: Services | None = None) -> Source:
    """The source that a URL, or the ARN of a Kinesis video stream, names. Nothing is connected to yet.

    Raises: SourceError when nothing reads its scheme, or the URL is not as its scheme wants it.
    """
    scheme = url.partition(":")[0].lower()
    maker = _OURS.get(scheme)
    if maker is None:
        (point, *_) = [*entry_points(group=GROUP, name=scheme), None]
        if point is None:
            msg = f"no source reads {scheme!r} addresses; known are {', '.join(schemes())}"
            raise SourceError(msg)
        maker = cast("Maker", point.load())
    return maker(url, services or Services())
