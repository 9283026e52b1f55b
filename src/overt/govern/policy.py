# SPDX-License-Identifier: Apache-2.0
"""The policy: may this be done, and under which conditions? Knows rules, limits and moratoria; no call and no HTTP.

It fails closed: whatever goes wrong while it is asked, the answer is no.
"""

from __future__ import annotations

from collections.abc import Callable

from overt.govern import actions, limits
from overt.govern.cedar import ERROR
from overt.govern.question import Question, context, problem
from overt.govern.rulebook import Rulebook
from overt.govern.ruling import NOTHING, Refusal, Ruling

# Whether face analysis is stopped for a question: why, None = it is not.
Halted = Callable[[Question], Refusal | None]


def never_halted(_question: Question) -> Refusal | None:
    """For questions that are only tried out."""
    return None


class Policy:
    """Decides, from any thread. halted: whether a moratorium covers a question."""

    def __init__(self, rulebook: Rulebook, halted: Halted) -> None:
        self.rulebook = rulebook
        self._halted = halted

    def decide(self, question: Question) -> Ruling:
        """The ruling. Raises nothing: an error is a refusal by the rule `engine-error`."""
        try:
            refusals = self._refusals(question)
            if refusals:
                return self._refused(refusals)
            own = self.rulebook.limits(question.collection)
            return Ruling(
                allowed=True,
                reason="",
                rules=("base",),
                pack=self.rulebook.pack.name,
                digest=self.rulebook.digest,
                obligations=own.obligations(question),
            )
        except Exception:  # noqa: BLE001 - whatever it is, nobody gets past it
            return self._refused((ERROR,))

    def _refusals(self, question: Question) -> tuple[Refusal, ...]:
        if words := problem(question):
            return (Refusal("question", f"What was asked cannot be judged: {words}."),)
        if actions.is_in(question.action, "Face") and (halt := self._halted(question)) is not None:
            return (halt,)
        own = self.rulebook.limits(question.collection)
        facts = context(
            question,
            zone=limits.zone(own.zone),
            evidence=self.rulebook.shown(question.moment.astimezone(limits.zone(own.zone)).date()),
            is_isolated=own.is_isolated,
        )
        asked = self.rulebook.rules.ask(question.action, question.role, question.collection, facts, is_sound=True)
        return (*own.refusals(question), *asked)

    def _refused(self, refusals: tuple[Refusal, ...]) -> Ruling:
        return Ruling(
            allowed=False,
            reason=" ".join(refusal.words for refusal in refusals),
            rules=tuple(refusal.rule for refusal in refusals),
            pack=self.rulebook.pack.name,
            digest=self.rulebook.digest,
            obligations=NOTHING,
        )
