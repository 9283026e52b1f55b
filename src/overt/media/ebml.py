# SPDX-License-Identifier: Apache-2.0
"""Reads the tags that Kinesis Video Streams puts before each fragment of a Matroska stream. Decodes nothing.

Source: RFC 8794 (EBML), RFC 9559 (Matroska); tags: GetMedia in the Kinesis Video Streams API reference.
"""

from __future__ import annotations

import contextlib
import math
from collections import deque

from overt.media.sources.base import Fragment

_MASTERS = {0x18538067, 0x1549A966, 0x1254C367, 0x7373, 0x67C8, 0x1F43B675}
"""Segment, Info, Tags, Tag, SimpleTag, Cluster: their children are read one after another, wherever they end."""
_SEGMENT, _SCALE, _NAME, _STRING, _CLUSTER_TIME = 0x18538067, 0x2AD7B1, 0x45A3, 0x4487, 0xE7
_READ = {_SCALE, _NAME, _STRING, _CLUSTER_TIME}
_NUMBER = "AWS_KINESISVIDEO_FRAGMENT_NUMBER"
_SERVER_TIME, _PRODUCER_TIME = "AWS_KINESISVIDEO_SERVER_TIMESTAMP", "AWS_KINESISVIDEO_PRODUCER_TIMESTAMP"
_LONGEST = 4096
"""Bytes of a value that is read; longer ones are passed over."""
_KEPT = 256
"""Fragments remembered: more than are ever on their way through a decoder."""
_MOST_TAGS = 64
_DUST = 0.002
_NANOSECONDS = 1e9
_ID_BYTES, _SIZE_BYTES = 4, 8


class FragmentReader:
    """Is fed a stream in pieces of any size. What is no Matroska is passed over without an error."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._skipped = 0
        self._scale = 1e-3
        self._name = ""
        self._tags: dict[str, str] = {}
        self._fragments: deque[Fragment] = deque(maxlen=_KEPT)

    def feed(self, data: bytes) -> None:
        """The next bytes."""
        over = min(self._skipped, len(data))
        self._skipped -= over
        self._rest += data[over:]
        while (taken := self._element()) > 0:
            self._skipped = max(0, taken - len(self._rest))
            del self._rest[:taken]

    def at(self, told: float) -> Fragment | None:
        """The newest fragment that begins no later. Args: told: seconds, as the clusters count."""
        return next((one for one in reversed(self._fragments) if one.start <= told + _DUST), None)

    def _element(self) -> int:
        """Bytes done with: an element, or the head of one whose children follow. 0 = more must come."""
        rest = self._rest
        id_length = _length(rest, 0)
        size_length = _length(rest, id_length)
        if id_length > _ID_BYTES or size_length > _SIZE_BYTES:
            return 1  # no element begins so: on to where one does
        head = id_length + size_length
        if not id_length or not size_length or len(rest) < head:
            return 0
        kind = int.from_bytes(rest[:id_length])
        unknown = (1 << 7 * size_length) - 1
        size = int.from_bytes(rest[id_length:head]) & unknown
        if kind == _SEGMENT:
            self._scale, self._tags = 1e-3, {}
        if kind in _MASTERS or size == unknown:
            return head
        if kind in _READ and size <= _LONGEST:
            if len(rest) < head + size:
                return 0
            self._take(kind, bytes(rest[head : head + size]))
        return head + size

    def _take(self, kind: int, value: bytes) -> None:
        if kind == _SCALE:
            self._scale = int.from_bytes(value[:8]) / _NANOSECONDS
        elif kind == _NAME:
            self._name = value.decode("utf-8", "replace")
        elif kind == _STRING and len(self._tags) < _MOST_TAGS:
            self._tags[self._name] = value.rstrip(b"\0").decode("utf-8", "replace")
        elif kind == _CLUSTER_TIME and self._tags.get(_NUMBER, "").isdecimal():
            with contextlib.suppress(KeyError, ValueError):
                times = float(self._tags[_SERVER_TIME]), float(self._tags[_PRODUCER_TIME])
                start = int.from_bytes(value[:8]) * self._scale
                if all(map(math.isfinite, times)):
                    self._fragments.append(Fragment(self._tags[_NUMBER], *times, start))
            del self._tags[_NUMBER]  # a fragment's further clusters are of it too


def _length(data: bytearray, at: int) -> int:
    """Of the number that begins there, in bytes: 1 to 9, where 9 is none. 0 = its first byte has not come."""
    return 9 - data[at].bit_length() if at < len(data) else 0
