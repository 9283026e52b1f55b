# SPDX-License-Identifier: Apache-2.0
"""What the server and a decoding worker say to one another over pipes: a fixed head, then that many bytes."""

from __future__ import annotations

import struct

REQUEST = struct.Struct("<cIIQ")
"""To a worker that decodes pictures: DECODE or TRY, bytes that follow, longest side allowed, most pixels allowed."""
PLAY = struct.Struct("<cQdddII?")
"""To a worker that plays a video: OPEN, FRAMES, NEXT or TRY; then the file's bytes (OPEN); or start and end in seconds,
frames a second (0 = every frame), width and height of frames before they are turned, whether loudness is wanted
(FRAMES)."""
ANSWER = struct.Struct("<cIIQ")
"""From a worker: what it is, width, height, bytes that follow. For NEED: bytes wanted, 0, at which offset of the
file; the server answers with a LENGTH and that many bytes, fewer at the file's end."""
MOMENT = struct.Struct("<dd")
"""Ahead of a frame's pixels and not counted among them: time in seconds, loudness in dB (NaN = none)."""
LENGTH = struct.Struct("<I")
DECODE, TRY, OPEN, FRAMES, NEXT = b"D", b"T", b"O", b"F", b"N"
PIXELS, BAD, WORDS, NEED, BUSY, END = b"P", b"B", b"W", b"R", b".", b"E"
WORDS_LIMIT = 4096
"""Most bytes of a BAD or WORDS answer."""
