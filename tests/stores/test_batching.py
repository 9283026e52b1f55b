# SPDX-License-Identifier: Apache-2.0
"""Questions that come together are answered together, each with its own reply."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from overt.stores.batching import Batcher


def test_a_lone_question_is_a_pass_of_its_own() -> None:
    passes: list[list[int]] = []

    def double(questions: Sequence[int]) -> list[int]:
        passes.append(list(questions))
        return [2 * question for question in questions]

    batcher: Batcher[int, int] = Batcher()
    assert [batcher.ask(number, double) for number in range(3)] == [0, 2, 4]
    assert passes == [[0], [1], [2]]


def test_questions_that_wait_share_a_pass() -> None:
    first, go = threading.Event(), threading.Event()
    passes: list[int] = []

    def double(questions: Sequence[int]) -> list[int]:
        passes.append(len(questions))
        if len(passes) == 1:
            first.set()
            assert go.wait(30)
        return [2 * question for question in questions]

    batcher: Batcher[int, int] = Batcher()
    with ThreadPoolExecutor(101) as threads:
        lead = threads.submit(batcher.ask, 0, double)
        assert first.wait(30)
        rest = [threads.submit(batcher.ask, number, double) for number in range(1, 101)]
        while len(batcher._waiting) < 100:
            pass
        go.set()
        assert lead.result() == 0
        assert [each.result() for each in rest] == [2 * number for number in range(1, 101)]
    assert passes == [1, 64, 36]


def test_an_error_reaches_everybody_in_the_pass_and_nobody_else() -> None:
    def divide(questions: Sequence[int]) -> list[float]:
        return [1 / question for question in questions]

    batcher: Batcher[int, float] = Batcher()
    with pytest.raises(ZeroDivisionError):
        batcher.ask(0, divide)
    assert batcher.ask(2, divide) == 0.5
