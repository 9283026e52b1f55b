# SPDX-License-Identifier: Apache-2.0
"""Webcams of this machine, by Video4Linux. The worker opens the device before it gives up opening things."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from overt.media.confine import Reach
from overt.media.plan import Plan
from overt.media.sources.base import Feed, Services, SourceError, redacted


class DeviceSource:
    """A webcam. Args: url: v4l2:///dev/video0. Raises: SourceError."""

    def __init__(self, url: str, services: Services) -> None:
        self.label = redacted(url)
        self.secrets: tuple[str, ...] = ()
        self._silence = services.silence
        self._path = urlsplit(url).path
        if re.fullmatch(r"/dev/(v4l/by-(id|path)/)?[\w.:-]+", self._path) is None:
            msg = f"{self.label} names no webcam; write it as v4l2:///dev/video0"
            raise SourceError(msg)

    def connect(self) -> Feed:
        """As `Source` says."""
        if not Path(self._path).is_char_device():
            msg = f"there is no webcam at {self._path}"
            raise SourceError(msg)
        return Feed(Plan(Reach.DEVICE, self._path, "v4l2", silence=self._silence))
