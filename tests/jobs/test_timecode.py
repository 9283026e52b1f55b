# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools
import re

import pytest

from overt.jobs.timecode import dropped, timecode

NTSC = 30000 / 1001


@pytest.mark.parametrize(
    ("frame", "rate", "code"),
    [
        (0, 25, "00:00:00:00"),
        (24, 25, "00:00:00:24"),
        (25, 25, "00:00:01:00"),
        (90_000, 25, "01:00:00:00"),
        (23, 24000 / 1001, "00:00:00:23"),
        (24, 24000 / 1001, "00:00:01:00"),
        (1799, 30, "00:00:59:29"),
        (1800, 30, "00:01:00:00"),
        (299, NTSC, "00:00:09;29"),
        (449, NTSC, "00:00:14;29"),
        (1799, NTSC, "00:00:59;29"),
        (1800, NTSC, "00:01:00;02"),
        (3597, NTSC, "00:01:59;29"),
        (3598, NTSC, "00:02:00;02"),
        (17_981, NTSC, "00:09:59;29"),
        (17_982, NTSC, "00:10:00;00"),
        (107_892, NTSC, "01:00:00;00"),
        (3599, 2 * NTSC, "00:00:59;59"),
        (3600, 2 * NTSC, "00:01:00;04"),
        (215_784, 2 * NTSC, "01:00:00;00"),
        (50, 100, "00:00:00:50"),
        (119, 120, "00:00:00:119"),
        (3, 0.4, "00:00:03:00"),
    ],
)
def test_a_frame_has_the_code_of_the_standard(frame: int, rate: float, code: str) -> None:
    assert timecode(frame, rate) == code


@pytest.mark.parametrize("rate", [29.97, 29.970029830932617, 29.97003, 59.94, 59.94006])
def test_rates_that_containers_round_drop_numbers_too(rate: float) -> None:
    assert dropped(rate) == {30: 2, 60: 4}[round(rate)]
    assert ";" in timecode(0, rate)


@pytest.mark.parametrize("rate", [23.976, 24, 25, 29.9, 30, 47.952, 50, 60, 119.88])
def test_other_rates_drop_none(rate: float) -> None:
    assert not dropped(rate)


@pytest.mark.parametrize("rate", [NTSC, 2 * NTSC])
def test_codes_rise_leave_out_only_first_numbers_of_minutes_and_keep_to_the_clock(rate: float) -> None:
    counted = round(rate)
    numbers = []
    for frame in range(25 * 60 * counted):
        hours, minutes, seconds, frames = map(int, re.split("[:;]", timecode(frame, rate)))
        numbers.append(((hours * 60 + minutes) * 60 + seconds) * counted + frames)
        if not frame % (counted * 10):
            shown = numbers[-1] / counted
            assert abs(shown - frame / rate) < 0.08
    assert all(after > before for before, after in itertools.pairwise(numbers))
    missing = set(range(numbers[-1])) - set(numbers)
    assert missing
    assert all(number // counted % 60 == 0 and number % counted < dropped(rate) for number in missing)
    assert all(number // counted // 60 % 10 for number in missing)


@pytest.mark.parametrize(("frame", "rate"), [(-1, 25), (1, 0), (1, -25), (1, float("nan"))])
def test_there_is_no_code_before_the_start_or_without_a_rate(frame: int, rate: float) -> None:
    with pytest.raises(ValueError, match="no timecode"):
        timecode(frame, rate)
