# SPDX-License-Identifier: Apache-2.0
"""The moratorium: one person stops face analysis at once, two different people have to agree before it goes on.

Knows the store and what is asked of the policy. Deleting, reading and what shows no faces is not stopped.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Sequence
from threading import Lock

from overt.govern.question import Question
from overt.govern.ruling import Refusal
from overt.stores.base import Approval, Halt, Stores

PEOPLE = 2  # different ones, to lift a moratorium
_SECONDS = 0.5  # after which what is in force is looked up again; within a second all servers must have stopped


def begin(stores: Stores, person: str, reason: str, *, collection: str = "", purpose: str = "") -> Halt:
    """Stop face analysis, of one collection or for one purpose or altogether. Returns once it is durable.

    Raises: ValueError unless it is told who and why.
    """
    person, reason = _told(person, reason)
    with stores.write() as unit:
        return unit.halts.begin(collection, purpose, dt.datetime.now(dt.UTC), person, reason)


def approve(stores: Stores, number: int, person: str, reason: str) -> Halt:
    """Note that somebody wants a moratorium lifted; with the second person it is.

    Raises: NotFoundError when none of that number stands; ValueError unless it is told who and why.
    """
    person, reason = _told(person, reason)
    with stores.write() as unit:
        return unit.halts.approve(number, Approval(person, dt.datetime.now(dt.UTC), reason), PEOPLE)


def on_everything(stores: Stores) -> Halt | None:
    """The moratorium on all face analysis that stands, None for none. Raises: StoreError."""
    with stores.read() as unit:
        return next((halt for halt in unit.halts.standing() if not halt.collection and not halt.purpose), None)


class Moratorium:
    """What is in force, for the policy to ask at every call. clock: seconds that never run back."""

    def __init__(self, stores: Stores, clock: Callable[[], float] = time.monotonic) -> None:
        self._stores = stores
        self._clock = clock
        self._lock = Lock()
        self._standing: Sequence[Halt] = ()
        self._until = float("-inf")

    def __call__(self, question: Question) -> Refusal | None:
        """Why face analysis is stopped for a question, None when it is not. Raises: StoreError."""
        halt = self.is_on(question.collection, question.intent.purpose)
        if halt is None:
            return None
        scope = "".join(f" for {noun} {value}" for noun, value in _scope(halt))
        return Refusal(
            "moratorium",
            f"Face analysis{scope} is stopped since {halt.begun.isoformat(timespec='seconds')}.",
            f"Two people have to lift moratorium {halt.number}: overt moratorium status.",
        )

    def is_on(self, collection: str = "", purpose: str = "") -> Halt | None:
        """The moratorium that covers a call, None for none. A call that tells no purpose is covered by all of them.

        A call that names no collection is one on none, and covered by moratoria on all only. Raises: StoreError.
        """
        for halt in self._in_force():
            if halt.collection in {"", collection} and (not purpose or halt.purpose in {"", purpose}):
                return halt
        return None

    def _in_force(self) -> Sequence[Halt]:
        with self._lock:
            now = self._clock()
            if now >= self._until:
                with self._stores.read() as unit:
                    self._standing = unit.halts.standing()
                self._until = now + _SECONDS
            return self._standing


def _scope(halt: Halt) -> list[tuple[str, str]]:
    return [(noun, value) for noun, value in (("collection", halt.collection), ("purpose", halt.purpose)) if value]


def _told(person: str, reason: str) -> tuple[str, str]:
    # As names are compared: the same person must not count twice by another spelling.
    person, reason = " ".join(person.split()).casefold(), reason.strip()
    if not person or not reason:
        msg = "it has to be told who wants it and why"
        raise ValueError(msg)
    return person, reason
