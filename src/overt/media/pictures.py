# SPDX-License-Identifier: Apache-2.0
"""The room's front: what a request says of a picture or video goes in, an upright `Image` or a `Video` comes out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from overt.media.fetch import Fetcher
from overt.media.images import SHORTEST_SIDE, Decoder
from overt.media.sandbox import Sandbox
from overt.media.video import Video
from overt.types import Image, Stored


class Media:
    """Fetches and decodes pictures, opens videos. Thread-safe.

    Args: fetcher: where bytes come from. workers: pictures decoded at the same time; default: one for each core.
    seconds: how long decoding one picture may take.
    """

    def __init__(self, fetcher: Fetcher | None = None, *, workers: int | None = None, seconds: float = 10.0) -> None:
        self._fetcher = fetcher or Fetcher()
        self.sandbox = Sandbox(workers, seconds=seconds)
        self._decoder = Decoder(self.sandbox)

    def image(self, parameter: Mapping[str, Any]) -> Image:
        """The picture that the wire's Image shape describes. Raises: what `fetch` and `decode` raise."""
        return self.decode(self.fetch(parameter))

    def video(self, stored: Stored) -> Video:
        """A stored video, opened; whoever asks for it closes it. Raises: what `Fetcher.open` raises; VideoError."""
        return Video(self._fetcher.open(stored))

    def check_video(self, stored: Stored) -> None:
        """Raises: what `Fetcher.open` raises, when there is no such object, or it is too large."""
        self._fetcher.open(stored).close()

    def fetch(self, parameter: Mapping[str, Any]) -> bytes:
        """The bytes of the picture that the wire's Image shape describes. Raises: what `Fetcher.fetch` raises."""
        return self._fetcher.fetch(parameter)

    def decode(self, raw: bytes, shortest: int = SHORTEST_SIDE) -> Image:
        """The picture in a file's bytes. Args: shortest: pixels a side needs. Raises: what `Decoder.decode` raises."""
        return self._decoder.decode(raw, shortest)

    @property
    def confinement(self) -> str:
        """What holds the decoding workers back, in words."""
        return self.sandbox.confinement

    def start(self) -> None:
        """Start the decoding workers now rather than with the first pictures."""
        self.sandbox.start()

    def close(self) -> None:
        """Wait for pictures under way, then end the workers."""
        self.sandbox.close()
