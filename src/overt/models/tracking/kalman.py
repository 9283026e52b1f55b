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

    places: (n, 4) float64, middle x and y, width over height, height; lengths in heights of the picture. speeds:
    (n, 4), the same a second. spreads: (3, n, 4), variance of the place, covariance, variance of the speed.
    """

    places: Doubles
    speeds: Doubles
    spreads: Doubles

    @classmethod
    def begin(cls, places: Doubles, pace: float) -> Motion:
        """Boxes seen for the first time. Args: places: (n, 4). pace: heights of the box a second, usual at most."""
        heights = _heights(places)
        variances = np.square(_MEASURED * heights), np.zeros_like(places), np.square(_SPEED * pace * heights)
        return cls(places.copy(), np.zeros_like(places), np.stack(variances))

    def after(self, seconds: float, pace: float) -> Motion:
        """The same boxes later. Args: seconds: 0 or more; two steps give what one as long as both gives."""
        heights = _heights(self.places)
        place, both, speed = self.spreads
        push = np.square(_PUSH * pace * heights) * seconds
        drift = np.square(_DRIFT * heights) * seconds
        # White noise on speed and place, integrated. Source: Bar-Shalom et al., Estimation with Applications, 6.2.2.
        spreads = np.empty_like(self.spreads)
        spreads[0] = place + (2 * both + speed * seconds) * seconds + drift + push * seconds**2 / 3
        spreads[1] = both + speed * seconds + push * seconds / 2
        spreads[2] = speed + push
        places = self.places + self.speeds * seconds
        places[:, 2:] = np.maximum(places[:, 2:], TINY)
        return Motion(places, self.speeds, spreads)

    def seen(self, rows: npt.NDArray[np.intp], places: Doubles) -> Motion:
        """The same, some of them corrected by a sight. Args: rows: which, each once. places: (len(rows), 4)."""
        now, speeds, spreads = self.places.copy(), self.speeds.copy(), self.spreads.copy()
        place, both, speed = spreads[:, rows]
        total = place + np.square(_MEASURED * _heights(now[rows]))
        surprise = (places - now[rows]) / total
        now[rows] += place * surprise
        speeds[rows] += both * surprise
        rest = 1 - place / total
        spreads[:, rows] = place * rest, both * rest, speed - both * both / total
        now[rows, 2:] = np.maximum(now[rows, 2:], TINY)
        return Motion(now, speeds, spreads)

    def distances(self, places: Doubles) -> Doubles:
        """How unlikely the middles of m sights are: (n, m) distances in standard deviations (Mahalanobis)."""
        spreads = np.sqrt(self.spreads[0, :, :2] + np.square(_MEASURED[:2] * _heights(self.places)))
        across = (self.places[:, 0, None] - places[:, 0]) / spreads[:, 0, None]
        return np.hypot(across, (self.places[:, 1, None] - places[:, 1]) / spreads[:, 1, None])

    def take(self, rows: npt.NDArray[Any]) -> Motion:
        """Some of the boxes. Args: rows: their places, or a mask."""
        return Motion(self.places[rows], self.speeds[rows], self.spreads[:, rows])

    def joined(self, other: Motion) -> Motion:
        """These boxes and then others."""
        return Motion(
            np.concatenate([self.places, other.places]),
            np.concatenate([self.speeds, other.speeds]),
            np.concatenate([self.spreads, other.spreads], 1),
        )


def _heights(places: Doubles) -> Doubles:
    """(n, 1) heights, none of them nothing."""
    return np.maximum(places[:, _HEIGHT:], TINY)
