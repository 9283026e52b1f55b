# SPDX-License-Identifier: Apache-2.0
"""Questions that each law pack allows, from which tests take one thing away at a time."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from overt.govern import rulebook
from overt.govern.policy import Policy, never_halted
from overt.govern.question import Entry, Place, Question, Window
from overt.types import Intent

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)  # a Tuesday
DAY = dt.timedelta(days=1)
PURPOSES = {
    "research": "evaluation",
    "private-consent": "entry",
    "identity-verify": "duplicate-check",
    "retail": "theft-prevention",
    "police-washco-detroit": "robbery",
    "police-washington": "missing-person",
    "police-virginia": "threat-to-life",
    "police-uk-live": "wanted",
    "eu-high-risk": "victim-or-missing",
    "humanitarian": "missing-person",
}
FIGURES = {"false-match-rate": 12000, "accuracy": 0.985, "false-alert-rate": 7000}
BASES = {
    "police-washco-detroit": "life-in-danger",
    "police-washington": "warrant",
    "police-uk-live": "deployment",
    "eu-high-risk": "warrant",
}


def evidence(pack: str, *without: str) -> str:
    from overt.govern import lawpack

    return "\n".join(
        f'[evidence.{name}]\nreference = "on the wall"\nuntil = 2027-01-01'
        + (f"\nfigure = {FIGURES[name]}" if name in FIGURES else "")
        for name in lawpack.load(pack).demands
        if name not in without
    )


def policy(pack: str, *, without: tuple[str, ...] = (), own: dict[str, str] | None = None, more: str = "") -> Policy:
    return Policy(rulebook.read(f'pack = "{pack}"\n{more}\n{evidence(pack, *without)}', own or {}), never_halted)


def good(pack: str, action: str = "SearchFacesByImage", **changes: Any) -> Question:
    """With everything that the pack can ask for."""
    question = Question(
        action=action,
        role="operator",
        moment=NOW,
        account="000000000001",
        collection="people",
        intent=Intent("badge-17", PURPOSES.get(pack, "any"), "case-1", "statute", "photo", "order-1"),
        quality=90,
        faces=500,
        trained_until=NOW + DAY,
        window=Window("order-1", BASES.get(pack, "warrant"), "judge", NOW - DAY / 4, NOW + DAY / 4),
        place=Place("gate", is_inside=True, tags=frozenset({"ordinary"})),
        entry=Entry("consent-1", "a reason", "an approver", NOW + DAY / 2),
    )
    return replace(question, **changes)


def telling(question: Question, **changes: str) -> Question:
    return replace(question, intent=replace(question.intent, **changes))
