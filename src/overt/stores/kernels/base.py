# SPDX-License-Identifier: Apache-2.0
"""What a search kernel must do. Knows rows and cosines, not faces."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from overt.types import Floats

Numbers = npt.NDArray[np.int64]
Cosines = npt.NDArray[np.float64]


class Kernel(Protocol):
    """An exact scan."""

    def top(
        self, matrix: Floats, probe: Floats, limit: int, floor: float, hidden: Numbers | None = None
    ) -> tuple[Numbers, Cosines]:
        """The rows most like the probe.

        Args: matrix (n, dimension) and probe (dimension,), unit float32; limit >= 0 rows; floor: least cosine, -1..1;
            hidden: row numbers to leave out.
        Returns: row numbers (m,) and their cosines (m,), summed in float64, cosine descending. m exceeds `limit` where
            rows tie with the last: the kernel cannot break ties, as it knows no ids.
        """
