# SPDX-License-Identifier: Apache-2.0
"""What a home folder says is read whole, or refused in words."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from overt.govern import rulebook
from overt.govern.limits import PolicyError

OWN = '@id("own") @reason("Not here.") forbid (principal, action, resource == Collection::"attic");'


def test_a_new_home_has_face_search_off(tmp_path: Path) -> None:
    assert rulebook.load(tmp_path).pack.name == "none"


def test_a_choice_is_kept_with_all_else_in_the_file(tmp_path: Path) -> None:
    (tmp_path / rulebook.FILE).write_text("[collections.people]\nfloor = 99.5\n")
    rulebook.choose(tmp_path, "retail")
    book = rulebook.load(tmp_path)
    assert book.pack.name == "retail"
    assert book.limits("people").floor == 0.995
    assert book.limits("others").floor == 0.95
    assert [path.name for path in tmp_path.iterdir()] == [rulebook.FILE]


def test_a_choice_that_cannot_be_loaded_is_not_made(tmp_path: Path) -> None:
    rulebook.choose(tmp_path, "open")
    (tmp_path / rulebook.FILE).write_text('pack = "open"\n[collections.people]\nfloor = 50\n')
    with pytest.raises(PolicyError, match="people: floor would allow more"):
        rulebook.choose(tmp_path, "retail")
    assert rulebook.load(tmp_path).pack.name == "open"


def test_own_rules_come_on_top_and_change_the_digest(tmp_path: Path) -> None:
    before = rulebook.load(tmp_path, "open")
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "attic.cedar").write_text(OWN)
    after = rulebook.load(tmp_path, "open")
    assert "own" in after.rules.by_name
    assert after.files == ("attic.cedar",)
    assert before.digest != after.digest
    assert before.pack.digest == after.pack.digest


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("pack = ", "it is no TOML"),
        ('pack = "nowhere"', "no law pack nowhere"),
        ("packs = 1", "no such key: packs"),
        ("collections = 1", "collections is a table"),
        ("[collections]\npeople = 1", "collections.people is a table"),
        ("[collections.people]\nfloors = 1", "no such limit: floors"),
        ("[limits]\nisolated = true", "no such limit: isolated"),
        ("[evidence]\nx = 1", "evidence.x needs"),
        ('[evidence.x]\nreference = ""', "evidence.x needs"),
        ('[evidence.x]\nreference = "a"\nuntil = "soon"', "evidence.x needs"),
        ('[evidence.x]\nreference = "a"\nuntil = 2026-01-01T00:00:00Z', "evidence.x needs"),
        ('[evidence.x]\nreference = "a"\nfigure = "much"', "evidence.x needs"),
    ],
)
def test_a_file_that_is_wrong_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(PolicyError, match=words):
        rulebook.read(text, {})


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / rulebook.FILE).write_bytes(b"\xff\xfe")
    with pytest.raises(PolicyError, match="cannot be read"):
        rulebook.load(tmp_path)


def test_evidence_counts_to_its_last_day_and_from_its_figure_on() -> None:
    text = 'pack = "police-virginia"\n[evidence.accuracy]\nreference = "r"\nuntil = 2026-11-24\nfigure = {}'
    day = dt.date(2026, 11, 24)
    assert rulebook.read(text.format(0.98), {}).shown(day) == {"accuracy"}
    assert rulebook.read(text.format(0.98), {}).shown(day + dt.timedelta(days=1)) == frozenset()
    assert rulebook.read(text.format(0.979), {}).shown(day) == frozenset()
    assert rulebook.read(text.format("nan"), {}).shown(day) == frozenset()


def test_limits_of_all_collections_can_be_tightened_and_those_of_one_not_loosened_again() -> None:
    book = rulebook.read('pack = "open"\n[limits]\nfloor = 90\n[collections.a]\nfloor = 95\n', {})
    assert (book.limits("a").floor, book.limits("b").floor) == (0.95, 0.9)
    with pytest.raises(PolicyError, match="floor would allow more"):
        rulebook.read('pack = "open"\n[limits]\nfloor = 90\n[collections.a]\nfloor = 85\n', {})
