# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from overt.cli.naming import PARTS, Entry, Rule, best_rule, explained, read_list
from overt.cli.output import CommandError


def below(key: str) -> tuple[str, str]:
    return key, key.removeprefix("staff/")


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        (Rule("stem"), "Ann_Lee.1"), (Rule("name"), "Ann_Lee.1.jpg"), (Rule("folder"), "a"),
        (Rule("key"), "staff_a_Ann_Lee.1.jpg"), (Rule("key-stem", ":"), "staff:a:Ann:Lee.1"),
        (Rule("path", ""), "aAnnLee.1.jpg"), (Rule("path-stem", "-"), "a-Ann-Lee.1"),
    ],
)  # fmt: skip
def test_what_a_rule_makes_of_a_key(rule: Rule, name: str) -> None:
    assert rule.name(*below("staff/a/Ann Lee.1.jpg")) == name


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("key", ["", "/", ".jpg", "a/", "/a.jpg", "é.png", "x" * 1024])
def test_any_key_is_taken(part: str, key: str) -> None:
    assert len(Rule(part).name(key, key)) <= 255


@pytest.mark.parametrize(
    ("enrolled", "rule", "count"),
    [
        ({"ann": 1, "bob": 1}, Rule("stem"), 2),
        ({"ann.jpg": 1, "bob.jpg": 1}, Rule("name"), 2),
        ({"x-y": 2, "z": 1}, Rule("folder", "-"), 3),
        ({"staff:x:y:ann.jpg": 1, "gone": 1}, Rule("key", ":"), 1),
        ({"x-y_ann": 1}, Rule("stem"), 0),  # none
    ],
)
def test_the_rule_that_explains_most_is_found(enrolled: dict[str, int], rule: Rule, count: int) -> None:
    keys = [below(key) for key in ("staff/x y/ann.jpg", "staff/x y/bob.jpg", "staff/z/cy.jpg", "staff/x/y/ann.jpg")]
    assert best_rule(keys, enrolled) == (rule, count)
    assert explained(rule, keys, enrolled) == count


def test_a_list_is_read_whatever_it_knows(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("key,user_id,face_id\ns3://b/x.jpg,ann,f1\ny.jpg,,\n,lost,\n", encoding="utf-8-sig")
    assert read_list(file, "b") == [Entry("x.jpg", "", "ann", "f1"), Entry("y.jpg")]


@pytest.mark.parametrize("text", ["", "key,name\nx,y\n", "file,face_id\nx,y\n"])
def test_a_list_that_says_nothing_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(CommandError, match="those read are key"):
        read_list(tmp_path / "list.csv", "b")
