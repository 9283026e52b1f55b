# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest

from overt.govern.reading import ILLEGIBLE, Tally, tally


def square(left: float, top: float = 0.0, width: float = 10.0, height: float = 10.0) -> list[tuple[float, float]]:
    return [(left, top), (left + width, top), (left + width, top + height), (left, top + height)]


TRUTH = [("Room", square(0)), ("42", square(20)), ("exit", square(40))]


def test_what_is_read_right_is_right() -> None:
    made = tally(TRUTH, reversed(TRUTH))
    assert made == Tally(truth=3, answers=3, found=3, exact=3, alike=3)
    assert (made.recall, made.precision, made.f1, made.accuracy, made.accuracy_any_case) == (1, 1, 1, 1, 1)


def test_finding_and_reading_are_told_apart() -> None:
    answers = [("ROOM", square(1)), ("43", square(20)), ("ghost", square(90)), ("wall", square(70))]
    made = tally(TRUTH, answers)
    assert made == Tally(truth=3, answers=4, found=2, exact=0, alike=1)
    assert made.recall == pytest.approx(2 / 3)
    assert made.precision == pytest.approx(1 / 2)
    assert made.f1 == pytest.approx(4 / 7)
    assert (made.accuracy, made.accuracy_any_case) == (0, pytest.approx(1 / 3))


def test_a_match_needs_more_than_half_of_the_union() -> None:
    """Shifted by d, two squares of side 10 share 10 - d of 10 + d."""
    assert tally([("a", square(0))], [("a", square(3.3))]).found == 1
    assert tally([("a", square(0))], [("a", square(3.4))]).found == 0
    assert tally([("a", square(0))], [("a", square(0, 0, 5))]).found == 0, "half is not more than half"


def test_one_word_is_matched_once_and_with_the_best() -> None:
    answers = [("Rom", square(2)), ("Room", square(1)), ("Roon", square(0, 1.5))]
    made = tally([("Room", square(0))], answers)
    assert made == Tally(truth=1, answers=3, found=1, exact=1, alike=1)
    both = [("a", square(0)), ("b", square(1))]
    assert tally(both, [("b", square(1)), ("a", square(0))]).exact == 2
    assert tally(both, [("b", square(1))]).found == 1


def test_leaning_outlines_overlap_as_they_lie() -> None:
    diamond = [(5, 0), (10, 5), (5, 10), (0, 5)]
    assert tally([("a", diamond)], [("a", np.array(diamond) + 0.5)]).found == 1
    assert tally([("a", diamond)], [("a", square(0))]).found == 0, "a diamond is half of its square"


def test_what_nobody_can_read_counts_neither_way() -> None:
    truth = [*TRUTH, (ILLEGIBLE, square(100, 0, 40))]
    on_it, beside = ("blur", square(105)), ("ghost", square(200))
    assert tally(truth, [*TRUTH, on_it]) == Tally(3, 3, 3, 3, 3)
    assert tally(truth, [*TRUTH, on_it, beside]).answers == 4
    assert tally([(ILLEGIBLE, square(0))], [("a", square(0))]) == Tally()


def test_pictures_add_up() -> None:
    total = tally(TRUTH, TRUTH[:1]) + tally(TRUTH, []) + Tally()
    assert total == Tally(truth=6, answers=1, found=1, exact=1, alike=1)
    assert total.f1 == pytest.approx(2 / 7)
    assert total.precision == 1


def test_shares_of_nothing_are_no_numbers() -> None:
    empty = tally([], [])
    assert empty == Tally()
    assert all(math.isnan(value) for value in (empty.recall, empty.precision, empty.f1, empty.accuracy))
    assert tally([], TRUTH).precision == 0
    assert tally(TRUTH, []).recall == 0


@pytest.mark.parametrize(
    ("outline", "told"),
    [
        ([(0, 0), (1, 1)], "three or more"),
        ([(0, 0, 1), (1, 1, 1), (0, 1, 1)], "three or more"),
        ([(0, 0), (1, 1), (2, 2)], "no area"),
        ([(0, 0), (math.nan, 1), (2, 2)], "not finite"),
    ],
)
def test_outlines_of_no_use_are_refused(outline: list[tuple[float, ...]], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        tally(TRUTH, [("word", outline)])
