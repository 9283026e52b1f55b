# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from PIL import Image, ImageDraw

from overt.ops.equipment import person, summary
from overt.types import BodyPart, Box, Claim, Equipment, Wearer

Photo = Callable[[str], dict[str, Any]]
WITH, WITHOUT, UNSURE = "PersonsWithRequiredEquipment", "PersonsWithoutRequiredEquipment", "PersonsIndeterminate"
BOX = Box(0, 0, 1, 1)
FACE, HEAD, HAND = frozenset({"FACE_COVER"}), frozenset({"HEAD_COVER"}), frozenset({"HAND_COVER"})
EVERY = FACE | HEAD | HAND


def part(name: str, sure: float = 0.9, kind: str = "", worn: float = 0.9, *, covers: bool = True, fits: float = 0.9):
    items = (Equipment(kind, BOX, worn, Claim(covers, fits)),) if kind else ()
    return BodyPart(name, sure, items)


def judge(wearer: Wearer, required: frozenset[str], least: float = 0.8, supported: frozenset[str] = EVERY) -> str:
    """The one list of the summary that a person is in."""
    lists = summary([wearer], required, least, supported)
    assert set(lists) == {WITH, WITHOUT, UNSURE}
    (name,) = [name for name, ids in lists.items() if ids]
    return name


@pytest.mark.parametrize(
    ("confidence", "parts", "required", "expected"),
    [
        (0.9, [part("FACE", kind="FACE_COVER")], FACE, WITH),
        (0.9, [part("FACE", kind="FACE_COVER", covers=False)], FACE, WITHOUT),
        (0.9, [part("FACE")], FACE, WITHOUT),
        (0.9, [part("FACE", kind="HEAD_COVER")], FACE, WITHOUT),
        (0.7, [part("FACE", kind="FACE_COVER")], FACE, UNSURE),
        (0.9, [part("FACE", 0.7, "FACE_COVER")], FACE, UNSURE),
        (0.9, [part("FACE", 0.7)], FACE, UNSURE),
        (0.9, [part("FACE", kind="FACE_COVER", worn=0.7)], FACE, UNSURE),
        (0.9, [part("FACE", kind="FACE_COVER", fits=0.7)], FACE, UNSURE),
        (0.9, [part("FACE", kind="FACE_COVER", covers=False, fits=0.7)], FACE, UNSURE),
        (0.9, [part("HEAD")], FACE, UNSURE),
        (0.9, [], FACE, UNSURE),
        (0.9, [part("FACE", kind="FACE_COVER"), part("HEAD", kind="HEAD_COVER")], FACE | HEAD, WITH),
        (0.9, [part("FACE", kind="FACE_COVER"), part("HEAD")], FACE | HEAD, WITHOUT),
        (0.9, [part("FACE", kind="FACE_COVER", worn=0.7), part("HEAD")], FACE | HEAD, WITHOUT),
        (0.9, [part("FACE", kind="FACE_COVER"), part("HEAD", 0.7)], FACE | HEAD, UNSURE),
        (0.9, [part("LEFT_HAND", kind="HAND_COVER"), part("RIGHT_HAND", kind="HAND_COVER")], HAND, WITH),
        (0.9, [part("LEFT_HAND", kind="HAND_COVER"), part("RIGHT_HAND")], HAND, WITHOUT),
        (0.9, [part("LEFT_HAND", kind="HAND_COVER")], HAND, WITH),
    ],
)
def test_a_person_is_judged_by_what_is_seen_surely_enough(
    confidence: float, parts: list[BodyPart], required: frozenset[str], expected: str
) -> None:
    assert judge(Wearer(BOX, confidence, tuple(parts)), required) == expected


def test_nobody_is_judged_by_equipment_that_no_model_can_tell() -> None:
    bare = Wearer(BOX, 0.99, (part("FACE"), part("HEAD")))
    assert judge(bare, FACE) == WITHOUT
    assert judge(bare, FACE, supported=HEAD) == UNSURE
    assert judge(bare, FACE | HEAD, supported=HEAD) == UNSURE
    masked = Wearer(BOX, 0.99, (part("FACE", kind="FACE_COVER"),))
    assert judge(masked, FACE | HAND, supported=FACE) == UNSURE


def test_less_than_half_sure_counts_as_half() -> None:
    doubtful = Wearer(BOX, 0.9, (part("FACE", 0.45, "FACE_COVER"),))
    assert judge(doubtful, FACE, least=0.0) == UNSURE
    assert judge(Wearer(BOX, 0.9, (part("FACE", 0.55, "FACE_COVER"),)), FACE, least=0.0) == WITH


def test_everybody_is_in_one_list_by_id() -> None:
    masked = Wearer(BOX, 0.9, (part("FACE", kind="FACE_COVER"),))
    bare, hidden = Wearer(BOX, 0.9, (part("FACE"),)), Wearer(BOX, 0.9, ())
    lists = summary([bare, masked, hidden, masked], FACE, 0.8, EVERY)
    assert lists == {WITH: [1, 3], WITHOUT: [0], UNSURE: [2]}


def test_equipment_is_written_as_the_contract_has_it() -> None:
    shown = person(
        3, Wearer(Box(0.1, 0.2, 0.3, 0.4), 0.9, (part("FACE", kind="FACE_COVER", covers=False), part("HEAD")))
    )
    whole = {"Left": 0, "Top": 0, "Width": 1, "Height": 1}
    assert shown == {
        "Id": 3,
        "BoundingBox": {"Left": 0.1, "Top": 0.2, "Width": 0.3, "Height": 0.4},
        "Confidence": 90,
        "BodyParts": [
            {
                "Name": "FACE",
                "Confidence": 90,
                "EquipmentDetections": [
                    {
                        "Type": "FACE_COVER",
                        "BoundingBox": whole,
                        "Confidence": 90,
                        "CoversBodyPart": {"Value": False, "Confidence": 90},
                    }
                ],
            },
            {"Name": "HEAD", "Confidence": 90, "EquipmentDetections": []},
        ],
    }


def test_a_person_is_found_with_the_parts_that_are_seen(client: Any, photo: Photo) -> None:
    answer = client.detect_protective_equipment(Image=photo("biden.jpg"))
    assert answer["ProtectiveEquipmentModelVersion"] == "1.0"
    assert "Summary" not in answer
    (person,) = answer["Persons"]
    assert person["Id"] == 0
    box = person["BoundingBox"]
    assert box["Width"] > 0.6
    assert box["Height"] > 0.8
    assert 50 <= person["Confidence"] <= 100
    parts = {item["Name"]: item for item in person["BodyParts"]}
    assert {"FACE", "HEAD"} <= set(parts)
    assert all(50 <= item["Confidence"] <= 100 for item in parts.values())
    assert all(item["EquipmentDetections"] == [] for item in parts.values())


def test_hands_that_are_seen_are_told_apart(client: Any, shared_data: Path) -> None:
    raw = (shared_data / "azure_vision" / "images" / "objects.jpg").read_bytes()
    (person,) = client.detect_protective_equipment(Image={"Bytes": raw})["Persons"]
    assert [item["Name"] for item in person["BodyParts"]] == ["FACE", "HEAD", "LEFT_HAND", "RIGHT_HAND"]


def test_everybody_of_a_group_has_an_id_of_their_own_the_largest_first(client: Any, shared_data: Path) -> None:
    raw = (shared_data / "azure_faces" / "images" / "detection4.jpg").read_bytes()
    persons = client.detect_protective_equipment(Image={"Bytes": raw})["Persons"]
    assert [person["Id"] for person in persons] == [0, 1, 2]
    areas = [person["BoundingBox"]["Width"] * person["BoundingBox"]["Height"] for person in persons]
    assert areas == sorted(areas, reverse=True)


def test_no_person_is_no_error(client: Any, photos: Path) -> None:
    answer = client.detect_protective_equipment(Image={"Bytes": (photos / "coffee.png").read_bytes()})
    assert answer["Persons"] == []


def masked(client: Any, raw: bytes) -> bytes:
    """The picture with a light blue patch over the largest face's mouth and nose."""
    picture = Image.open(io.BytesIO(raw)).convert("RGB")
    marks = client.detect_faces(Image={"Bytes": raw})["FaceDetails"][0]["Landmarks"]
    at = {mark["Type"]: (mark["X"] * picture.width, mark["Y"] * picture.height) for mark in marks}
    (x, y), width, height = at["nose"], at["eyeRight"][0] - at["eyeLeft"][0], at["mouthLeft"][1] - at["eyeLeft"][1]
    chin = at["mouthLeft"][1] + 0.7 * height
    edge = [(x - width, y), (x, y - 0.4 * height), (x + width, y), (x + 0.4 * width, chin), (x - 0.4 * width, chin)]
    ImageDraw.Draw(picture).polygon(edge, (150, 195, 220))
    stored = io.BytesIO()
    picture.save(stored, "JPEG", quality=95)
    return stored.getvalue()


def test_a_mask_is_told_as_a_face_cover_and_decides_the_summary(client: Any, photos: Path) -> None:
    wanted = {"MinConfidence": 50, "RequiredEquipmentTypes": ["FACE_COVER"]}
    bare = (photos / "biden.jpg").read_bytes()
    worn = {"Bytes": masked(client, bare)}
    answer = client.detect_protective_equipment(Image=worn, SummarizationAttributes=wanted)
    (person,) = answer["Persons"]
    parts = {item["Name"]: item["EquipmentDetections"] for item in person["BodyParts"]}
    (mask,) = parts.pop("FACE")
    assert not any(parts.values())
    assert mask["Type"] == "FACE_COVER"
    assert 50 <= mask["Confidence"] <= 100
    assert mask["CoversBodyPart"]["Value"] is True
    assert mask["CoversBodyPart"]["Confidence"] >= 50
    assert answer["Summary"] == {WITH: [0], WITHOUT: [], UNSURE: []}
    answer = client.detect_protective_equipment(Image={"Bytes": bare}, SummarizationAttributes=wanted)
    assert answer["Summary"] == {WITH: [], WITHOUT: [0], UNSURE: []}


def test_equipment_that_no_model_can_tell_is_named_in_a_header_and_leaves_everybody_undecided(
    client: Any, photo: Photo
) -> None:
    answer = client.detect_protective_equipment(
        Image=photo("obama.jpg"),
        SummarizationAttributes={"MinConfidence": 50, "RequiredEquipmentTypes": ["FACE_COVER", "HAND_COVER"]},
    )
    assert answer["ResponseMetadata"]["HTTPHeaders"]["x-overt-omitted"] == "HAND_COVER, HEAD_COVER"
    assert answer["Summary"] == {WITH: [], WITHOUT: [], UNSURE: [0]}


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"MinConfidence": 80, "RequiredEquipmentTypes": []}, "InvalidParameterException"),
        ({"MinConfidence": 80, "RequiredEquipmentTypes": ["SHOES"]}, "ValidationException"),
    ],
)
def test_a_summary_needs_kinds_of_equipment(client: Any, photo: Photo, attributes: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as caught:
        client.detect_protective_equipment(Image=photo("obama.jpg"), SummarizationAttributes=attributes)
    assert caught.value.response["Error"]["Code"] == code


def encoded(size: tuple[int, int]) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, "grey").save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize("size", [(4097, 100), (100, 4097)])
def test_a_longer_side_than_this_operation_takes_is_refused(client: Any, size: tuple[int, int]) -> None:
    with pytest.raises(client.exceptions.ImageTooLargeException):
        client.detect_protective_equipment(Image={"Bytes": encoded(size)})


def test_more_bytes_than_this_operation_takes_are_refused(client: Any) -> None:
    raw = encoded((100, 100))
    with pytest.raises(client.exceptions.ImageTooLargeException):
        client.detect_protective_equipment(Image={"Bytes": raw + bytes((4 << 20) + 1 - len(raw))})


def test_a_smaller_picture_than_other_operations_take_is_taken(client: Any) -> None:
    assert client.detect_protective_equipment(Image={"Bytes": encoded((64, 64))})["Persons"] == []
