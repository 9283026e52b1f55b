# SPDX-License-Identifier: Apache-2.0
"""What another policy would have said to calls of the past. Knows no log: whoever has one gives its calls."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from overt.govern.policy import Policy
from overt.govern.question import Question


class PastCall(Protocol):
    """A call as a log keeps it. verdict: allow, deny or none. facts: what `Question.record` gave, empty = not kept."""

    @property
    def call_id(self) -> str:
        """Its id."""

    @property
    def time(self) -> dt.datetime:
        """When it came."""

    @property
    def operation(self) -> str:
        """Its name."""

    @property
    def verdict(self) -> str:
        """What the policy said then."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What was asked."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A call to which another policy says something else. was, would_be: allow, deny, or "unknown" without facts."""

    call_id: str
    time: dt.datetime
    operation: str
    was: str
    would_be: str
    reason: str
    rules: tuple[str, ...]


def replay(calls: Iterable[PastCall], policy: Policy) -> Iterator[Difference]:
    """The calls to which a policy says something else than was said then, in their order.

    Calls that never came to the policy (verdict none) are left out; those whose facts were not kept, or cannot be read,
    are told as unknown rather than passed over. Give a policy with `never_halted`, or today's moratorium is in it.
    """
    for call in calls:
        if call.verdict == "none":
            continue
        try:
            question = Question.read(call.facts)
        except (KeyError, TypeError, ValueError) as error:
            reason = f"its facts cannot be read: {error!r}"
            yield Difference(call.call_id, call.time, call.operation, call.verdict, "unknown", reason, ())
            continue
        ruling = policy.decide(question)
        would_be = "allow" if ruling.allowed else "deny"
        if would_be != call.verdict:
            yield Difference(
                call.call_id, call.time, call.operation, call.verdict, would_be, ruling.reason, ruling.rules
            )
