# SPDX-License-Identifier: Apache-2.0
"""How often a search is wrong: error rates of open-set 1:N searches. Knows scores, not pictures and not names.

Terms as in ISO/IEC 19795-1 and NIST's FRTE. A search is mated when who is looked for is in the gallery. FPIR(N, T): the
share of non-mated searches of N enrolled that find anybody at threshold T. FNIR(N, T, R): the share of mated searches
that do not have the right one at T and among the first R.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from overt.govern import accuracy
from overt.govern.accuracy import Scores

Places = npt.NDArray[np.int64]

NOTHING = -2.0
"""The score of a picture in which no face was found: below every cosine, so that it finds nobody."""
_BATCH = 2_000_000  # scores held at a time


@dataclass(frozen=True, slots=True)
class Figure:
    """A share of searches. people: how many different ones were looked for. low, high: its exact 95 % interval.

    The same people are looked for in every repeat, which steadies the share but tells nothing of other people: the
    interval is that of one search for each of them.
    """

    count: int
    searches: int
    people: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The observed share, 0..1."""
        return self.count / self.searches


@dataclass(frozen=True, slots=True)
class Searches:
    """What searches of galleries of one size gave.

    mates: (m,) score of the right one in each mated search. ranks: (m,) its place, 1 = first; equals count against it.
    sought: (m,) number of the person looked for. tops: (k,) highest score of each non-mated search. strangers: (k,)
    number of the person looked for.
    """

    size: int
    mates: Scores
    ranks: Places
    sought: Places
    tops: Scores
    strangers: Places

    def fpir(self, threshold: float) -> Figure | None:
        """The share of non-mated searches that find anybody; None without such searches."""
        return _figure(self.tops >= threshold, self.strangers)

    def fnir(self, threshold: float, rank: int) -> Figure | None:
        """The share of mated searches without the right one at the threshold and among the first `rank`."""
        return _figure((self.mates < threshold) | (self.ranks > rank), self.sought)

    def cmc(self, most: int) -> list[Figure]:
        """Hit rates at ranks 1 to `most` without a threshold: the cumulative match characteristic."""
        figures = (_figure(self.ranks <= rank, self.sought) for rank in range(1, min(most, self.size) + 1))
        return [figure for figure in figures if figure]

    def threshold(self, fpir: float) -> float | None:
        """The least threshold that keeps to an FPIR; None where fewer people were looked for than can show it."""
        if len(np.unique(self.strangers)) * fpir < 1 - 1e-9:
            return None
        allowed = int(np.floor(fpir * len(self.tops) + 1e-9))
        highest = np.sort(self.tops)[::-1]
        return float(np.nextafter(highest[allowed], np.inf)) if allowed < len(highest) else float(highest[-1])

    def det(self, rank: int, most: int = 200) -> list[tuple[float, float, float]]:
        """Up to `most` points (threshold, FPIR, FNIR) of the detection error trade-off, FPIR falling."""
        if not len(self.tops) or not len(self.mates):
            return []
        found = np.sort(np.where(self.ranks <= rank, self.mates, -np.inf))
        highest = np.sort(self.tops)[::-1]
        places = np.unique(np.geomspace(1, len(highest), most).astype(np.int64)) - 1
        thresholds = highest[places]
        errors = 1 - np.searchsorted(np.sort(self.tops), thresholds, "left") / len(self.tops)
        missed = np.searchsorted(found, thresholds, "left") / len(found)
        points = [(float(t), float(a), float(b)) for t, a, b in zip(thresholds, errors, missed, strict=True)]
        return points[::-1]


def _figure(happened: npt.NDArray[np.bool_], people: Places) -> Figure | None:
    if not len(happened):
        return None
    different, count = len(np.unique(people)), int(happened.sum())
    low, high = accuracy.interval(count / len(happened) * different, different)
    return Figure(count, len(happened), different, low, high)


@dataclass(frozen=True, slots=True)
class Labelled:
    """Pictures of known people, as vectors.

    vectors: (n, dimension) unit rows. present: (n,) whether a face was found; without one a picture finds nobody and is
    not found, as FRTE counts it. people: the rows of each.
    """

    vectors: npt.NDArray[np.float32]
    present: npt.NDArray[np.bool_]
    people: Sequence[Sequence[int]]

    def scores(self, enrolled: Places, probes: Places) -> Iterator[tuple[slice, Scores]]:
        """Scores (some probes, enrolled), some after the other, with the place of those in the whole."""
        step = max(1, _BATCH // len(enrolled))
        gallery = self.vectors[enrolled].T
        for start in range(0, len(probes), step):
            rows = probes[start : start + step]
            scores = (self.vectors[rows] @ gallery).astype(np.float64)
            scores[:, ~self.present[enrolled]] = NOTHING
            scores[~self.present[rows]] = NOTHING
            yield slice(start, start + len(rows)), scores


def repeat(labelled: Labelled, size: int, repeats: int, random: np.random.Generator) -> Searches:
    """Enrol one picture each of `size` people, drawn by chance; look for everybody by another; again and again.

    Raises: ValueError when `size` leaves nobody out.
    """
    people = labelled.people
    if not 0 < size < len(people):
        raise ValueError(f"a gallery of {size} of {len(people)} people leaves nobody to be a stranger, or is empty")
    rounds = [_round(labelled, size, random) for _ in range(repeats)]
    mates, ranks, sought, tops, strangers = zip(*rounds, strict=True)
    return Searches(
        size,
        np.concatenate(mates),
        np.concatenate(ranks),
        np.concatenate(sought),
        np.concatenate(tops),
        np.concatenate(strangers),
    )


def _round(labelled: Labelled, size: int, random: np.random.Generator) -> tuple[Scores, Places, Places, Scores, Places]:
    people = labelled.people
    order = random.permutation(len(people))
    inside, outside = order[:size], order[size:]
    enrolled = np.array([random.choice(people[one]) for one in inside], np.int64)
    own = np.array([place for place, one in enumerate(inside) if len(people[one]) > 1], np.int64)
    probes = np.array([_another(people[inside[place]], enrolled[place], random) for place in own], np.int64)
    mates, ranks = np.empty(len(probes)), np.empty(len(probes), np.int64)
    for rows, scores in labelled.scores(enrolled, probes):
        mine = scores[np.arange(len(scores)), own[rows]]
        mates[rows] = mine
        ranks[rows] = (scores >= mine[:, np.newaxis]).sum(axis=1)
    others = np.array([random.choice(people[one]) for one in outside], np.int64)
    tops = np.concatenate([scores.max(axis=1) for _, scores in labelled.scores(enrolled, others)])
    return mates, ranks, inside[own].astype(np.int64), tops, outside.astype(np.int64)


def _another(pictures: Sequence[int], than: int, random: np.random.Generator) -> int:
    return int(random.choice([row for row in pictures if row != than]))
