# SPDX-License-Identifier: Apache-2.0
"""Where many boxes are and how fast they move, guessed at once: a constant-velocity Kalman filter. Knows no identity.

A box is its middle, its width over its height, and its height, as in SORT (Bewley et al. 2016, arXiv:1602.00763) and
ByteTrack (Zhang et al. 2022, arXiv:2110.06864), but time is real: frames may come at any distance. As each of the
four is moved, disturbed and measured by itself, the 8 x 8 covariance of those papers falls apart into four of 2 x 2,
and no matrix is ever inverted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]

_HEIGHT = 3
"""The place of the height among the four, to which all but the aspect are compared."""
TINY = 1e-6
"""Least height of a box, in heights of the picture: what everything is divided by must not be nothing."""
_MEASURED = np.array([1 / 20, 1 / 20, 0.1, 1 / 20])
"""Standard deviation of one sight, in heights (of the aspect: as it is). Source: the code of SORT and ByteTrack."""
_DRIFT = np.array([1 / 20, 1 / 20, 0.01, 1 / 20]) * np.sqrt(30)
"""What place and shape wander without speed in a second, in heights: ByteTrack's for each frame of 30 a second."""
_SPEED = np.array([1.0, 1.0, 0.0, 0.5])
"""Share of `pace` that is the standard deviation of a speed not yet known. The aspect has none; heights change slower
than places do."""
_PUSH = np.array([0.5, 0.5, 0.0, 0.25])
"""Change of speed within a second, as a share of `pace`: who walks stops or turns round in about two seconds. ByteTrack
has 1/160 height a frame for each frame of 30 a second, which is 1.03 heights a second within one."""


@dataclass(frozen=True, slots=True)
class Motion:
    """What is believed of n boxes. Immutable.

    beliefs: (n, 5, 4) float64: place, speed (a second), variance of the place, covariance of both, variance of the
    speed; each of middle x and y, width over height, and height. Lengths are in heights of the picture.
    """

    beliefs: Doubles

    @property
    def places(self) -> Doubles:
        """(n, 4) where they are."""
        return self.beliefs[:, 0]

    @classmethod
    def begin(cls, places: Doubles, pace: float) -> Motion:
        """Boxes seen for the first time. Args: places: (n, 4). pace: heights of the box a second, usual at most."""
        heights = np.maximum(places[:, _HEIGHT:], TINY)
        beliefs = np.zeros((len(places), 5, 4))
        beliefs[:, 0] = places
        beliefs[:, 2] = np.square(_MEASURED * heights)
        beliefs[:, 4] = np.square(_SPEED * pace * heights)
        return cls(beliefs)

    def after(self, seconds: float, pace: float) -> Motion:
        """The same boxes later. Args: seconds: 0 or more; two steps give what one as long as both gives."""
        place, speed, spread, both, unsure = self.beliefs.transpose(1, 0, 2)
        areas = np.square(place[:, _HEIGHT:])
        push, drift = areas * (np.square(_PUSH * pace) * seconds), areas * (np.square(_DRIFT) * seconds)
        later = np.empty_like(self.beliefs)
        later[:, 0] = place + speed * seconds
        later[:, 1] = speed
        # White noise on speed and place, integrated. Source: Bar-Shalom et al., Estimation with Applications, 6.2.2.
        later[:, 2] = spread + (2 * both + unsure * seconds) * seconds + drift + push * (seconds**2 / 3)
        later[:, 3] = both + unsure * seconds + push * (seconds / 2)
        later[:, 4] = unsure + push
        np.maximum(later[:, 0, 2:], TINY, out=later[:, 0, 2:])
        return Motion(later)

    def seen(self, rows: npt.NDArray[np.intp], places: Doubles) -> Motion:
        """The same, some of them corrected by a sight. Args: rows: which, each once. places: (len(rows), 4)."""
        some = self.beliefs[rows]
        place, speed, spread, both, unsure = some.transpose(1, 0, 2)
        total = spread + np.square(_MEASURED * place[:, _HEIGHT:])
        surprise, gain = (places - place) / total, both / total
        rest = 1 - spread / total
        place += spread * surprise
        speed += both * surprise
        unsure -= gain * both
        spread *= rest
        both *= rest
        np.maximum(place[:, 2:], TINY, out=place[:, 2:])
        beliefs = self.beliefs.copy()
        beliefs[rows] = some
        return Motion(beliefs)

    def distances(self, places: Doubles) -> Doubles:
        """How unlikely the middles of m sights are: (n, m) distances in standard deviations (Mahalanobis)."""
        own = self.beliefs[:, 0]
        spreads = np.sqrt(self.beliefs[:, 2, :2] + np.square(_MEASURED[:2] * own[:, _HEIGHT:]))
        across = (own[:, 0, None] - places[:, 0]) / spreads[:, 0, None]
        down = (own[:, 1, None] - places[:, 1]) / spreads[:, 1, None]
        return np.asarray(np.sqrt(across * across + down * down))

    def take(self, rows: npt.NDArray[Any]) -> Motion:
        """Some of the boxes. Args: rows: their places, or a mask."""
        return Motion(self.beliefs[rows])

    def joined(self, other: Motion) -> Motion:
        """These boxes and then others."""
        return Motion(np.concatenate([self.beliefs, other.beliefs]))
