# SPDX-License-Identifier: Apache-2.0
"""Recorded files that are played as if they came from a camera: at their own pace, once or for ever."""

from __future__ import annotations

import os
import stat
from urllib.parse import parse_qs, unquote, urlsplit

from overt.media.confine import Reach
from overt.media.plan import Plan
from overt.media.sources.base import Feed, Services, SourceError

_OPTIONS = {"format_whitelist": "mov,mp4,matroska,webm,avi,mpegts", "protocol_whitelist": ""}


class FileSource:
    """A file of this machine. Args: url: file:///path, with ?loop=1 to begin anew at its end. Raises: SourceError."""

    def __init__(self, url: str, services: Services) -> None:
        self.label = url
        self.secrets: tuple[str, ...] = ()
        self._silence = services.silence
        parts = urlsplit(url)
        if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
            msg = f"{url} names no file; write it as file:///folder/film.mp4"
            raise SourceError(msg)
        self._path = unquote(parts.path)
        self._loops = parse_qs(parts.query).get("loop", ["0"])[-1] not in ("0", "")

    def connect(self) -> Feed:
        """As `Source` says."""
        try:
            file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "that is no name"
            msg = f"{self._path} cannot be opened: {why}"
            raise SourceError(msg) from error
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            os.close(file)
            msg = f"{self._path} is not a file"
            raise SourceError(msg)
        return _FileFeed(file, status.st_size, is_looped=self._loops, silence=self._silence)


class _FileFeed(Feed):
    """An open file."""

    def __init__(self, file: int, size: int, *, is_looped: bool, silence: float) -> None:
        plan = Plan(
            Reach.NOTHING,
            "file",
            "",
            _OPTIONS,
            size,
            is_paced=True,
            is_looped=is_looped,
            ends=not is_looped,
            silence=silence,
        )
        super().__init__(plan)
        self._file = file

    def read(self, number: int, offset: int, length: int) -> bytes:
        if number:
            return super().read(number, offset, length)
        try:
            return os.pread(self._file, length, offset)
        except OSError as error:
            msg = f"the file cannot be read: {error.strerror}"
            raise SourceError(msg) from error

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
