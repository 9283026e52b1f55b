# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from overt.cli import moving
from overt.cli.albums import Picture, Place
from overt.cli.collections import give
from overt.cli.ledger import Ledger
from overt.cli.linking import Group
from overt.cli.moving import Mover, Outcome, Row
from overt.cli.output import CommandError
from overt.cli.source import SourceFace
from overt.engine import Engine
from overt.types import Box
from overt.wire import local

_NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def album(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Portraits; `pair.jpg` shows two people, the first one larger; things that are no pictures."""
    folder = tmp_path_factory.mktemp("album")
    sheet = Image.new("RGB", (720, 640), "white")
    for name, width, left in (("obama2.jpg", 480, 0), ("biden.jpg", 240, 480)):
        with Image.open(photos / name) as opened:
            portrait = opened.convert("RGB").resize((width, round(width * opened.height / opened.width)))
        portrait.save(folder / name)
        sheet.paste(portrait, (left, 0))
    sheet.save(folder / "pair.jpg")
    sheet.crop((480, 0, 720, 320)).resize((480, 640)).save(folder / "biden.jpg")
    (folder / "broken.jpg").write_bytes(b"no picture")
    Image.new("RGB", (100, 100)).save(folder / "black.jpg")
    return folder


@pytest.fixture(scope="module")
def looking(album: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    opened = Engine.open(moving_settings(tmp_path_factory.mktemp("home")), {"import": album})
    yield opened
    opened.close()


def moving_settings(home: Path) -> Any:
    from overt import settings

    return settings.load(home=home)


@pytest.fixture
def mover(looking: Engine, album: Path) -> Mover:
    name = f"people-{next(_NUMBERS)}"
    local.call(looking, "CreateCollection", CollectionId=name)
    return Mover(looking, Place.parse(str(album)), name)


@pytest.fixture
def boxes(looking: Engine) -> Callable[[str], list[Box]]:
    """Where the faces of a picture are, largest first, as another detector would say."""

    def seen(name: str) -> list[Box]:
        image = {"S3Object": {"Bucket": "import", "Name": name}}
        found = local.call(looking, "DetectFaces", Image=image)["FaceDetails"]
        places = [face["BoundingBox"] for face in found]
        return [Box(p["Left"] - 0.01, p["Top"] + 0.01, p["Width"] * 1.1, p["Height"] * 0.9) for p in places]

    return seen


def listed(mover: Mover) -> list[dict[str, Any]]:
    faces: list[dict[str, Any]] = local.call(mover.engine, "ListFaces", CollectionId=mover.collection)["Faces"]
    return faces


def group(names: list[str], faces: list[tuple[str, str, Box]], external: str = "x") -> Group:
    made = tuple(SourceFace(name, image, external, "", box) for name, image, box in faces)
    return Group(external, tuple(Picture(name, "1") for name in names), made)


def test_only_the_faces_that_the_source_had_are_enrolled(mover: Mover, boxes: Callable[[str], list[Box]]) -> None:
    larger, smaller = boxes("pair.jpg")
    outcome = mover.follow(group(["pair.jpg"], [("s1", "i", smaller)]))
    (face,) = listed(mover)
    (row,) = outcome.rows
    assert (row.source, row.face, row.picture, row.clear) == ("s1", face["FaceId"], 0, True)
    assert 0.6 < row.overlap < 1
    assert face["BoundingBox"]["Left"] > 0.5
    assert face["ExternalImageId"] == "x"
    both = mover.follow(group(["pair.jpg"], [("s1", "i", smaller), ("s2", "i", larger)]))
    assert len({row.face for row in both.rows}) == len(listed(mover)) == 2
    assert next(row.face for row in both.rows if row.source == "s1") == face["FaceId"]


def test_a_face_that_is_not_there_is_told_and_nobody_else_is_enrolled(mover: Mover) -> None:
    outcome = mover.follow(group(["pair.jpg", "black.jpg"][:1], [("s1", "i", Box(0.4, 0.9, 0.1, 0.1))]))
    assert (outcome.rows, outcome.problems, outcome.settled) == ([Row("s1", "", 0)], {}, True)
    assert listed(mover) == []


def test_pictures_of_one_external_image_id_are_told_apart(mover: Mover, boxes: Callable[[str], list[Box]]) -> None:
    names = ["biden.jpg", "pair.jpg", "black.jpg", "broken.jpg"]
    (alone,), (larger, smaller) = boxes("biden.jpg"), boxes("pair.jpg")
    outcome = mover.follow(
        group(names, [("s1", "i", smaller), ("s2", "j", alone), ("s3", "i", larger), ("s4", "k", Box(0, 0, 0.1, 0.1))])
    )
    rows = {row.source: row for row in outcome.rows}
    assert {name: row.picture for name, row in rows.items()} == {"s1": 1, "s3": 1, "s2": 0, "s4": None}
    assert [rows[name].face for name in ("s1", "s2", "s3", "s4")].count("") == 1
    assert list(outcome.problems) == [3]
    assert outcome.settled  # the picture will not get better
    assert len(listed(mover)) == 3


def test_a_picture_enrolled_twice_at_the_source_is_one_face_here(
    mover: Mover, boxes: Callable[[str], list[Box]]
) -> None:
    (alone,) = boxes("biden.jpg")
    outcome = mover.follow(group(["biden.jpg"], [("s1", "i", alone), ("s2", "j", alone)]))
    assert {row.source for row in outcome.rows} == {"s1", "s2"}
    assert len({row.face for row in outcome.rows} - {""}) == len(listed(mover)) == 1


def test_a_picture_that_cannot_be_fetched_is_not_settled(mover: Mover) -> None:
    outcome = mover.follow(group(["gone.jpg"], [("s1", "i", Box(0, 0, 0.1, 0.1))]))
    assert not outcome.settled
    assert outcome.rows == [Row("s1", "", 0)]
    assert outcome.problems == {0: "the picture: No such file or directory"}


def test_without_a_source_the_filter_decides(mover: Mover) -> None:
    outcome = replace(mover, max_faces=1).take(group(["pair.jpg"], []))
    (face,) = listed(mover)
    assert outcome.rows == [Row("", face["FaceId"], 0)]
    assert face["BoundingBox"]["Left"] < 0.5
    assert mover.take(group(["black.jpg"], [])).problems == {0: "no face was found"}
    assert "JPEG" in mover.take(group(["broken.jpg"], [])).problems[0]


def test_what_is_settled_is_not_done_again_and_names_are_not_kept(looking: Engine) -> None:
    groups = [group([f"name{number}.jpg"], [], "somebody") for number in range(30)]
    asked: list[Group] = []

    def move(one: Group) -> Outcome:
        asked.append(one)
        bad = one in groups[:5]
        return Outcome([Row("", "id", 0, 0.5, clear=False)], {0: "no"} if bad else {}, settled=not bad)

    first = list(moving.each(groups, move, looking, Ledger.open(looking, "each")))
    assert sorted(asked, key=groups.index) == groups
    assert not any(before for _, _, before in first)
    again = list(moving.each(groups, move, looking, Ledger.open(looking, "each")))
    assert sorted(asked[30:], key=groups.index) == groups[:5]
    assert {one.pictures[0].key: outcome for one, outcome, _ in first} == {
        one.pictures[0].key: outcome for one, outcome, _ in again
    }
    kept = b"".join(path.read_bytes() for path in (looking.settings.home / "imports").iterdir())
    assert b"id" in kept
    assert b"name" not in kept
    assert b"somebody" not in kept


def test_it_stops_when_nothing_works(looking: Engine) -> None:
    groups = [group([f"{number}.jpg"], []) for number in range(100)]
    with pytest.raises(CommandError, match="stopped, as 20 pictures one after another failed; the last: no way"):
        list(
            moving.each(
                groups, lambda _: Outcome([], {0: "no way"}, settled=False), looking, Ledger.open(looking, "hopeless")
            )
        )


def test_a_user_gets_faces_that_do_not_look_alike(mover: Mover) -> None:
    faces = [row.face for name in ("pair.jpg", "biden.jpg") for row in mover.take(group([name], [])).rows]
    assert len(faces) == 3
    for _ in range(2):
        assert give(mover.engine, mover.collection, "ann", faces, UserMatchThreshold=0) == []
    assert {face["UserId"] for face in listed(mover)} == {"ann"}
    assert give(mover.engine, mover.collection, "bob", faces[:1], UserMatchThreshold=0) == [
        "ASSOCIATED_TO_A_DIFFERENT_USER"
    ]
