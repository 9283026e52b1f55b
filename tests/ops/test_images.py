# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

Photo = Callable[[str], dict[str, Any]]
LANDMARKS = 30


def overlap(a: dict[str, float], b: dict[str, float]) -> float:
    width = min(a["Left"] + a["Width"], b["Left"] + b["Width"]) - max(a["Left"], b["Left"])
    height = min(a["Top"] + a["Height"], b["Top"] + b["Height"]) - max(a["Top"], b["Top"])
    both = max(width, 0) * max(height, 0)
    return both / (a["Width"] * a["Height"] + b["Width"] * b["Height"] - both)


def test_a_portrait_has_one_face_where_it_is(client: Any, photo: Photo) -> None:
    (face,) = client.detect_faces(Image=photo("obama.jpg"))["FaceDetails"]
    assert overlap(face["BoundingBox"], {"Left": 0.41, "Top": 0.08, "Width": 0.26, "Height": 0.29}) > 0.7
    assert face["Confidence"] > 80


def test_by_default_a_face_has_the_five_members_of_rekognition(client: Any, photo: Photo) -> None:
    (face,) = client.detect_faces(Image=photo("biden.jpg"))["FaceDetails"]
    assert set(face) == {"BoundingBox", "Confidence", "Landmarks", "Pose", "Quality"}
    points = {point["Type"]: point for point in face["Landmarks"]}
    assert set(points) == {"eyeLeft", "eyeRight", "mouthLeft", "mouthRight", "nose"}
    assert points["eyeLeft"]["X"] < points["nose"]["X"] < points["eyeRight"]["X"]
    assert points["eyeLeft"]["Y"] < points["nose"]["Y"] < points["mouthLeft"]["Y"]
    assert all(abs(face["Pose"][angle]) < 30 for angle in ("Roll", "Yaw", "Pitch"))
    assert 0 < face["Quality"]["Brightness"] <= 100
    assert 0 < face["Quality"]["Sharpness"] <= 100


def test_all_attributes_that_a_model_supports_are_told(client: Any, photo: Photo) -> None:
    answer = client.detect_faces(Image=photo("obama.jpg"), Attributes=["ALL"])
    (face,) = answer["FaceDetails"]
    assert face["Gender"]["Value"] == "Male"
    assert face["AgeRange"]["Low"] < 47 < face["AgeRange"]["High"] + 10
    assert face["Smile"]["Value"] is True
    assert face["EyesOpen"]["Value"] is True
    assert [face["Emotions"][0]["Type"], len(face["Emotions"])] == ["HAPPY", 7]
    confidences = [emotion["Confidence"] for emotion in face["Emotions"]]
    assert confidences == sorted(confidences, reverse=True)
    assert {"MouthOpen", "EyeDirection"} <= set(face)
    assert len(face["Landmarks"]) == len({point["Type"] for point in face["Landmarks"]}) == LANDMARKS


def test_what_no_model_supports_is_left_out_and_named_in_a_header(client: Any, photo: Photo) -> None:
    answer = client.detect_faces(Image=photo("obama.jpg"), Attributes=["ALL"])
    (face,) = answer["FaceDetails"]
    assert not {"Eyeglasses", "Sunglasses", "Beard", "Mustache", "FaceOccluded"} & set(face)
    omitted = answer["ResponseMetadata"]["HTTPHeaders"]["x-overt-omitted"]
    assert omitted == "BEARD,EYEGLASSES,FACE_OCCLUDED,MUSTACHE,SUNGLASSES"
    answer = client.detect_faces(Image=photo("obama.jpg"), Attributes=["BEARD", "SMILE"])
    assert answer["ResponseMetadata"]["HTTPHeaders"]["x-overt-omitted"] == "BEARD"


@pytest.mark.parametrize(
    ("attribute", "member"),
    [
        ("AGE_RANGE", "AgeRange"),
        ("GENDER", "Gender"),
        ("EMOTIONS", "Emotions"),
        ("SMILE", "Smile"),
        ("EYES_OPEN", "EyesOpen"),
        ("MOUTH_OPEN", "MouthOpen"),
        ("EYE_DIRECTION", "EyeDirection"),
    ],
)
def test_a_single_attribute_may_be_asked_for(client: Any, photo: Photo, attribute: str, member: str) -> None:
    answer = client.detect_faces(Image=photo("obama.jpg"), Attributes=["DEFAULT", attribute])
    (face,) = answer["FaceDetails"]
    assert set(face) == {"BoundingBox", "Confidence", "Landmarks", "Pose", "Quality", member}
    assert "x-overt-omitted" not in answer["ResponseMetadata"]["HTTPHeaders"]


def test_a_picture_without_faces_has_none(client: Any, photo: Photo) -> None:
    assert client.detect_faces(Image=photo("coffee.png"))["FaceDetails"] == []


def test_up_to_a_hundred_faces_are_found_in_a_crowd(client: Any, photos: Path) -> None:
    with Image.open(photos / "obama.jpg") as one, Image.open(photos / "biden.jpg") as other:
        heads = [picture.convert("RGB").resize((160, 216)) for picture in (one, other)]
    crowd = Image.new("RGB", (160 * 12, 216 * 10), "white")
    for place in range(120):
        crowd.paste(heads[place % 2], (160 * (place % 12), 216 * (place // 12)))
    encoded = io.BytesIO()
    crowd.save(encoded, "JPEG", quality=92)
    faces = client.detect_faces(Image={"Bytes": encoded.getvalue()})["FaceDetails"]
    assert len(faces) == 100
    areas = [face["BoundingBox"]["Width"] * face["BoundingBox"]["Height"] for face in faces]
    assert all(next_one <= area * 1.0001 for area, next_one in itertools.pairwise(areas))


def test_two_photos_of_one_person_match(client: Any, photo: Photo) -> None:
    answer = client.compare_faces(SourceImage=photo("obama.jpg"), TargetImage=photo("obama2.jpg"))
    (match,) = answer["FaceMatches"]
    assert match["Similarity"] > 95
    assert set(match["Face"]) == {"BoundingBox", "Confidence", "Landmarks", "Pose", "Quality"}
    assert answer["UnmatchedFaces"] == []
    assert answer["SourceImageFace"]["Confidence"] > 80


def test_photos_of_two_people_do_not(client: Any, photo: Photo) -> None:
    answer = client.compare_faces(SourceImage=photo("obama.jpg"), TargetImage=photo("biden.jpg"))
    assert answer["FaceMatches"] == []
    assert len(answer["UnmatchedFaces"]) == 1


def test_the_threshold_decides_what_is_a_match(client: Any, photo: Photo) -> None:
    pictures = {"SourceImage": photo("obama.jpg"), "TargetImage": photo("biden.jpg")}
    (match,) = client.compare_faces(**pictures, SimilarityThreshold=0)["FaceMatches"]
    assert match["Similarity"] < 80
    just_above = match["Similarity"] + 0.01
    assert client.compare_faces(**pictures, SimilarityThreshold=just_above)["FaceMatches"] == []


@pytest.mark.parametrize(("source", "target"), [("coffee.png", "obama.jpg"), ("obama.jpg", "coffee.png")])
def test_comparing_without_a_face_on_either_side_is_refused(
    client: Any, photo: Photo, source: str, target: str
) -> None:
    with pytest.raises(client.exceptions.InvalidParameterException):
        client.compare_faces(SourceImage=photo(source), TargetImage=photo(target))


def test_a_quality_filter_turns_bad_faces_away(client: Any, photos: Path, photo: Photo) -> None:
    with Image.open(photos / "obama2.jpg") as opened:
        small = Image.new("RGB", (640, 640))
        small.paste(opened.convert("RGB").resize((80, 98)), (0, 0))
    encoded = io.BytesIO()
    small.save(encoded, "PNG")
    tiny = {"Bytes": encoded.getvalue()}
    assert len(client.detect_faces(Image=tiny)["FaceDetails"]) == 1
    client.compare_faces(SourceImage=photo("obama.jpg"), TargetImage=tiny)
    with pytest.raises(client.exceptions.InvalidParameterException):
        client.compare_faces(SourceImage=photo("obama.jpg"), TargetImage=tiny, QualityFilter="HIGH")
