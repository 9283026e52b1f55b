# SPDX-License-Identifier: Apache-2.0
"""Whether errors fall on some groups of people more than on others, and whether the counts can tell. Knows no picture.

Terms as in ISO/IEC 19795-10. Nothing here ever says that there is no difference: at most that none beyond a gate was
found with so many counts, or that the counts are too few.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from overt.govern import accuracy

Places = npt.NDArray[np.int64]
Counts = npt.NDArray[np.float64]
Pair = tuple[int, int]

GATE = 1.25
"""How many times the overall rate a group's may be. Source: NIST SP 800-63A-4, a result at most 25 % worse."""
RESAMPLES = 1000
_FEW = 10  # errors below which a spread taken from resampling means little
_NEEDED = 3  # expected errors that no error in so many trials makes unlikely: exp(-3) = 5 %

WITHIN, EXCEEDS, INSUFFICIENT = "WITHIN", "EXCEEDS", "INSUFFICIENT"


@dataclass(frozen=True, slots=True)
class Cell:
    """Errors of one group, or between two. trials: comparisons. people: how many different ones those are of.

    low, high: 95 % interval of the rate: the exact one as if all comparisons were independent, or that from drawing
    people anew where that is wider, as everybody is in many comparisons.
    """

    errors: int
    trials: int
    people: int
    low: float
    high: float

    @property
    def value(self) -> float | None:
        """The observed rate, 0..1; None without trials."""
        return self.errors / self.trials if self.trials else None


@dataclass(frozen=True, slots=True)
class Finding:
    """What can be said of one group's rate against that of all. ratio: None where the whole has no errors.

    low, high: interval of the ratio, wide enough for all groups at once. need: trials that would do; None when there
    are enough. chance: how likely labels dealt by chance make it so much the highest; of the highest group only.
    """

    verdict: str
    ratio: float | None
    low: float
    high: float
    need: int | None

    def __str__(self) -> str:
        """In words. Never that nothing is wrong."""
        return self.verdict


@dataclass(frozen=True, slots=True)
class Differential:
    """Rates by group and how they differ.

    groups: names. inside: each group's own cell. cells: all pairs of groups, by places, first <= second; empty where
    errors are of one person only. against_all: each group against everybody. whole: all inside cells together. every:
    all comparisons. findings: of each group's own cell against `whole`. permuted: (median, 95th percentile) of
    worst/overall when labels are dealt anew by chance; chance: how often that is as high as observed.
    """

    groups: tuple[str, ...]
    inside: tuple[Cell, ...]
    cells: Mapping[Pair, Cell]
    against_all: tuple[Cell, ...]
    whole: Cell
    every: Cell
    findings: tuple[Finding, ...]
    permuted: tuple[float, float] | None
    chance: float | None

    @property
    def worst(self) -> int | None:
        """The group with the highest rate; None without errors."""
        return _extreme(self.inside, highest=True) if self.whole.errors else None

    @property
    def best(self) -> int | None:
        """The group with the lowest rate; None without errors."""
        return _extreme(self.inside, highest=False) if self.whole.errors else None

    @property
    def worst_to_overall(self) -> float | None:
        """How many times the rate inside all groups the worst group's is."""
        return None if self.worst is None else _ratio(self.inside[self.worst].value, self.whole.value)

    @property
    def worst_to_best(self) -> float | None:
        """None where the best has no errors: the ratio then has no upper end."""
        if self.worst is None or self.best is None:
            return None
        return _ratio(self.inside[self.worst].value, self.inside[self.best].value)

    @property
    def worst_to_best_at_least(self) -> float | None:
        """The ratio that the intervals of both leave at least."""
        if self.worst is None or self.best is None:
            return None
        return max(1.0, self.inside[self.worst].low / self.inside[self.best].high)

    @property
    def worst_to_geometric_mean(self) -> float | None:
        """None where a group without errors makes the mean 0. Source: ISO/IEC 19795-10."""
        rates = [cell.value for cell in self.inside if cell.value is not None]
        if self.worst is None or not all(rates):
            return None
        mean = math.exp(sum(math.log(rate) for rate in rates) / len(rates))
        return _ratio(self.inside[self.worst].value, mean)


def false_matches(
    names: Sequence[str],
    group_of: Places,
    pictures: Places,
    matches: npt.NDArray[np.int64],
    target: float,
    *,
    gate: float = GATE,
    seed: int = 0,
) -> Differential:
    """False-match rates by group and group x group.

    Args: names: of groups. group_of: (p,) each person's group. pictures: (p,) how many each has. matches: (k, 2)
    people of each pair of pictures of different people that matches. target: the rate that the threshold is to keep.
    """
    tally = _Pairs(len(names), group_of, pictures.astype(np.float64), matches)
    random = np.random.default_rng(seed)
    once = np.ones(len(group_of))
    errors, trials = tally.count(once)
    drawn = [tally.count(weights) for weights in _resampled(random, len(once))]
    taking_part = pictures > 0
    people = np.bincount(group_of[taking_part], minlength=len(names))
    everybody = int(taking_part.sum())

    def cell(places: Sequence[int], those: int) -> Cell:
        chosen = list(places)
        return _cell(
            float(errors[chosen].sum()),
            float(trials[chosen].sum()),
            those,
            [_quotient(e[chosen].sum(), t[chosen].sum()) for e, t in drawn],
        )

    own = [tally.place(group, group) for group in range(len(names))]
    inside = tuple(cell([place], int(people[group])) for group, place in enumerate(own))
    cells = {
        (a, b): cell([tally.place(a, b)], int(people[a] + (people[b] if a != b else 0)))
        for a in range(len(names))
        for b in range(a, len(names))
    }
    against = tuple(
        cell([tally.place(group, other) for other in range(len(names))], everybody) for group in range(len(names))
    )
    whole = cell(own, everybody)
    dealt = (tally.dealt(random.permutation(group_of)).count(once) for _ in range(RESAMPLES))
    ratios = [_highest(e[own], t[own]) for e, t in dealt] if whole.errors else []
    return Differential(
        tuple(names),
        inside,
        cells,
        against,
        whole,
        cell(range(len(errors)), everybody),
        _findings(inside, whole, [(e[own], t[own]) for e, t in drawn], target, gate),
        *_permuted(ratios, _highest(errors[own], trials[own]) if whole.errors else 0.0),
    )


def false_non_matches(
    names: Sequence[str],
    group_of: Places,
    errors_of: Places,
    trials_of: Places,
    target: float,
    *,
    gate: float = GATE,
    seed: int = 0,
) -> Differential:
    """False-non-match rates by group.

    Args: names, group_of, target: see `false_matches`. errors_of, trials_of: (p,) of each person's own comparisons.
    """
    random = np.random.default_rng(seed)
    groups = len(names)

    def count(weights: Counts, labels: Places) -> tuple[Counts, Counts]:
        return (
            _summed(labels, weights * errors_of, groups),
            _summed(labels, weights * trials_of, groups),
        )

    once = np.ones(len(group_of))
    errors, trials = count(once, group_of)
    drawn = [count(weights, group_of) for weights in _resampled(random, len(once))]
    people = np.bincount(group_of[trials_of > 0], minlength=groups)
    inside = tuple(
        _cell(float(errors[g]), float(trials[g]), int(people[g]), [_quotient(e[g], t[g]) for e, t in drawn])
        for g in range(groups)
    )
    whole = _cell(
        float(errors.sum()), float(trials.sum()), int(people.sum()), [_quotient(e.sum(), t.sum()) for e, t in drawn]
    )
    dealt = (count(once, random.permutation(group_of)) for _ in range(RESAMPLES)) if whole.errors else ()
    ratios = [_highest(e, t) for e, t in dealt]
    return Differential(
        tuple(names),
        inside,
        {},
        (),
        whole,
        whole,
        _findings(inside, whole, drawn, target, gate),
        *_permuted(ratios, _highest(errors, trials) if whole.errors else 0.0),
    )


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Counts comparisons of different people by pair of groups, with a weight for each person."""

    groups: int
    group_of: Places
    pictures: Counts
    matches: npt.NDArray[np.int64]

    def place(self, a: int, b: int) -> int:
        """Where the pair of groups stands in the counts."""
        first, second = min(a, b), max(a, b)
        return first * self.groups + second

    def dealt(self, group_of: Places) -> _Pairs:
        return _Pairs(self.groups, group_of, self.pictures, self.matches)

    def count(self, weights: Counts) -> tuple[Counts, Counts]:
        """Errors and comparisons by place, each (groups * groups,)."""
        first, second = self.matches[:, 0], self.matches[:, 1]
        a, b = self.group_of[first], self.group_of[second]
        places = np.minimum(a, b) * self.groups + np.maximum(a, b)
        errors = _summed(places, weights[first] * weights[second], self.groups**2)
        each = weights * self.pictures
        sums = _summed(self.group_of, each, self.groups)
        squares = _summed(self.group_of, each**2, self.groups)
        table = np.triu(np.outer(sums, sums), 1)
        # Nobody is compared with themselves, nor with the same person drawn twice.
        np.fill_diagonal(table, (sums**2 - squares) / 2)
        return errors, table.ravel()


def _summed(places: Places, weights: Counts, count: int) -> Counts:
    """Sums of weights by place, (count,)."""
    return np.bincount(places, weights, count).astype(np.float64)


def _resampled(random: np.random.Generator, people: int) -> list[Counts]:
    """How often each person is drawn, when as many are drawn with replacement."""
    even = np.full(people, 1 / people)
    return [random.multinomial(people, even).astype(np.float64) for _ in range(RESAMPLES)]


def _cell(errors: float, trials: float, people: int, drawn: Sequence[float]) -> Cell:
    if not trials:
        return Cell(0, 0, people, 0.0, 1.0)
    low, high = accuracy.interval(errors, trials)
    rates = [rate for rate in drawn if not math.isnan(rate)]
    if errors and rates:
        low, high = min(low, float(np.quantile(rates, 0.025))), max(high, float(np.quantile(rates, 0.975)))
    return Cell(round(errors), round(trials), people, low, high)


@dataclass(frozen=True, slots=True)
class _Bar:
    """What a group is held to."""

    target: float
    gate: float
    confidence: float


def _findings(
    inside: Sequence[Cell], whole: Cell, drawn: Sequence[tuple[Counts, Counts]], target: float, gate: float
) -> tuple[Finding, ...]:
    confidence = 1 - 0.05 / max(len(inside), 1)  # Bonferroni: one of many groups is always the highest
    return tuple(
        _finding(cell, whole, [_log_ratio(e, t, place) for e, t in drawn], _Bar(target, gate, confidence))
        for place, cell in enumerate(inside)
    )


def _finding(cell: Cell, whole: Cell, logs: Sequence[float], bar: _Bar) -> Finding:
    from scipy.stats import norm  # noqa: PLC0415 - 0.5 s that only evaluations pay

    width = float(norm.ppf(0.5 + bar.confidence / 2))
    least = math.ceil(_NEEDED / bar.target - 1e-9)
    if not cell.trials or not whole.errors:
        return Finding(INSUFFICIENT, None, 0.0, math.inf, max(least, cell.trials + 1))
    ratio = (cell.value or 0.0) / (whole.value or 1.0)
    known = [log for log in logs if math.isfinite(log)]
    exact = accuracy.interval(cell.errors, cell.trials, bar.confidence)
    low, high = exact[0] / whole.high, exact[1] / whole.low if whole.low else math.inf
    if cell.errors >= _FEW and known:
        spread = float(np.std(known))
        low, high = ratio * math.exp(-width * spread), ratio * math.exp(width * spread)
    if low > bar.gate:
        return Finding(EXCEEDS, ratio, low, high, None)
    if cell.trials < least:
        return Finding(INSUFFICIENT, ratio, low, high, least)
    if high <= bar.gate:
        return Finding(WITHIN, ratio, low, high, None)
    # As many errors as would close the interval around a ratio of 1, at the rate that all have together.
    errors = (width / math.log(bar.gate)) ** 2
    return Finding(
        INSUFFICIENT, ratio, low, high, max(math.ceil(errors / (whole.value or 1.0)), cell.trials + 1, least)
    )


def _log_ratio(errors: Counts, trials: Counts, place: int) -> float:
    own, whole = _quotient(errors[place], trials[place]), _quotient(errors.sum(), trials.sum())
    return math.log(own / whole) if own > 0 and whole > 0 else math.nan


def _highest(errors: Counts, trials: Counts) -> float:
    """Worst / overall; 0 without errors."""
    present = trials > 0
    if not errors.sum():
        return 0.0
    return float((errors[present] / trials[present]).max() / (errors.sum() / trials.sum()))


def _permuted(ratios: Sequence[float], observed: float) -> tuple[tuple[float, float] | None, float | None]:
    if not ratios:
        return None, None
    as_high = sum(ratio >= observed * (1 - 1e-9) for ratio in ratios)
    # The observed labels are one of the deals, so that chance is never 0.
    return (float(np.median(ratios)), float(np.quantile(ratios, 0.95))), (as_high + 1) / (len(ratios) + 1)


def _extreme(cells: Sequence[Cell], *, highest: bool) -> int | None:
    known = [(cell.value, place) for place, cell in enumerate(cells) if cell.value is not None]
    if not known:
        return None
    return max(known, key=lambda one: (one[0], -one[1]))[1] if highest else min(known)[1]


def _ratio(a: float | None, b: float | None) -> float | None:
    return a / b if a is not None and b else None


def _quotient(a: float, b: float) -> float:
    return float(a / b) if b > 0 else math.nan
