# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from overt.govern import base_rate
from overt.govern.base_rate import Day


def test_the_rates_of_npl_come_to_sixteen_false_alerts_a_day() -> None:
    day = Day(faces=100_000, listed=5, fpir=1 / 6000, tpir=0.89)
    assert day.false_alerts == pytest.approx(16.7, abs=0.05)
    assert day.ppv == pytest.approx(0.21, abs=0.005)
    assert day.missed == pytest.approx(0.55)


def test_the_trials_of_2018_come_to_two_in_a_hundred() -> None:
    assert base_rate.predictive_value(2, 102) == pytest.approx(0.019, abs=0.0005)


def test_days_drawn_by_chance_bear_the_closed_form_out() -> None:
    random = np.random.default_rng(3)
    day = Day(faces=20_000, listed=12, fpir=1 / 1500, tpir=0.8)
    days = 4000
    false = random.binomial(int(day.faces - day.listed), day.fpir, days)
    true = random.binomial(int(day.listed), day.tpir, days)
    assert false.mean() == pytest.approx(day.false_alerts, rel=0.02)
    assert true.mean() == pytest.approx(day.true_alerts, rel=0.02)
    assert true.sum() / (true.sum() + false.sum()) == pytest.approx(day.ppv, rel=0.02)
    low, high = base_rate.usual(day.false_alerts)
    assert 0.94 < ((low <= false) & (false <= high)).mean() < 0.98


def test_half_of_the_alerts_are_right_at_the_highest_rate() -> None:
    day = Day(faces=1000, listed=10, fpir=0.01, tpir=0.9)
    assert Day(1000, 10, day.highest_fpir, 0.9).ppv == pytest.approx(0.5)
    assert Day(10, 10, 0.1, 0.9).highest_fpir is None


def test_ten_times_the_list_is_ten_times_the_rate() -> None:
    assert base_rate.for_list(1 / 60_000, 1_000, 10_000) == pytest.approx(1 / 6_000, rel=1e-3)
    assert base_rate.for_list(0.1, 100, 1_000_000) == pytest.approx(1)
    assert base_rate.for_list(1.0, 10, 5) == 1
    assert base_rate.for_list(0.5, 10, 0) == 0


def test_without_alerts_there_is_no_share_of_them() -> None:
    assert Day(100, 0, 0, 0.9).ppv is None
    assert base_rate.usual(0) == (0, 0)


@pytest.mark.parametrize(
    "wrong", [(10, 11, 0, 0), (10, -1, 0, 0), (10, 1, 1.1, 0), (10, 1, 0, -1), (float("inf"), 1, 0, 0)]
)
def test_what_cannot_be_is_refused(wrong: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r"faces|shares"):
        Day(*wrong)
    with pytest.raises(ValueError, match="share"):
        base_rate.for_list(2, 1, 1)
