# SPDX-License-Identifier: Apache-2.0
"""What is measured is what was done. Nothing here says how fast that must be."""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path

import pytest

from overt.cli import measuring
from overt.cli.output import CommandError


def test_the_median_is_of_one_picture_and_leaves_out_the_first_round() -> None:
    """Rounds of 9, 2, 4 and 100 seconds, of which the first only warms up, on two pictures."""
    seconds = itertools.accumulate([9, 2, 4, 100])
    now = [0.0]

    def act() -> None:
        now[0] = next(seconds)

    assert measuring.median_ms(lambda: now[0], act, 3, 2) == 2000


def test_the_clock_counts_work_and_no_waiting() -> None:
    clock = measuring.cpu()
    start = clock()
    time.sleep(0.05)
    idle = clock() - start
    sum(range(1_000_000))
    assert clock() - start > idle
    assert idle < 0.05


def test_the_clock_adds_what_other_processes_spend() -> None:
    process = os.getpid()  # any that has worked
    if not Path(f"/proc/{process}/schedstat").exists():
        pytest.skip("this kernel does not tell CPU time to the nanosecond")
    assert measuring.cpu((process, process))() > measuring.cpu()()
    assert measuring.cpu((2**31 - 1,))() == pytest.approx(measuring.cpu()(), abs=1)  # one that is gone adds nothing


def test_a_server_that_does_not_start_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("no folder")
    with pytest.raises(CommandError, match="did not start"), measuring.serving(tmp_path / "home"):
        pass


def test_the_machine_is_named() -> None:
    assert "cores, Python 3" in measuring.machine()


def test_spans_are_of_each_act_until_the_time_is_up() -> None:
    done: list[int] = []
    assert len(measuring.spans([lambda: done.append(1), lambda: done.append(2)], 60)) == 2
    assert len(measuring.spans(itertools.repeat(lambda: done.append(3)), 0)) == 1
    assert done == [1, 2, 3]
    (spent,) = measuring.spans([lambda: time.sleep(0.02)], 0)
    assert spent >= 0.02


def test_memory_is_read_at_a_speed_of_this_age() -> None:
    assert 1e8 < measuring.bandwidth(2) < 1e13
