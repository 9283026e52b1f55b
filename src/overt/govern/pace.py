# SPDX-License-Identifier: Apache-2.0
"""How fast the policy decides, with many rules. For `overt bench conduct`; judges nothing itself."""

from __future__ import annotations

import datetime as dt
import statistics
import time
from dataclasses import dataclass, replace

from overt.govern import rulebook
from overt.govern.policy import Policy, never_halted
from overt.govern.question import Question
from overt.types import Intent


@dataclass(frozen=True, slots=True)
class Pace:
    """Microseconds a decision takes. fresh: of questions never asked before; again: asked before in the same second.

    p50, p99: percentiles.
    """

    policies: int
    are_general: bool
    fresh_p50: float
    fresh_p99: float
    again_p50: float
    again_p99: float


def measure(policies: int = 1000, *, are_general: bool = False, decisions: int = 1000) -> Pace:
    """Time decisions under a police pack and further rules, none of which forbids what is asked.

    Args: policies: further rules. are_general: each applies to every collection; else each to one of its own.
    decisions: how many are timed of either kind.
    """
    text = "\n".join(_rule(number, are_general=are_general) for number in range(policies))
    policy = Policy(rulebook.read('pack = "police-washco-detroit"', {"many.cedar": text}), never_halted)
    now = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
    question = Question(
        "SearchFacesByImage",
        "operator",
        now,
        account="000000000001",
        collection="gallery-7",
        intent=Intent("badge-1", "robbery", "case-1", probe_kind="photo"),
        trained_until=now + dt.timedelta(days=9),
    )
    ruling = policy.decide(question)
    if not ruling.allowed:
        msg = f"the benchmark asks what is refused: {ruling.reason}"
        raise RuntimeError(msg)
    fresh = [_time(policy, replace(question, moment=now + dt.timedelta(seconds=1 + each))) for each in range(decisions)]
    again = [_time(policy, question) for _ in range(decisions)]
    return Pace(policies, are_general, *_percentiles(fresh), *_percentiles(again))


def _rule(number: int, *, are_general: bool) -> str:
    resource = "resource" if are_general else f'resource == Collection::"gallery-{number}"'
    return (
        f'@id("further-{number}") @reason("Not for purpose {number}.")\n'
        f'forbid (principal, action in Action::"Seek", {resource}) when {{ context.purpose == "purpose-{number}" }};'
    )


def _time(policy: Policy, question: Question) -> float:
    started = time.perf_counter()
    policy.decide(question)
    return (time.perf_counter() - started) * 1e6


def _percentiles(times: list[float]) -> tuple[float, float]:
    return statistics.median(times), statistics.quantiles(times, n=100)[98]
