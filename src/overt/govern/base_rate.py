# SPDX-License-Identifier: Apache-2.0
"""How many alerts of a watch list will be false, before it starts: rare people make even rare errors the most of them.

Closed forms over rates that others have measured. Knows no model, no stream and no person.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Day:
    """What passes, and how often searches are wrong.

    faces: seen a day, each looked for once. listed: how many of them are of people on the list. fpir: share of searches
    for others that give an alert all the same. tpir: share of those for the listed that give the right one.
    Raises: ValueError when these cannot be.
    """

    faces: float
    listed: float
    fpir: float
    tpir: float

    def __post_init__(self) -> None:
        """See the class."""
        if not 0 <= self.listed <= self.faces or not math.isfinite(self.faces):
            raise ValueError("of the faces a day, from none to all may be of people on the list")
        if not (0 <= self.fpir <= 1 and 0 <= self.tpir <= 1):
            raise ValueError("FPIR and TPIR are shares, 0..1")

    @property
    def false_alerts(self) -> float:
        """How many to expect a day."""
        return (self.faces - self.listed) * self.fpir

    @property
    def true_alerts(self) -> float:
        """How many to expect a day."""
        return self.listed * self.tpir

    @property
    def missed(self) -> float:
        """How many listed people to expect to pass unnoticed a day."""
        return self.listed - self.true_alerts

    @property
    def ppv(self) -> float | None:
        """The share of alerts that are right (positive predictive value), 0..1; None where no alert is expected."""
        return predictive_value(self.true_alerts, self.false_alerts)

    @property
    def highest_fpir(self) -> float | None:
        """The FPIR at which half of the alerts are right; None where nobody else passes."""
        others = self.faces - self.listed
        return min(1.0, self.true_alerts / others) if others else None


def predictive_value(true_alerts: float, false_alerts: float) -> float | None:
    """The share of alerts that are right, 0..1; None without alerts."""
    alerts = true_alerts + false_alerts
    return true_alerts / alerts if alerts else None


def usual(expected: float, share: float = 0.95) -> tuple[int, int]:
    """Between how many alerts a day lies on that share of days, if they come independently of one another (Poisson)."""
    from scipy.stats import poisson  # noqa: PLC0415 - 0.5 s that only evaluations pay

    if not expected:
        return 0, 0
    low, high = poisson.interval(share, expected)
    return int(low), int(high)


def for_list(fpir: float, measured_at: int, size: int) -> float:
    """An FPIR measured with one list size, at another: 1 - (1 - FPIR)^(size / measured_at).

    As if every entry were as likely to be taken for a passer-by, and independently; about proportional while small.
    Source: ISO/IEC 19795-1, 1:N from 1:1 rates; NPL's 2023 trial found ten times the FPIR for ten times the list.
    """
    if not 0 <= fpir <= 1 or measured_at < 1 or size < 0:
        raise ValueError("FPIR is a share, 0..1, and a list has a size")
    return 1.0 if fpir == 1 and size else -math.expm1(size / measured_at * math.log1p(-fpir)) if size else 0.0
