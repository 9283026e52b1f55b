# SPDX-License-Identifier: Apache-2.0
"""What the server and a decoding worker say to one another over pipes: a fixed head, then that many bytes."""

from __future__ import annotations

import struct

REQUEST = struct.Struct("<cIIQ")
"""DECODE or TRY, bytes that follow, longest side allowed, most pixels allowed."""
ANSWER = struct.Struct("<cIIQ")
"""PIXELS, BAD or WORDS, width, height, bytes that follow."""
DECODE, TRY = b"D", b"T"
PIXELS, BAD, WORDS = b"P", b"B", b"W"
WORDS_LIMIT = 4096
"""Most bytes of a BAD or WORDS answer."""
