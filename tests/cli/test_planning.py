# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from overt.cli import planning
from overt.cli.albums import Picture, Place
from overt.cli.linking import Group
from overt.cli.naming import Entry, Rule
from overt.cli.output import CommandError
from overt.cli.source import Source, SourceFace
from overt.types import Box

PLACE = Place("s3://b/2024/", "b", "2024/")
ANN, BOB, CY = (Picture(f"2024/{name}.jpg", "1") for name in ("ann", "bob", "cy"))


def face(name: str, image: str, external: str, left: float = 0.1) -> SourceFace:
    return SourceFace(name, image, external, "", Box(left, 0.1, 0.2, 0.3))


F1, F2 = face("f1", "i1", "ann"), face("f2", "i2", "bob")


def test_the_rule_is_found_and_pictures_get_their_faces() -> None:
    made = planning.plan(PLACE, [ANN, BOB, CY], Source([F1, F2], ["u"]), None, None)
    assert (made.rule, made.explained) == (Rule("stem"), 2)
    assert list(made.groups) == [Group("ann", (ANN,), (F1,)), Group("bob", (BOB,), (F2,))]
    assert made.links.strays == [CY]


def test_a_rule_that_was_chosen_is_kept_to_whatever_it_explains() -> None:
    made = planning.plan(PLACE, [ANN], Source([F1], []), Rule("name"), None)
    assert (made.rule, made.explained, made.groups) == (Rule("name"), 0, [])
    assert made.links.orphans == [F1]


def test_nothing_is_guessed_when_no_rule_explains_half() -> None:
    with pytest.raises(CommandError, match="explains 0 of 2 pictures of the source with 1 here"):
        planning.plan(PLACE, [CY], Source([F1, F2], []), None, None)


def test_a_list_goes_before_rules() -> None:
    entries = [Entry(CY.key, external="ann"), Entry(ANN.key, face="f2", user="joe"), Entry("gone.jpg", user="eve")]
    made = planning.plan(PLACE, [ANN, BOB, CY], Source([F1, F2], []), None, entries)
    assert made.rule is None
    assert list(made.groups) == [Group("bob", (ANN,), (F2,)), Group("ann", (CY,), (F1,))]
    assert (made.given, made.missing) == ({"f2": "joe"}, ["gone.jpg"])
    assert made.links.strays == []  # a picture that the list does not name takes no part


def test_without_a_source_every_picture_is_a_group() -> None:
    made = planning.plan(PLACE, [ANN, BOB], None, None, None)
    assert list(made.groups) == [Group("ann", (ANN,), ()), Group("bob", (BOB,), ())]
    assert not made.has_source
    named = planning.plan(PLACE, [ANN, BOB], None, None, [Entry(BOB.key, external="x", user="bob")])
    assert list(named.groups) == [Group("x", (BOB,), ())]
    assert named.given == {BOB.key: "bob"}


def test_more_pictures_under_one_name_than_can_be_told_apart_are_told() -> None:
    pictures = [Picture(f"all/{number}.jpg", "1") for number in range(5001)]
    faces = [face(f"f{number}", f"i{number}", "all", number / 10_000) for number in range(5001)]
    with pytest.raises(CommandError, match="5001 pictures are under the ExternalImageId all: too many"):
        planning.plan(PLACE, pictures, Source(faces, []), Rule("folder"), None)
