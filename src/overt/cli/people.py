# SPDX-License-Identifier: Apache-2.0
"""Synthetic people for benchmarks: galleries that lie in space as embeddings of faces do. Nobody real is in them.

A person's centre is drawn around one mean, and each picture of the person around that centre, both normally; then each
vector is made unit length. Knows no store and no kernel.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from overt.cli.output import CommandError
from overt.types import Floats

Halves = npt.NDArray[np.float16]

# Shares of a vector's squared length, so that two people's cosine is .085 on average and one person's .6: what SFace
# gives on pictures of LFW. The rest is what tells pictures of one person apart.
_MEAN = 0.085
_PERSON = 0.515
_BREADTH = 120  # directions that people fill, of however many there are: two people's cosine then spreads by .09
_BATCH = 30_000  # people drawn at a time


@dataclass(frozen=True, slots=True)
class Statistics:
    """How embeddings are spread. mean: (dimension,). between, within: (dimension, dimension) covariances."""

    mean: Floats
    between: Floats
    within: Floats

    @classmethod
    def assumed(cls, dimension: int) -> Statistics:
        """A power law along random directions, as broad as a face embedder's."""
        random = np.random.default_rng(dimension)
        turned = np.linalg.qr(random.standard_normal((dimension, dimension)))[0]
        mean = turned @ np.full(dimension, np.sqrt(_MEAN / dimension))
        shape = (turned * _spectrum(dimension)) @ turned.T
        floats = (mean, shape * _PERSON, shape * (1 - _MEAN - _PERSON))
        return cls(*(each.astype(np.float32) for each in floats))

    @classmethod
    def read(cls, path: Path) -> Statistics:
        """Statistics of real embeddings, from an .npz file of `mu`, `Sb` and `Sw`. Raises: CommandError."""
        try:
            with np.load(path) as held:
                mean, between, within = (held[name].astype(np.float32) for name in ("mu", "Sb", "Sw"))
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:  # an .npy file: TypeError
            raise CommandError(
                f"{path} holds no statistics: an .npz file with arrays mu, Sb and Sw is needed"
            ) from error
        square = (mean.size, mean.size)
        if mean.ndim != 1 or between.shape != square or within.shape != square:
            raise CommandError(f"{path}: mu must be (d,), and Sb and Sw (d, d); they are not")
        return cls(mean, between, within)


@dataclass(frozen=True, slots=True)
class Crowd:
    """A gallery and pictures to look for in it.

    halves: (n, dimension) float16, person by person. per_person: pictures of each. vectors: (q, dimension) float32 unit
    rows, one more picture each of `people` (q,), who are all in the gallery.
    """

    halves: Halves
    per_person: int
    vectors: Floats
    people: npt.NDArray[np.int64]

    def person(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Whose pictures some rows are."""
        return rows // self.per_person


def draw(statistics: Statistics, count: int, probes: int, per_person: int = 3, seed: int = 0) -> Crowd:
    """`count` pictures, the same for the same seed, and `probes` more of people spread evenly over them."""
    random = np.random.default_rng(seed)
    dimension = statistics.mean.size
    between, within = (_factor(each) for each in (statistics.between, statistics.within))

    def around(centres: Floats) -> Floats:
        rows: Floats = random.standard_normal(centres.shape, np.float32) @ within
        rows += centres
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return rows

    persons = -(-count // per_person)
    people = np.arange(probes) * persons // max(probes, 1)
    halves, vectors = np.empty((count, dimension), np.float16), np.empty((probes, dimension), np.float32)
    for start in range(0, persons, _BATCH):
        size = min(_BATCH, persons - start)
        centres = random.standard_normal((size, dimension), np.float32) @ between + statistics.mean
        part = halves[start * per_person : (start + size) * per_person]
        for picture in range(per_person):
            mine = part[picture::per_person]
            mine[:] = around(centres)[: len(mine)]
        asked = (people >= start) & (people < start + size)
        vectors[asked] = around(centres[people[asked] - start])
    return Crowd(halves, per_person, vectors, people)


def _spectrum(dimension: int) -> npt.NDArray[np.float64]:
    """Variances (dimension,) that fall by a power law and sum to 1, as broad as `_BREADTH` equal ones."""
    ranks = np.arange(1, dimension + 1, dtype=np.float64)
    variances = np.ones_like(ranks)
    least, most = 0.0, 4.0
    for _ in range(50):
        power = (least + most) / 2
        variances = ranks**-power
        variances /= variances.sum()
        if 1 / (variances**2).sum() > _BREADTH:
            least = power
        else:
            most = power
    return variances


def _factor(covariance: Floats) -> Floats:
    """What standard normal rows are multiplied by to get that covariance; any rank will do."""
    variances, directions = np.linalg.eigh(covariance.astype(np.float64))
    factor: Floats = (np.sqrt(np.maximum(variances, 0))[:, np.newaxis] * directions.T).astype(np.float32)
    return factor
