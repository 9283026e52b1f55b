# SPDX-License-Identifier: Apache-2.0
"""Appends parcels to a file, one line of JSON each: `file:///var/log/alerts.jsonl`."""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import suppress
from urllib.parse import unquote, urlsplit

from overt.outlets.base import SendError
from overt.streams.sinks.base import Surroundings, TargetError
from overt.types import Parcel


class LineSink:
    """Implements `base.Sink`. The file is opened for each line, so that whoever rotates it needs to tell nobody."""

    def __init__(self, url: str, _surroundings: Surroundings) -> None:
        parts = urlsplit(url)
        self._path = unquote(parts.path)
        if parts.netloc or not self._path.startswith("/") or self._path.endswith("/") or "\0" in self._path:
            msg = "file: needs the full path of a file, like file:///var/log/alerts.jsonl"
            raise TargetError(msg)

    def send(self, parcel: Parcel) -> None:
        """See `base.Sink.send`."""
        # In JSON a line break outside of a text is a blank, and inside one it cannot stand.
        line = parcel.body.replace(b"\r", b" ").replace(b"\n", b" ").strip() + b"\n"
        how = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            with os.fdopen(os.open(self._path, how, 0o600), "r+b", buffering=0) as file:
                _append(file.fileno(), line)
        except OSError as error:
            msg = f"{self._path} did not take it: {error.strerror or error}"
            raise SendError(msg) from error

    def close(self) -> None:
        """See `base.Sink.close`."""


def _append(file: int, line: bytes) -> None:
    """Add a whole line and wait until it is on the disk. Raises: OSError; the file is as before then."""
    fcntl.flock(file, fcntl.LOCK_EX)
    size = os.fstat(file).st_size
    if size and os.pread(file, 1, size - 1) != b"\n":
        line = b"\n" + line  # a power cut left half a line, which is nobody's to remove
    try:
        _write(file, line)
        os.fsync(file)
    except OSError:
        with suppress(OSError):  # a device has no length
            os.ftruncate(file, size)
        raise


def _write(file: int, line: bytes) -> None:
    if os.write(file, line) != len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
