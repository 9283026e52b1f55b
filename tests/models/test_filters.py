# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from overt.models.filters import LabelFilter, WordFilter
from overt.types import Label, Text

DOG = Label("Dog", 0.9, categories=("Animals",))


@pytest.mark.parametrize(
    ("wanted", "passes"),
    [
        (LabelFilter(), True),
        (LabelFilter(names=frozenset({"Dog"})), True),
        (LabelFilter(names=frozenset({"dog"})), False),
        (LabelFilter(categories=frozenset({"Animals"})), True),
        (LabelFilter(names=frozenset({"Cat"}), categories=frozenset({"Animals"})), True),
        (LabelFilter(not_names=frozenset({"Dog"})), False),
        (LabelFilter(not_categories=frozenset({"Animals"})), False),
        (LabelFilter(names=frozenset({"Dog"}), not_categories=frozenset({"Animals"})), False),
    ],
)
def test_a_label_passes_by_name_and_category(wanted: LabelFilter, *, passes: bool) -> None:
    assert wanted.passes(DOG) == passes


def word(text: str, left: float, line: int | None = 0, sure: float = 0.9) -> Text:
    corners = np.array([(left, 0.1), (left + 0.2, 0.1), (left + 0.2, 0.2), (left, 0.2)], np.float32)
    return Text(text, sure, corners, line)


def test_lines_are_told_with_their_wanted_words_and_numbered() -> None:
    lines = [word("NO ENTRY", 0.0, None), word("at all", 0.6, None)]
    words = [word("NO", 0.0), word("ENTRY", 0.3), word("at", 0.6, 1), word("all", 0.8, 1, sure=0.5)]
    kept = WordFilter(confidence=0.8).kept(lines, words)
    assert [(each.text.text, each.number, each.parent) for each in kept] == [
        ("NO ENTRY", 0, None),
        ("at all", 1, None),
        ("NO", 2, 0),
        ("ENTRY", 3, 0),
        ("at", 4, 1),
    ]
    left = WordFilter(regions=("POLYGON ((0 0, 0.25 0, 0.25 1, 0 1, 0 0))",))
    assert [each.text.text for each in left.kept(lines, words)] == ["NO ENTRY", "NO"]
    assert left.touches(lines[0].corners)
    assert not left.touches(lines[1].corners)


def test_small_words_are_left_out() -> None:
    assert not WordFilter(height=0.15).passes(word("NO", 0.0))
    assert not WordFilter(width=0.3).passes(word("NO", 0.0))
    assert WordFilter(height=0.09, width=0.1).passes(word("NO", 0.0))
