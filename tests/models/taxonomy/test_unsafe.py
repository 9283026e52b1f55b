# SPDX-License-Identifier: Apache-2.0
"""The moderation labels are complete, and what speaks for them exists."""

from __future__ import annotations

from collections import Counter

from overt.models.taxonomy import Taxonomy
from overt.models.taxonomy.unsafe import (
    CONTENT_TYPES,
    EVIDENCE,
    ILLUSTRATED,
    LEVELS,
    OLDER,
    PROMPTS,
    STYLES,
    above,
    as_older,
)
from overt.types import Unsafe


def test_there_are_52_labels_on_three_levels() -> None:
    assert Counter(level for level, _ in LEVELS.values()) == {1: 10, 2: 20, 3: 22}


def test_each_label_lies_below_one_of_the_level_above() -> None:
    for name, (level, parent) in LEVELS.items():
        assert (LEVELS[parent][0] if parent else 0) == level - 1
        assert len(above(name)) == level - 1
    assert above("Pills") == ("Products", "Drugs & Tobacco")
    assert above("Animated") == ()


def test_what_speaks_for_a_category_is_a_label_by_its_very_name() -> None:
    taxonomy = Taxonomy.read()
    for label in (ILLUSTRATED, *(label for labels in EVIDENCE.values() for label in labels)):
        assert label in taxonomy.names, label
    assert set(EVIDENCE) | set(PROMPTS) <= set(LEVELS)
    assert set(STYLES) <= set(CONTENT_TYPES)


def test_every_label_has_an_older_name_of_two_levels() -> None:
    assert set(OLDER) == set(LEVELS)
    tops = {parent or name for name, parent in OLDER.values()}
    for name, parent in OLDER.values():
        assert parent in tops or not parent
        assert (name in tops) == (parent == ""), name


def test_an_older_name_comes_once_with_its_surest_confidence() -> None:
    labels = (
        Unsafe("Explicit", "", 1, 0.9),
        Unsafe("Explicit Nudity", "Explicit", 2, 0.8),
        Unsafe("Exposed Female Nipple", "Explicit Nudity", 3, 0.7),
    )
    assert as_older(labels) == (Unsafe("Explicit Nudity", "", 0, 0.9), Unsafe("Nudity", "Explicit Nudity", 0, 0.8))
