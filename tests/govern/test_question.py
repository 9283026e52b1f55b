# SPDX-License-Identifier: Apache-2.0
"""A question is sound or is told not to be; what is kept of it asks the same again."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from typing import Any

import pytest
from asking import NOW, good, telling

from overt.govern import actions
from overt.govern.question import Place, Question, context, problem
from overt.types import Intent


@pytest.mark.parametrize("action", ["SearchFaces", "StartStreamProcessor", "IndexFaces", "DetectLabels"])
def test_what_is_kept_of_a_question_asks_the_same_again(action: str) -> None:
    question = good("open", action)
    kept = json.loads(json.dumps(question.record()))
    assert Question.read(kept) == question
    bare = Question(action, "owner", NOW)
    assert Question.read(json.loads(json.dumps(bare.record()))) == bare


def test_unknown_facts_are_not_passed_over() -> None:
    with pytest.raises(ValueError, match="unknown facts: colour"):
        Question.read({**good("open").record(), "colour": "red"})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"action": "Nope"}, "is no action"),
        ({"action": ["SearchFaces"]}, "is no action"),
        ({"role": "root"}, "is no role"),
        ({"role": None}, "is no role"),
        ({"source": "cron"}, "where the call comes from"),
        ({"phase": ""}, "where the call comes from"),
        ({"intent": None}, "intent is not told"),
        ({"intent": Intent(purpose=None)}, "purpose is no text"),
        ({"intent": Intent(purpose="x" * 2000)}, "purpose is no text"),
        ({"intent": Intent(case="a\nb")}, "case is no text"),
        ({"intent": Intent(case="\ud800")}, "case is no text"),
        ({"moment": "today"}, "moment is no moment"),
        ({"moment": NOW.replace(tzinfo=None)}, "moment is no moment"),
        ({"trained_until": 5}, "trained_until is no moment"),
        ({"quality": 101}, "quality is no whole number"),
        ({"quality": -1}, "quality is no whole number"),
        ({"quality": 50.0}, "quality is no whole number"),
        ({"quality": True}, "quality is no whole number"),
        ({"faces": "many"}, "faces is no whole number"),
        ({"window": "open"}, "window is not told"),
        ({"place": Place("gate", is_inside="yes")}, "place.is_inside"),
        ({"collection": ""}, "which collection"),
        ({"collection": None}, "collection is no text"),
    ],
)
def test_what_is_garbled_is_told(changes: dict[str, Any], words: str) -> None:
    assert problem(good("open")) == ""
    assert words in problem(replace(good("open"), **changes))


def test_every_attribute_is_there_whatever_was_told() -> None:
    def shape(value: Any) -> Any:
        return {name: shape(each) for name, each in value.items()} if isinstance(value, dict) else type(value)

    for action in actions.GROUPS:
        full = context(good("open", action), zone=dt.UTC)
        bare = context(Question(action, "owner", NOW), zone=dt.UTC)
        assert shape(full) == shape(bare)


def test_the_time_of_day_is_of_the_zone() -> None:
    facts = context(telling(good("open")), zone=dt.timezone(dt.timedelta(hours=13)))
    assert (facts["weekday"], facts["minute"]) == (3, 60)
