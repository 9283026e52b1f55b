# SPDX-License-Identifier: Apache-2.0
"""What the policy says to a question: yes or no, by which rules, and under which conditions. Knows no rule itself."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

REVIEWS = ("off", "one", "two")  # how many people decide on a lead; stricter to the right
MODES = ("clamp", "reject")  # what becomes of a request beyond the limits; stricter to the right


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why not. rule: its name. reason: what happened; step: what to do about it."""

    rule: str
    reason: str
    step: str = ""

    @property
    def words(self) -> str:
        """For the caller."""
        return f"{self.reason} (rule {self.rule}) {self.step}".strip()


@dataclass(frozen=True, slots=True)
class Obligations:
    """What whoever carries a call out has to keep to.

    floor: similarity 0..1 below which nothing leaves. maximum: candidates at most, None = as many as asked for.
    review: off, one or two people decide on each lead. mode: clamp or reject. notice: text that goes with each result.
    drop: attributes of faces that are left out. least_quality: 0..100 of a probe. end: when a stream has to stop.
    """

    floor: float = 0.0
    maximum: int | None = None
    review: str = "off"
    mode: str = "clamp"
    notice: str = ""
    drop: frozenset[str] = frozenset()
    least_quality: int = 0
    end: dt.datetime | None = None


# With a refusal: were anything shown in spite of it, it would be nothing.
NOTHING = Obligations(floor=1.0, maximum=0, review="two", mode="reject", least_quality=100)


@dataclass(frozen=True, slots=True)
class Ruling:
    """The policy's answer. reason: words for the caller, "" when allowed. rules: names of those that decided.

    pack, digest: which law pack, and the sha256 of all rules in force.
    """

    allowed: bool
    reason: str
    rules: tuple[str, ...]
    pack: str
    digest: str
    obligations: Obligations


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for. threshold: similarity 0..1; most: candidates; None = not said."""

    threshold: float | None = None
    most: int | None = None


def settle(ruling: Ruling, asked: Asked) -> tuple[Ruling, Asked]:
    """What a search is to be done with: never a lower threshold or more candidates than the ruling allows.

    Under mode `clamp` requests beyond the limits are brought back to them, under `reject` the ruling becomes a refusal.
    What was not said is set to the limit. A threshold that is no number counts as below the floor.
    """
    duty = ruling.obligations
    low = asked.threshold is not None and not duty.floor <= asked.threshold
    many = asked.most is not None and duty.maximum is not None and asked.most > duty.maximum
    settled = Asked(
        duty.floor if asked.threshold is None or low else asked.threshold,
        duty.maximum if asked.most is None or many else asked.most,
    )
    if ruling.allowed and duty.mode == "reject" and (low or many):
        refusal = (
            Refusal("limit-floor", "The threshold is too low.", f"Ask for {duty.floor * 100:g} or more.")
            if low
            else Refusal("limit-maximum", "Too many candidates are asked for.", f"Ask for {duty.maximum} or fewer.")
        )
        return replace(ruling, allowed=False, reason=refusal.words, rules=(refusal.rule,), obligations=NOTHING), settled
    return ruling, settled
