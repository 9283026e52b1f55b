# SPDX-License-Identifier: Apache-2.0
"""Made-up crowds whose paths are known, and how well a tracker follows them: MOTA, IDF1, HOTA's association.

As a tracker numbers the boxes it is given, nobody has to guess which box was whose: every box carries its walker.
MOTA: Bernardin and Stiefelhagen 2008. IDF1: Ristani et al. 2016. HOTA: Luiten et al. 2021, at one threshold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from overt.models.tracking.tracker import Tracker
from overt.types import Box

Array = npt.NDArray[np.float64]
NOBODY = -1


@dataclass(frozen=True)
class Moment:
    """One frame's boxes. walkers: whose each box is, or NOBODY. present: who is there to be found."""

    time: float
    boxes: tuple[Box, ...]
    scores: tuple[float, ...]
    looks: npt.NDArray[np.float32]
    walkers: tuple[int, ...]
    present: frozenset[int]


@dataclass(frozen=True)
class Scores:
    """switches: how often somebody's number changed. ids: numbers given out."""

    mota: float
    idf1: float
    hota: float
    association: float
    switches: int
    ids: int


def crowd(
    rate: float, seconds: float, count: int = 20, seed: int = 0, missed: float = 0.05, false: float = 0.5,
    noise: float = 0.03, gone: Callable[[int, float], bool] = lambda walker, time: False,
) -> list[Moment]:  # fmt: skip
    """People who walk about at random in a square, turning as they like and hiding one another.

    Args: missed: share of boxes not found. false: false alarms a frame. noise: of boxes, in heights.
    """
    random = np.random.default_rng(seed)
    heights, aspects = random.uniform(0.1, 0.22, count), random.uniform(0.35, 0.45, count)
    places = random.uniform(0.1, 0.9, (count, 2))
    angles, paces = random.uniform(0, 2 * np.pi, count), random.uniform(0.4, 0.9, count)
    looks = unit(random.random((count, 48)) ** 4)
    fine = 100  # steps a second, so that the same seed walks the same way at every rate
    paths = []
    for _ in range(int(seconds * fine)):
        angles += random.normal(0, 0.8 / np.sqrt(fine), count)
        steps = np.stack([np.cos(angles), np.sin(angles) * 0.4], 1) * (paces * heights)[:, None] / fine
        outside = (places + steps < 0.05) | (places + steps > 0.95)
        steps = np.where(outside, -steps, steps)
        angles = np.where(outside.any(1), np.arctan2(steps[:, 1], steps[:, 0]), angles)
        places = places + steps
        paths.append(places)
    return [
        _moment(random, step / rate, paths[int(step / rate * fine)], heights, aspects, looks, missed, false, noise,
                gone)
        for step in range(int(seconds * rate))
    ]  # fmt: skip


def walk(
    rate: float, paths: Sequence[Callable[[float], tuple[float, float] | None]], seconds: float, seed: int = 0,
    looks: Array | None = None, *, hides: bool = True,
) -> list[Moment]:  # fmt: skip
    """People of one size who go where they are told; None where they are not there."""
    random = np.random.default_rng(seed)
    count = len(paths)
    looks = unit(random.random((count, 48)) ** 4) if looks is None else looks
    away = (-9.0, -9.0)
    return [
        _moment(
            random, time, np.array([path(time) or away for path in paths]), np.full(count, 0.3), np.full(count, 0.4),
            looks, 0.0, 0.0, 0.02, lambda walker, time: paths[walker](time) is None, hides=hides,
        )
        for time in (step / rate for step in range(int(seconds * rate)))
    ]  # fmt: skip


def unit(rows: Array) -> Array:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _moment(random, time, places, heights, aspects, looks, missed, false, noise, gone, *, hides=True) -> Moment:
    boxes, scores, shown, walkers = [], [], [], []
    sides = np.stack([heights * aspects, heights], 1)
    low, high = places - sides / 2, places + sides / 2
    present = frozenset(who for who in range(len(places)) if not gone(who, time))
    for who in sorted(present):
        nearer = [
            other
            for other in present
            if high[other, 1] > high[who, 1] or (high[other, 1] == high[who, 1] and other > who)
        ]
        shared = [(np.minimum(high[who], high[one]) - np.maximum(low[who], low[one])).clip(0).prod() for one in nearer]
        covered = max(shared, default=0.0) / sides[who].prod() if hides else 0.0
        if random.random() < missed or covered > 0.7:
            continue
        middle = places[who] + random.normal(0, noise, 2) * heights[who]
        size = sides[who] * np.exp(random.normal(0, noise, 2))
        boxes.append(Box(*(middle - size / 2).tolist(), *size.tolist()))
        scores.append(float(random.uniform(0.6, 0.95) if covered < 0.35 else random.uniform(0.2, 0.6)))
        look = looks[who] + np.abs(random.normal(0, 0.03, looks.shape[1]))
        if nearer and covered > 0:
            look = look * (1 - covered) + covered * looks[nearer[int(np.argmax(shared))]]
        shown.append(look)
        walkers.append(who)
    for _ in range(random.poisson(false)):
        height = random.uniform(0.1, 0.22)
        boxes.append(Box(*random.uniform(0, 0.9, 2).tolist(), height * 0.4, height))
        scores.append(float(random.uniform(0.15, 0.65)))
        shown.append(random.random(looks.shape[1]) ** 4)
        walkers.append(NOBODY)
    order = random.permutation(len(boxes))
    rows = (
        unit(np.array([shown[place] for place in order]).reshape(-1, looks.shape[1]))
        if len(order)
        else np.empty((0, looks.shape[1]))
    )
    pick = lambda items: tuple(items[place] for place in order)  # noqa: E731
    return Moment(time, pick(boxes), pick(scores), rows.astype(np.float32), pick(walkers), present)


def follow(
    moments: Sequence[Moment], tracker: Tracker | None = None, *, with_looks: bool = True
) -> list[tuple[int | None, ...]]:
    """The numbers a tracker gives."""
    tracker = tracker or Tracker()
    return [tracker.update(one.boxes, one.scores, one.time, one.looks if with_looks else None) for one in moments]


def numbers(moments: Sequence[Moment], ids: Sequence[tuple[int | None, ...]], who: int) -> list[int]:
    """The numbers somebody had, in the order of time, each run once."""
    frames = zip(moments, ids, strict=True)
    given = [pair for one, row in frames for pair in zip(one.walkers, row, strict=True)]
    had = [number for walker, number in given if walker == who and number is not None]
    return [number for place, number in enumerate(had) if place == 0 or had[place - 1] != number]


def score(moments: Sequence[Moment], ids: Sequence[tuple[int | None, ...]]) -> Scores:
    pairs: Counter[tuple[int, int]] = Counter()
    last: dict[int, int] = {}
    truths: Counter[int] = Counter()
    given: Counter[int] = Counter()
    switches = 0
    for one, row in zip(moments, ids, strict=True):
        truths.update(one.present)
        for walker, number in zip(one.walkers, row, strict=True):
            if number is None:
                continue
            given[number] += 1
            if walker == NOBODY:
                continue
            pairs[walker, number] += 1
            switches += last.get(walker, number) != number
            last[walker] = number
    total, boxes, hits = truths.total(), given.total(), pairs.total()
    walkers, tracks = sorted(truths), sorted(given)
    table = np.array([[pairs[walker, track] for track in tracks] for walker in walkers])
    rows, columns = linear_sum_assignment(table, maximize=True)
    association = sum(n * n / (truths[w] + given[t] - n) for (w, t), n in pairs.items()) / hits
    detection = hits / (total + boxes - hits)
    return Scores(
        mota=1 - (total - hits + boxes - hits + switches) / total,
        idf1=2 * float(table[rows, columns].sum()) / (total + boxes),
        hota=float(np.sqrt(detection * association)),
        association=association,
        switches=switches,
        ids=len(given),
    )
