# SPDX-License-Identifier: Apache-2.0
"""SMPTE timecodes of frame numbers, with dropped numbers where the rate asks for them. Knows no file and no clock.

Source: SMPTE ST 12-1, "Time and Control Code".
"""

from __future__ import annotations

_NTSC = 1000 / 1001
"""Rates of NTSC video are this much below the whole number that timecodes count in."""
_NEAR = 0.005
"""How far, in frames a second, a measured rate may lie from 29.97 or 59.94: containers round 29.97003 to 29.97."""
_DROPPED = {30: 2, 60: 4}
"""Numbers left out at the start of each minute but every tenth, by frames counted a second."""


def dropped(rate: float) -> int:
    """Frame numbers left out at the start of a minute (2 or 4): 0 unless the rate is 29.97 or 59.94 frames a second."""
    counted = round(rate)
    return _DROPPED.get(counted, 0) if abs(rate - counted * _NTSC) < _NEAR else 0


def timecode(frame: int, rate: float) -> str:
    """The timecode of frame `frame` (from 0), or of a duration of that many frames.

    HH:MM:SS:FF, or HH:MM:SS;FF where numbers are dropped so that the code keeps to the clock. Frames are counted at the
    nearest whole rate, as ST 12-1 does for 23.976; from 100 frames a second on FF has three digits. Hours go on beyond
    23: a duration is no time of day.

    Args: frame: 0 or more. rate: frames a second, more than 0. Raises: ValueError when one of them is not.
    """
    if frame < 0 or not rate > 0:
        msg = f"no timecode for frame {frame} at {rate} frames a second"
        raise ValueError(msg)
    counted = max(round(rate), 1)
    left_out = dropped(rate)
    if left_out:
        minute = 60 * counted - left_out  # frames of a minute that drops
        tens, rest = divmod(frame, 10 * minute + left_out)
        frame += 9 * left_out * tens + left_out * max((rest - left_out) // minute, 0)
    seconds, frames = divmod(frame, counted)
    hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
    digits = max(len(str(counted - 1)), 2)
    return f"{hours:02}:{minutes:02}:{seconds:02}{';' if left_out else ':'}{frames:0{digits}}"
