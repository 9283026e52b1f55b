# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from overt.streams.visits import Stage, Visit, Visits, person
from overt.streams.watch import Sight
from overt.types import Box, Face, Match, StoredFace

BOX = Box(0.1, 0.1, 0.2, 0.2)
FACE = Face(BOX, 0.9, np.zeros((5, 2), np.float32))


def known(face_id: str, external: str | None = None, user: str | None = None) -> StoredFace:
    return StoredFace(face_id, "image", external, BOX, 1.0, "model", user)


def sight(index: int, face: StoredFace | None = None, similarity: float = 0.9, *, is_confirmed: bool = True) -> Sight:
    matches = () if face is None else (Match(face, similarity, 0.5, 1),)
    return Sight(index, FACE, matches, embedding=None, is_confirmed=is_confirmed)


def told(visits: list[Visit]) -> list[tuple[str, float, float, bool]]:
    return [
        (
            "unknown" if each.match is None else person(each.match.subject),
            each.start,
            each.end,
            each.stage is Stage.OVER,
        )
        for each in visits
    ]


def test_a_person_is_told_once_however_often_seen_and_again_when_gone() -> None:
    visits, found = Visits(quiet=5), list[Visit]()
    for time in (0.0, 0.2, 0.4, 4.0):
        found += visits.see([sight(0, known("a"))], time)
    for time in (6.0, 9.0, 9.2):
        found += visits.see([], time)
    found += visits.see([sight(1, known("a"))], 20.0)
    found += visits.finish()
    assert told(found) == [
        ("face a", 0.0, 0.0, False),
        ("face a", 0.0, 4.0, True),
        ("face a", 20.0, 20.0, False),
        ("face a", 20.0, 20.0, True),
    ]
    assert [each.number for each in found] == [0, 0, 1, 1]


def test_another_track_of_the_same_person_is_the_same_visit() -> None:
    visits = Visits()
    found = [*visits.see([sight(0, known("a", "smith"))], 0.0), *visits.see([sight(7, known("b", "smith"))], 3.0)]
    assert told(found) == [("external smith", 0.0, 0.0, False)]


def test_a_visit_keeps_its_best_match() -> None:
    visits = Visits()
    list(visits.see([sight(0, known("a", "smith"), 0.85)], 0.0))
    (better,) = visits.see([sight(0, known("b", "smith"), 0.99)], 0.2)
    assert better.stage is Stage.BETTER
    list(visits.see([sight(0, known("a", "smith"), 0.90)], 0.4))
    (over,) = visits.finish()
    assert over.stage is Stage.OVER
    assert over.match is not None
    assert (over.match.subject.id, over.match.similarity) == ("b", 0.99)


def test_a_visit_that_was_interrupted_goes_on() -> None:
    visits = Visits(quiet=5)
    number = visits.resume(Match(known("a"), 0.9, 0.5, 1), BOX)
    assert list(visits.see([sight(0, known("a"))], 4.0)) == []
    (over,) = visits.see([], 9.1)
    assert (over.number, over.end, over.stage) == (number, 4.0, Stage.OVER)


def test_one_sight_tells_nothing() -> None:
    assert list(Visits().see([sight(0, known("a"), is_confirmed=False)], 0.0)) == []


def test_two_people_are_two_visits() -> None:
    found = list(Visits().see([sight(0, known("a")), sight(1, known("b"))], 0.0))
    assert told(found) == [("face a", 0.0, 0.0, False), ("face b", 0.0, 0.0, False)]


@pytest.mark.parametrize("tells_unknown", [False, True])
def test_a_stranger_is_told_only_where_that_is_wanted_and_after_two_seconds(*, tells_unknown: bool) -> None:
    visits, found = Visits(tells_unknown=tells_unknown), list[Visit]()
    for time in (0.0, 1.0, 2.0, 3.0):
        found += visits.see([sight(0)], time)
    assert told(found) == ([("unknown", 2.0, 2.0, False)] if tells_unknown else [])


def test_whoever_is_known_at_a_second_look_is_no_stranger() -> None:
    visits = Visits(tells_unknown=True)
    found = [
        *visits.see([sight(0)], 0.0),
        *visits.see([sight(0)], 1.0),
        *visits.see([sight(0, known("a"))], 1.5),
        *visits.see([sight(0, known("a"))], 9.0),
    ]
    assert told(found) == [("face a", 1.5, 1.5, False)]


@pytest.mark.parametrize(
    ("face", "whom"),
    [
        (known("a"), "face a"),
        (known("a", "smith"), "external smith"),
        (known("a", "smith", "s-17"), "user s-17"),
    ],
)
def test_a_person_is_a_user_or_a_name_or_a_face(face: StoredFace, whom: str) -> None:
    assert person(face) == whom
