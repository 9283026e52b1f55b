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
"""From a worker: what it is, width, height, bytes that follow. For NEED: bytes wanted, of which file (0 = the one
opened), at which offset of it; the server answers with a LENGTH and that many bytes, fewer at the file's end. For
FOLLOW: a further file's URL follows; the server answers with its number as a LENGTH. BUSY and END of a live
stream: packets found damaged, 0, frames decoded; nothing follows."""
MOMENT = struct.Struct("<dd")
"""Ahead of a frame's pixels and not counted among them: time in seconds, loudness in dB (NaN = none)."""
WATCH = struct.Struct("<cI")
"""To a worker that watches a live stream: OPEN or TRY, bytes of JSON that follow: a `plan.Order`. It answers OPEN with
PIXELS without being asked for them, until END or BAD."""
SIGHT = struct.Struct("<ddQQH")
"""Ahead of a live frame's pixels and not counted among them: time in seconds, the stream's own time in seconds (NaN =
it has none), frames decoded and packets found damaged since OPEN, degrees clockwise that turn it upright."""
LENGTH = struct.Struct("<I")
REFUSED = 0xFFFFFFFF
"""A LENGTH that says no."""
DECODE, TRY, OPEN, FRAMES, NEXT = b"D", b"T", b"O", b"F", b"N"
PIXELS, BAD, WORDS, NEED, BUSY, END, FOLLOW = b"P", b"B", b"W", b"R", b".", b"E", b"L"
WORDS_LIMIT = 4096
"""Most bytes of a BAD or WORDS answer."""
