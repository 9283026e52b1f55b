# SPDX-License-Identifier: Apache-2.0
"""Everybody is found once, with the parts that are seen and no others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from overt.models.hub import Hub
from overt.models.pack import PackError
from overt.models.session import Session
from overt.models.tasks.equipment import FACE_COVER, LEAST, PERSONS, EquipmentReader
from overt.models.tasks.faces import FaceTasks
from overt.types import Box, Detection, Equipment, Face, Image, Wearer

Load = Callable[[str | Path], Image]
Read = Callable[..., tuple[Wearer, ...]]
OBAMA = Detection(Box(0.05, 0, 0.86, 1), "Person", 0.79)


@pytest.fixture(scope="module")
def reader() -> EquipmentReader:
    return EquipmentReader(Hub.discover().session("keypoints"))


@pytest.fixture(scope="module")
def read(reader: EquipmentReader, faces: FaceTasks) -> Read:
    """Reads a picture with the persons given and the faces that are in it."""
    return lambda image, *persons: reader.read(image, persons, faces.detect(image))


def names(wearer: Wearer) -> set[str]:
    return {part.name for part in wearer.parts}


def test_what_is_seen_of_a_person_is_told(read: Read, load: Load) -> None:
    (wearer,) = read(load("obama.jpg"), OBAMA)
    assert wearer.box.left == pytest.approx(0.05, abs=1e-4)
    assert wearer.box.height == pytest.approx(1, abs=1e-4)
    assert {"FACE", "HEAD"} <= names(wearer)
    assert all(LEAST <= part.confidence <= 1 for part in wearer.parts)


def test_a_face_makes_a_person_surer(read: Read, reader: EquipmentReader, faces: FaceTasks, load: Load) -> None:
    image = load("obama.jpg")
    (face,) = faces.detect(image)
    (wearer,) = read(image, OBAMA)
    assert wearer.confidence == face.confidence > OBAMA.confidence
    (faceless,) = reader.read(image, [OBAMA], ())
    assert faceless.confidence == OBAMA.confidence
    assert "FACE" not in names(faceless)
    assert "HEAD" in names(faceless)


def test_an_unsure_person_counts_only_with_a_face(reader: EquipmentReader, faces: FaceTasks, load: Load) -> None:
    image = load("obama.jpg")
    unsure = Detection(OBAMA.box, "Person", 0.4)
    assert reader.read(image, [unsure], ()) == ()
    (wearer,) = reader.read(image, [unsure], faces.detect(image))
    assert wearer.confidence > 0.8


def test_hands_are_told_where_they_are_seen(read: Read, load: Load, shared_data: Path) -> None:
    skater = load(shared_data / "azure_vision" / "images" / "objects.jpg")
    (wearer,) = read(skater, Detection(Box(0.17, 0.13, 0.53, 0.76), "Person", 0.9))
    assert names(wearer) == {"FACE", "HEAD", "LEFT_HAND", "RIGHT_HAND"}
    portrait = load(shared_data / "azure_faces" / "images" / "Family1-Dad1.jpg")
    (wearer,) = read(portrait, Detection(Box(0, 0, 1, 1), "Person", 0.9))
    assert names(wearer) == {"FACE", "HEAD"}


def test_two_boxes_around_one_person_are_one_person(read: Read, load: Load) -> None:
    again = Detection(Box(0.1, 0.02, 0.75, 0.9), "Person", 0.6)
    (wearer,) = read(load("obama.jpg"), again, OBAMA)
    assert wearer.box.width == pytest.approx(OBAMA.box.width, abs=1e-4)


def test_a_face_without_a_body_is_a_person_too(read: Read, load: Load, shared_data: Path) -> None:
    group = load(shared_data / "azure_vision" / "images" / "celebrities.jpg")
    wearers = read(group)
    assert len(wearers) == 4
    for wearer in wearers:
        assert {"FACE", "HEAD"} <= names(wearer)
        assert wearer.box.height > 0.4  # the body below the face as well
        assert wearer.box.top < 0.25


def test_each_of_a_couple_has_their_own_face(read: Read, load: Load, shared_data: Path) -> None:
    couple = load(shared_data / "azure_faces" / "images" / "test-image-person-group.jpg")
    man, woman = Box(0.16, 0.15, 0.48, 0.85), Box(0.52, 0.2, 0.34, 0.8)
    wearers = read(couple, Detection(man, "Person", 0.86), Detection(woman, "Person", 0.6))
    assert len(wearers) == 2
    assert all("FACE" in names(wearer) for wearer in wearers)
    assert wearers[0].confidence != wearers[1].confidence


def test_the_largest_come_first_and_no_more_than_fifteen(read: Read, load: Load) -> None:
    portrait = load("astronaut.png").pixels[:300, 130:330]
    sheet, boxes = np.zeros((900, 1400, 3), np.uint8), []
    for number in range(18):
        small = portrait[:: 1 + number % 2, :: 1 + number % 2]
        (height, width), top, left = small.shape[:2], 300 * (number // 7), 200 * (number % 7)
        sheet[top : top + height, left : left + width] = small
        boxes.append(Detection(Box(left / 1400, top / 900, width / 1400, height / 900), "Person", 0.9))
    wearers = read(Image(sheet, ""), *boxes)
    assert len(wearers) == PERSONS
    areas = [wearer.box.area for wearer in wearers]
    assert areas == sorted(areas, reverse=True)
    assert areas[8] == pytest.approx(areas[0])
    assert areas[8] > 3.9 * areas[9]
    assert all("FACE" in names(wearer) for wearer in wearers[:9])


def test_nobody_is_nobody(read: Read, load: Load) -> None:
    assert read(load("coffee.png")) == ()


def drawn_mask(image: Image, face: Face, colour: tuple[int, int, int], *, below_nose: bool = False) -> Image:
    """A flat mask, by the five points alone: from ear to ear of a face seen from the front, and down to the chin."""
    points = face.points * (image.width, image.height)
    right, left, nose = points[0], points[1], points[2]
    mouth = points[3:].mean(0)
    down, across = mouth - (right + left) / 2, left - right
    upper = (nose + mouth) / 2 + 0.08 * down if below_nose else nose - 0.35 * down
    chin = mouth + 0.75 * down
    half = (upper, upper + 0.25 * across, nose + 0.95 * across, mouth + 0.8 * across + 0.1 * down, chin + 0.35 * across)
    other = (chin - 0.35 * across, mouth - 0.8 * across + 0.1 * down, nose - 0.95 * across, upper - 0.25 * across)
    outline = np.array([*half, *other])
    pixels = image.pixels.copy()
    cv2.fillPoly(pixels, [outline.round().astype(np.int32)], colour, cv2.LINE_AA)
    seam = tuple(value // 2 for value in colour)
    cv2.polylines(pixels, [outline.round().astype(np.int32)], isClosed=True, color=seam, thickness=2)
    return Image(pixels, "")


def cover(reader: EquipmentReader, image: Image, face: Face) -> Equipment | None:
    """The face cover of the one person of a picture."""
    (wearer,) = reader.read(image, [], [face])
    worn = {part.name: part.equipment for part in wearer.parts}
    assert not any(items for name, items in worn.items() if name != "FACE")
    return worn["FACE"][0] if worn["FACE"] else None


@pytest.fixture(scope="module")
def telling(hub: Hub) -> EquipmentReader:
    """A reader with every model that the default packs have."""
    return hub.equipment


FROM_THE_FRONT = ("obama.jpg", "obama3.jpg", "biden.jpg", "astronaut.png")


@pytest.mark.parametrize("name", [*FROM_THE_FRONT, "obama2.jpg", "obama_partial_face.jpg"])
def test_a_bare_face_has_no_cover(telling: EquipmentReader, faces: FaceTasks, load: Load, name: str) -> None:
    image = load(name)
    assert cover(telling, image, faces.detect(image)[0]) is None


@pytest.mark.parametrize("colour", [(120, 175, 215), (240, 240, 235), (35, 35, 40)])
@pytest.mark.parametrize("name", FROM_THE_FRONT)
def test_a_mask_over_mouth_and_nose_is_a_face_cover(
    telling: EquipmentReader, faces: FaceTasks, load: Load, name: str, colour: tuple[int, int, int]
) -> None:
    face = faces.detect(load(name))[0]
    mask = cover(telling, drawn_mask(load(name), face, colour), face)
    assert mask is not None
    assert mask.kind == FACE_COVER
    assert LEAST <= mask.confidence <= 1
    assert mask.covers.value
    assert 0.5 <= mask.covers.confidence <= 1
    assert face.box.top + 0.2 * face.box.height < mask.box.top < face.points[2, 1]
    assert mask.box.top + mask.box.height == pytest.approx(face.box.top + face.box.height)
    assert (mask.box.left, mask.box.width) == (face.box.left, face.box.width)


@pytest.mark.parametrize("name", FROM_THE_FRONT)
def test_a_mask_below_the_nose_does_not_cover_the_face(
    telling: EquipmentReader, faces: FaceTasks, load: Load, name: str
) -> None:
    face = faces.detect(load(name))[0]
    mask = cover(telling, drawn_mask(load(name), face, (120, 175, 215), below_nose=True), face)
    assert mask is not None
    assert not mask.covers.value


def test_other_people_than_the_ones_it_learnt_from(
    telling: EquipmentReader, faces: FaceTasks, load: Load, shared_data: Path
) -> None:
    found = []
    for path in sorted((shared_data / "azure_faces" / "images").glob("Family1-*.jpg")):
        image = load(path)
        for face in faces.detect(image):
            bare, mask = cover(telling, image, face), cover(telling, drawn_mask(image, face, (40, 60, 110)), face)
            found.append((bare is not None, mask is not None))
    assert len(found) >= 5
    bare, masked = np.mean(found, axis=0)
    assert bare == 0
    assert masked >= 0.8


def test_without_a_model_of_covers_no_equipment_is_told(reader: EquipmentReader, read: Read, load: Load) -> None:
    assert reader.supported == frozenset()
    (wearer,) = read(load("obama.jpg"), OBAMA)
    assert all(part.equipment == () for part in wearer.parts)


def changed(session: Session, **fields: Any) -> Session:
    return Session(replace(session.model, **fields))


def test_covers_are_told_only_with_the_tagger_that_the_model_was_made_for(
    hub: Hub, faces: FaceTasks, load: Load
) -> None:
    keypoints, tags, linear = (hub.session(task) for task in ("keypoints", "tags", "face_cover"))
    assert EquipmentReader(keypoints, tags, linear).supported == {FACE_COVER}
    assert EquipmentReader(keypoints, tags).supported == frozenset()
    assert EquipmentReader(keypoints, None, linear).supported == frozenset()
    other = EquipmentReader(keypoints, changed(tags, sha256="0" * 64), linear)
    assert other.supported == frozenset()
    face = faces.detect(load("obama.jpg"))[0]
    assert cover(other, drawn_mask(load("obama.jpg"), face, (240, 240, 235)), face) is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"classes": ("", "Red", "Blue")}, "no class 'Covered'"),
        ({"output": {"decoder": "linear"}}, "must name its embedding's model with space_sha256"),
    ],
)
def test_a_model_of_covers_that_does_not_say_what_it_reads_is_refused(
    hub: Hub, fields: dict[str, Any], words: str
) -> None:
    keypoints, tags, linear = (hub.session(task) for task in ("keypoints", "tags", "face_cover"))
    with pytest.raises(PackError, match=words):
        EquipmentReader(keypoints, tags, changed(linear, **fields))


def test_an_output_that_is_not_its_label_map_is_told(hub: Hub, faces: FaceTasks, load: Load) -> None:
    keypoints, tags, linear = (hub.session(task) for task in ("keypoints", "tags", "face_cover"))
    odd = EquipmentReader(keypoints, tags, changed(linear, classes=("", "Covered")))
    with pytest.raises(PackError, match="not the classes of its label map"):
        odd.read(load("obama.jpg"), [], faces.detect(load("obama.jpg")))
