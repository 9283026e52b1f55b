# SPDX-License-Identifier: Apache-2.0
"""What goes into a pipe as a frame comes out of it the same."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overt.media import images
from overt.media.frames import ANSWER, BAD, DECODE, PIXELS, REQUEST, TRY, WORDS, WORDS_LIMIT

WORD, LONG = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)


@given(st.sampled_from([DECODE, TRY]), WORD, WORD, LONG)
def test_requests_round_trip(kind: bytes, length: int, side: int, pixels: int) -> None:
    frame = REQUEST.pack(kind, length, side, pixels)
    assert REQUEST.unpack(frame) == (kind, length, side, pixels)
    assert len(frame) == REQUEST.size


@given(st.sampled_from([PIXELS, BAD, WORDS]), WORD, WORD, LONG)
def test_answers_round_trip(kind: bytes, width: int, height: int, length: int) -> None:
    assert ANSWER.unpack(ANSWER.pack(kind, width, height, length)) == (kind, width, height, length)


@given(st.lists(st.binary(max_size=500), max_size=5))
def test_frames_follow_one_another_through_a_pipe(bodies: list[bytes]) -> None:
    """Each head says how much follows, so nothing between two frames is needed or lost."""
    out, into = os.pipe()
    for body in bodies:
        os.write(into, ANSWER.pack(WORDS, 0, 0, len(body)) + body)
    os.close(into)
    seen = []
    while head := os.read(out, ANSWER.size):
        kind, _, _, length = ANSWER.unpack(head)
        assert kind == WORDS
        seen.append(os.read(out, length) if length else b"")
    os.close(out)
    assert seen == bodies


def test_frames_look_the_same_on_every_machine() -> None:
    """No padding, little-endian: server and worker may have been built differently."""
    assert REQUEST.pack(DECODE, 1, 2, 3) == b"D\x01\0\0\0\x02\0\0\0\x03\0\0\0\0\0\0\0"
    assert ANSWER.pack(PIXELS, 1, 2, 3) == b"P\x01\0\0\0\x02\0\0\0\x03\0\0\0\0\0\0\0"


def test_the_largest_picture_allowed_fits() -> None:
    side, pixels = images.LONGEST_SIDE, images.MOST_PIXELS
    assert ANSWER.unpack(ANSWER.pack(PIXELS, side, side, pixels * 3))[3] == pixels * 3
    assert REQUEST.unpack(REQUEST.pack(DECODE, 15 << 20, side, pixels))[1] == 15 << 20


def test_kinds_cannot_be_mistaken() -> None:
    assert len({PIXELS, BAD, WORDS}) == 3
    assert DECODE != TRY
    assert all(len(kind) == 1 for kind in (DECODE, TRY, PIXELS, BAD, WORDS))
    assert WORDS_LIMIT < 1 << 16


def test_a_frame_cut_short_is_no_frame() -> None:
    with pytest.raises(Exception, match="requires a buffer of 17 bytes"):
        ANSWER.unpack(ANSWER.pack(BAD, 0, 0, 9)[:-1])
