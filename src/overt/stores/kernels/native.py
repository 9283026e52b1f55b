# SPDX-License-Identifier: Apache-2.0
"""The kernel in C, where the distribution `overt-kernels` is installed: reads codes as fast as memory gives them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import overt_kernels

from overt.stores.codes import Probe, Rows
from overt.stores.kernels.base import Candidates, Hidden

# The sum of products is exact. Scores are then rounded to float32, as are the lengths that the margin is made of, and
# each of these few roundings moves a number of about 1 by 6e-8.
_SLACK = 1e-5


class NativeKernel:
    """Codes of rows times codes of probes, with the best instructions this machine has, or those of a level."""

    def __init__(self, level: str | None = None) -> None:
        """Args: level: one of `levels()`; the best of them by default."""
        self._level = level or levels()[0]

    @property
    def name(self) -> str:
        """The rung and the instructions."""
        return f"native {self._level}"

    def scan(self, rows: Rows, probes: Sequence[Probe], hidden: Hidden | None = None) -> list[Candidates]:
        """See `Kernel.scan`. The margin has a part of the rows' and one of the probe's, both being codes."""
        margins = [rows.residual + probe.residual * rows.reach + _SLACK for probe in probes]
        found = overt_kernels.scan(
            self._level,
            rows.codes,
            rows.scales,
            np.stack([probe.code for probe in probes]),
            np.array([probe.scale for probe in probes], np.float32),
            np.array(margins, np.float64),
            np.array([probe.floor for probe in probes], np.float64),
            np.array([probe.limit for probe in probes], np.int64),
            hidden,
        )
        return [
            Candidates(np.frombuffer(numbers, np.int64), np.frombuffer(scores, np.float32), margin, cut)
            for margin, (numbers, scores, cut) in zip(margins, found, strict=True)
        ]


def levels() -> list[str]:
    """The levels of instructions this machine can run, best first."""
    named: list[str] = overt_kernels.levels()
    return named
