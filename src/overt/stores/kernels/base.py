# SPDX-License-Identifier: Apache-2.0
"""What a search kernel must do. Knows rows, codes and scores; not faces, files or threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from overt.stores.codes import Numbers, Probe, Rows
from overt.types import Floats

Hidden = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Candidates:
    """The rows among which the answer to one probe lies.

    rows: (m,) row numbers, in no order. scores: (m,) float32. margin: no row's score, returned or not, is further than
    this from its cosine. cut: every row that is neither here nor hidden has a score below this; minus infinity when
    all are here.
    """

    rows: Numbers
    scores: Floats
    margin: float
    cut: float


class Kernel(Protocol):
    """A scan of all rows for many probes at once. Safe to call from many threads; starts none of its own."""

    @property
    def name(self) -> str:
        """What `overt doctor` calls it, with the instructions it uses."""

    def scan(self, rows: Rows, probes: Sequence[Probe], hidden: Hidden | None = None) -> list[Candidates]:
        """Candidates for each probe, in the probes' order.

        For each probe all rows are returned, hidden ones apart, that could be among its `limit` best or tie with the
        last of them, and of these only rows that could reach its `floor`. So `cut` is at most the larger of
        `floor - margin` and `s - 2 * margin`, s being the limit-th best score; more rows may come than that asks for.

        Args: rows: n >= 0 of them; codes C-contiguous, from a file perhaps. hidden: (n,), rows to leave out.
        """
