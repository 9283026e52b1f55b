# SPDX-License-Identifier: Apache-2.0
"""Fragments are found in a Matroska stream however it is cut, and bytes that are no Matroska do no harm."""

from __future__ import annotations

import random

import pytest
from films import film
from hypothesis import given
from hypothesis import strategies as st
from matroska import element, fragments, tags

from overt.media.ebml import FragmentReader
from overt.media.sources.base import Fragment

EXPECTED = [
    Fragment(f"9134385233318{at:04d}", 1_700_000_001.25 + at, 1_700_000_000.5 + at, float(at)) for at in range(4)
]


@pytest.mark.parametrize("step", [1, 7, 188, 4096, 1 << 20])
def test_fragments_are_found_in_pieces_of_any_size(step: int) -> None:
    raw = b"".join(fragments(4))
    reader = FragmentReader()
    for at in range(0, len(raw), step):
        reader.feed(raw[at : at + step])
    assert [reader.at(second + 0.5) for second in range(4)] == EXPECTED
    assert reader.at(2.0) == EXPECTED[2]
    assert reader.at(1.999999) == EXPECTED[2]  # times of frames are rounded to milliseconds
    assert reader.at(1.96) == EXPECTED[1]
    assert reader.at(-1) is None


def test_a_stream_that_starts_again_goes_by_its_newest_fragments() -> None:
    reader = FragmentReader()
    first, second, *_ = fragments(4)
    reader.feed(second + first)
    assert reader.at(0.5) == EXPECTED[0]


def test_ordinary_matroska_has_no_fragments() -> None:
    reader = FragmentReader()
    reader.feed(film("matroska"))
    assert reader.at(1.0) is None


def test_the_scale_of_time_is_kept_to() -> None:
    told = {"AWS_KINESISVIDEO_FRAGMENT_NUMBER": "7", "AWS_KINESISVIDEO_SERVER_TIMESTAMP": "2.5"}
    told["AWS_KINESISVIDEO_PRODUCER_TIMESTAMP"] = "1.5"
    info = element(0x1549A966, element(0x2AD7B1, (10_000_000).to_bytes(4)))
    cluster = element(0x1F43B675, element(0xE7, (300).to_bytes(2)))
    reader = FragmentReader()
    reader.feed(element(0x18538067, info + tags(told) + cluster))
    assert reader.at(3.0) == Fragment("7", 2.5, 1.5, 3.0)
    assert reader.at(2.9) is None


@pytest.mark.parametrize("value", ["", "x", "nan", "inf", "1e999"])
def test_tags_that_are_no_times_are_passed_over(value: str) -> None:
    told = dict.fromkeys(("AWS_KINESISVIDEO_SERVER_TIMESTAMP", "AWS_KINESISVIDEO_PRODUCER_TIMESTAMP"), value)
    reader = FragmentReader()
    reader.feed(tags({"AWS_KINESISVIDEO_FRAGMENT_NUMBER": "7", **told}) + element(0x1F43B675, element(0xE7, b"\1")))
    assert reader.at(1e9) is None


@given(st.binary(max_size=4000), st.integers(0, 1 << 32))
def test_any_bytes_are_borne(raw: bytes, seed: int) -> None:
    whole = bytearray(fragments(4)[0][:2000])
    chance = random.Random(seed)
    for _ in range(20):
        whole[chance.randrange(len(whole))] = chance.randrange(256)
    for data in (raw, bytes(whole)):
        reader = FragmentReader()
        reader.feed(data)
        reader.at(1.0)
        assert len(reader._rest) <= max(len(data), 1)


def test_what_is_not_read_is_not_kept() -> None:
    reader = FragmentReader()
    reader.feed(bytes.fromhex("1f43b675 01ffffffffffffff a3 1000ffff".replace(" ", "")))
    for _ in range(100):
        reader.feed(bytes(10_000))
        assert len(reader._rest) < 16
