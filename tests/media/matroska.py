# SPDX-License-Identifier: Apache-2.0
"""Fragments of a stream as Kinesis gives them: Matroska of a second each, with its tags before the pictures."""

from __future__ import annotations

import functools

from films import RATE, film

CLUSTER = b"\x1f\x43\xb6\x75"


def element(kind: int, body: bytes) -> bytes:
    """An EBML element with a size of eight bytes."""
    return kind.to_bytes((kind.bit_length() + 7) // 8) + (1 << 56 | len(body)).to_bytes(8) + body


def tags(told: dict[str, str]) -> bytes:
    """Tags of a segment."""
    simple = [
        element(0x67C8, element(0x45A3, name.encode()) + element(0x4487, value.encode()))
        for name, value in told.items()
    ]
    return element(0x1254C367, b"".join(element(0x7373, element(0x63C0, b"") + one) for one in simple))


def fragment(second: int) -> bytes:
    """One that begins so many seconds after the stream did; its frames show their number."""
    times = [second + at / RATE for at in range(RATE)]
    raw = film("matroska", times=times, first=second * RATE, gop=RATE, options={"live": "1"})
    told = {
        "AWS_KINESISVIDEO_FRAGMENT_NUMBER": f"9134385233318{second:04d}",
        "AWS_KINESISVIDEO_SERVER_TIMESTAMP": f"{1_700_000_001.25 + second:.3f}",
        "AWS_KINESISVIDEO_PRODUCER_TIMESTAMP": f"{1_700_000_000.5 + second:.3f}",
    }
    at = raw.index(CLUSTER)
    last = {"AWS_KINESISVIDEO_CONTINUATION_TOKEN": f"9134385233318{second:04d}"}
    return raw[:at] + tags(told) + raw[at:] + tags(last)


@functools.cache
def fragments(count: int) -> list[bytes]:
    """One a second."""
    return [fragment(second) for second in range(count)]
