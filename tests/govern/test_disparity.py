# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from overt.govern import disparity
from overt.govern.disparity import EXCEEDS, INSUFFICIENT, WITHIN, Differential

NAMES = ("north", "east", "south")


def population(each: int, rates: dict[str, float], between: float = 0.002, seed: int = 1) -> dict[str, Any]:
    """People with one picture, whose pairs match independently: at a group's rate inside it."""
    random = np.random.default_rng(seed)
    group_of = np.repeat(np.arange(len(NAMES)), each)
    first, second = np.triu_indices(len(group_of), 1)
    likely = np.where(
        group_of[first] == group_of[second], np.array([rates[name] for name in NAMES])[group_of[first]], between
    )
    hit = random.random(len(first)) < likely
    return {
        "group_of": group_of,
        "pictures": np.ones(len(group_of), np.int64),
        "matches": np.stack([first[hit], second[hit]], axis=1),
    }


def measured(people: dict[str, Any], target: float = 1e-2) -> Differential:
    return disparity.false_matches(NAMES, target=target, **people)


def test_a_group_with_three_times_the_errors_is_found_and_named() -> None:
    told = measured(population(300, {"north": 0.01, "east": 0.03, "south": 0.01}))
    assert NAMES[told.worst] == "east"
    assert [finding.verdict for finding in told.findings] == [WITHIN, EXCEEDS, WITHIN]
    assert told.worst_to_best == pytest.approx(3, rel=0.15)
    assert told.worst_to_overall == pytest.approx(3 / (5 / 3), rel=0.1)
    assert told.worst_to_geometric_mean == pytest.approx(3 ** (2 / 3), rel=0.1)
    assert told.worst_to_best_at_least > 2
    assert told.chance == pytest.approx(1 / (disparity.RESAMPLES + 1))


def test_equal_groups_keep_within_the_gate_where_counts_suffice() -> None:
    told = measured(population(300, dict.fromkeys(NAMES, 0.01)))
    assert [finding.verdict for finding in told.findings] == [WITHIN] * 3
    assert told.worst_to_overall < 1.1
    assert told.chance > 0.05


def test_labels_dealt_by_chance_come_to_about_one() -> None:
    people = population(300, {"north": 0.01, "east": 0.03, "south": 0.01})
    told = measured(people)
    assert told.permuted[0] == pytest.approx(1, abs=0.1)
    people["group_of"] = np.random.default_rng(4).permutation(people["group_of"])
    dealt = measured(people)
    assert dealt.worst_to_overall == pytest.approx(1, abs=0.15)
    assert EXCEEDS not in [finding.verdict for finding in dealt.findings]


def test_too_few_comparisons_never_pass() -> None:
    """535 trials without an error cannot show one in a thousand: 3,000 could."""
    errors, trials = np.zeros(1070, np.int64), np.ones(1070, np.int64)
    errors[:2] = 1
    told = disparity.false_non_matches(("a", "b"), np.repeat([0, 1], 535), errors, trials, 1e-3)
    assert [(finding.verdict, finding.need) for finding in told.findings] == [(INSUFFICIENT, 3000)] * 2
    assert told.inside[1].high == pytest.approx(0.0069, abs=1e-4)
    assert told.worst_to_best is None
    none = disparity.false_non_matches(
        ("a", "b"), np.repeat([0, 1], 5000), np.zeros(10_000, np.int64), np.ones(10_000, np.int64), 1e-3
    )
    assert {finding.verdict for finding in none.findings} == {INSUFFICIENT}
    assert (none.worst, none.worst_to_overall, none.chance) == (None, None, None)


def test_what_the_counts_leave_open_is_told_with_what_would_do() -> None:
    told = measured(population(40, dict.fromkeys(NAMES, 0.02), seed=3), 1e-2)
    (finding, *_) = told.findings
    assert finding.verdict == INSUFFICIENT
    assert finding.need > told.inside[0].trials > 300


def test_every_comparison_of_two_people_is_counted_once() -> None:
    group_of, pictures = np.array([0, 0, 1, 1]), np.array([2, 1, 3, 1])
    matches = np.array([[0, 1], [0, 2], [2, 3]])
    told = disparity.false_matches(("a", "b"), group_of, pictures, matches, 0.01)
    owners = np.repeat(np.arange(4), pictures)
    pairs = [(a, b) for a, b in itertools.combinations(owners, 2) if a != b]
    for (a, b), cell in told.cells.items():
        assert cell.trials == sum({group_of[i], group_of[j]} == {a, b} for i, j in pairs)
    assert {pair: cell.errors for pair, cell in told.cells.items()} == {(0, 0): 1, (0, 1): 1, (1, 1): 1}
    assert (told.every.errors, told.every.trials) == (3, len(pairs))
    assert (told.whole.errors, told.whole.trials) == (2, told.inside[0].trials + told.inside[1].trials)
    assert told.against_all[0].errors == 2
    assert [cell.people for cell in told.inside] == [2, 2]


def test_one_person_who_looks_like_all_widens_the_interval() -> None:
    """One in 50 people who matches everybody is one observation, not 49."""
    group_of = np.zeros(50, np.int64)
    others = np.arange(1, 50)
    matches = np.stack([np.zeros(49, np.int64), others], axis=1)
    (cell,) = disparity.false_matches(("all",), group_of, np.ones(50, np.int64), matches, 0.01).inside
    exact = disparity.accuracy.rate(49, 1225)
    assert cell.low == 0
    assert cell.high > 1.5 * exact.high


def test_misses_of_a_group_are_found_and_named() -> None:
    random = np.random.default_rng(9)
    group_of = np.repeat(np.arange(3), 2000)
    trials = np.full(6000, 5)
    errors = random.binomial(trials, np.array([0.02, 0.02, 0.06])[group_of])
    told = disparity.false_non_matches(NAMES, group_of, errors, trials, 1e-2)
    assert NAMES[told.worst] == "south"
    assert [finding.verdict for finding in told.findings] == [WITHIN, WITHIN, EXCEEDS]
    assert str(told.findings[2]) == "EXCEEDS"


def test_a_group_without_comparisons_has_no_rate() -> None:
    told = disparity.false_matches(("a", "b"), np.array([0, 0, 1]), np.ones(3, np.int64), np.array([[0, 1]]), 0.01)
    assert told.inside[1].value is None
    assert told.findings[1].verdict == INSUFFICIENT
