# SPDX-License-Identifier: Apache-2.0
"""Many callers, one pass: questions asked while another pass is under way are answered together in the next one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Question = TypeVar("Question")
Reply = TypeVar("Reply")

_MOST = 64  # questions in one pass: a pass of more takes so long that the first would better have gone ahead


@dataclass(slots=True)
class _Entry(Generic[Question, Reply]):
    question: Question
    reply: Reply | None = None
    error: BaseException | None = None
    is_done: bool = False


class Batcher(Generic[Question, Reply]):
    """Answers questions in passes, one pass at a time. A lone caller waits for nobody."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._line = threading.Lock()
        self._waiting: list[_Entry[Question, Reply]] = []

    def ask(self, question: Question, answer: Callable[[Sequence[Question]], Sequence[Reply]]) -> Reply:
        """The reply to one question.

        Args: answer: a pass; gives as many replies as it gets questions, in their order. It is called with other
            callers' questions too, who all give the same one.
        Raises: what the pass that the question was in raised.
        """
        entry: _Entry[Question, Reply] = _Entry(question)
        with self._line:
            self._waiting.append(entry)
        with self._turn:
            while not entry.is_done:  # whoever had the turn before may have answered it
                self._pass(answer)
        if entry.error is not None:
            raise entry.error
        return entry.reply  # type: ignore[return-value]  # a Reply once it is done without an error

    def _pass(self, answer: Callable[[Sequence[Question]], Sequence[Reply]]) -> None:
        with self._line:
            batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
        try:
            replies = answer([entry.question for entry in batch])
            for entry, reply in zip(batch, replies, strict=True):
                entry.reply = reply
        except BaseException as error:  # noqa: BLE001 - every caller raises it in its own thread
            for entry in batch:
                entry.error = error
        finally:
            for entry in batch:
                entry.is_done = True
