# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

Photo = Callable[[str], dict[str, Any]]
Enrol = Callable[..., str]
Photos = Callable[..., dict[str, Any]]


def test_an_enrolled_face_is_told_whole(client: Any, collection: str, photo: Photo) -> None:
    answer = client.index_faces(
        CollectionId=collection, Image=photo("obama.jpg"), ExternalImageId="o:1", DetectionAttributes=["ALL"]
    )
    (record,) = answer["FaceRecords"]
    face = record["Face"]
    assert uuid.UUID(face["FaceId"])
    assert uuid.UUID(face["ImageId"])
    assert face["ExternalImageId"] == "o:1"
    assert (answer["FaceModelVersion"], face["IndexFacesModelVersion"]) == ("sface-2021dec-1.0", "1.0")
    assert face["BoundingBox"] == record["FaceDetail"]["BoundingBox"]
    assert record["FaceDetail"]["Gender"]["Value"] == "Male"
    assert answer["UnindexedFaces"] == []
    assert "OrientationCorrection" not in answer
    assert client.describe_collection(CollectionId=collection)["FaceCount"] == 1


def test_the_same_picture_enrolled_again_adds_nothing(client: Any, collection: str, enrol: Enrol) -> None:
    assert enrol("obama.jpg", "o") == enrol("obama.jpg", "o")
    assert client.describe_collection(CollectionId=collection)["FaceCount"] == 1
    assert enrol("obama.jpg", "other") != enrol("obama.jpg", "o")
    assert client.describe_collection(CollectionId=collection)["FaceCount"] == 2


def test_the_same_picture_has_the_same_ids_in_every_collection(client: Any, enrol: Enrol, photo: Photo) -> None:
    here = enrol("obama.jpg")
    client.create_collection(CollectionId="elsewhere")
    there = client.index_faces(CollectionId="elsewhere", Image=photo("obama.jpg"))["FaceRecords"][0]["Face"]
    client.delete_collection(CollectionId="elsewhere")
    assert there["FaceId"] == here


def test_max_faces_keeps_the_largest(client: Any, collection: str, side_by_side: Photos) -> None:
    picture = side_by_side("obama.jpg", "biden.jpg")
    answer = client.index_faces(CollectionId=collection, Image=picture, MaxFaces=1)
    (kept,), (left,) = answer["FaceRecords"], answer["UnindexedFaces"]
    assert left["Reasons"] == ["EXCEEDS_MAX_FACES"]
    assert kept["FaceDetail"]["BoundingBox"]["Width"] > left["FaceDetail"]["BoundingBox"]["Width"]


def test_faces_too_small_are_turned_away_unless_no_filter_is_wanted(client: Any, collection: str, photos: Path) -> None:
    with Image.open(photos / "obama.jpg") as opened:
        scene = Image.new("RGB", (800, 800), (90, 120, 90))
        scene.paste(opened.convert("RGB").resize((70, 94)), (300, 300))
    encoded = io.BytesIO()
    scene.save(encoded, "PNG")
    picture = {"Bytes": encoded.getvalue()}
    answer = client.index_faces(CollectionId=collection, Image=picture)
    assert answer["FaceRecords"] == []
    assert "SMALL_BOUNDING_BOX" in answer["UnindexedFaces"][0]["Reasons"]
    answer = client.index_faces(CollectionId=collection, Image=picture, QualityFilter="NONE")
    assert len(answer["FaceRecords"]) == 1


def test_a_picture_without_faces_enrols_none(client: Any, collection: str, photo: Photo) -> None:
    answer = client.index_faces(CollectionId=collection, Image=photo("coffee.png"))
    assert (answer["FaceRecords"], answer["UnindexedFaces"]) == ([], [])


def test_listing_pages_and_filters(client: Any, collection: str, enrol: Enrol) -> None:
    faces = [enrol("obama.jpg"), enrol("obama2.jpg"), enrol("biden.jpg")]
    pages = list(client.get_paginator("list_faces").paginate(CollectionId=collection, PaginationConfig={"PageSize": 2}))
    assert [face["FaceId"] for page in pages for face in page["Faces"]] == faces
    assert [len(page["Faces"]) for page in pages] == [2, 1]
    assert pages[0]["FaceModelVersion"] == "sface-2021dec-1.0"
    unknown = str(uuid.uuid4())
    listed = client.list_faces(CollectionId=collection, FaceIds=[faces[2], faces[0], unknown])["Faces"]
    assert [face["FaceId"] for face in listed] == [faces[0], faces[2]]
    client.create_user(CollectionId=collection, UserId="o")
    client.associate_faces(CollectionId=collection, UserId="o", FaceIds=[faces[1]])
    (listed,) = client.list_faces(CollectionId=collection, UserId="o")["Faces"]
    assert (listed["FaceId"], listed["UserId"]) == (faces[1], "o")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.list_faces(CollectionId=collection, UserId="nobody")


def test_deleting_tells_what_could_not_be_deleted(client: Any, collection: str, enrol: Enrol, photo: Photo) -> None:
    free, taken, unknown = enrol("biden.jpg"), enrol("obama.jpg"), str(uuid.uuid4())
    client.create_user(CollectionId=collection, UserId="o")
    client.associate_faces(CollectionId=collection, UserId="o", FaceIds=[taken])
    answer = client.delete_faces(CollectionId=collection, FaceIds=[free, taken, unknown, free])
    assert answer["DeletedFaces"] == [free]
    assert answer["UnsuccessfulFaceDeletions"] == [
        {"FaceId": taken, "UserId": "o", "Reasons": ["ASSOCIATED_TO_AN_EXISTING_USER"]},
        {"FaceId": unknown, "Reasons": ["FACE_NOT_FOUND"]},
    ]
    assert client.search_faces_by_image(CollectionId=collection, Image=photo("biden.jpg"))["FaceMatches"] == []
    assert enrol("biden.jpg") == free


def test_search_by_face_finds_the_same_person_and_not_itself(client: Any, collection: str, enrol: Enrol) -> None:
    first, second, _ = enrol("obama.jpg", "o1"), enrol("obama2.jpg", "o2"), enrol("biden.jpg", "b")
    answer = client.search_faces(CollectionId=collection, FaceId=first)
    assert answer["SearchedFaceId"] == first
    (match,) = answer["FaceMatches"]
    assert (match["Face"]["FaceId"], match["Face"]["ExternalImageId"]) == (second, "o2")
    assert match["Similarity"] > 95


def test_search_by_an_unknown_face_is_an_invalid_parameter(client: Any, collection: str) -> None:
    with pytest.raises(client.exceptions.InvalidParameterException) as refused:
        client.search_faces(CollectionId=collection, FaceId=str(uuid.uuid4()))
    assert refused.value.response["Error"]["Message"] == "faceId was not found in the collection."


def test_search_by_image_ranks_by_similarity(client: Any, collection: str, enrol: Enrol, photo: Photo) -> None:
    enrol("obama.jpg", "o1")
    enrol("obama3.jpg", "o3")
    enrol("biden.jpg", "b")
    answer = client.search_faces_by_image(CollectionId=collection, Image=photo("obama2.jpg"), FaceMatchThreshold=0)
    similarities = [match["Similarity"] for match in answer["FaceMatches"]]
    assert similarities == sorted(similarities, reverse=True)
    assert [match["Face"]["ExternalImageId"] for match in answer["FaceMatches"]][-1] == "b"
    assert answer["SearchedFaceConfidence"] > 80
    assert answer["FaceModelVersion"] == "sface-2021dec-1.0"
    answer = client.search_faces_by_image(CollectionId=collection, Image=photo("obama2.jpg"), MaxFaces=1)
    assert len(answer["FaceMatches"]) == 1


def test_search_by_image_takes_the_largest_face(
    client: Any, collection: str, enrol: Enrol, side_by_side: Photos
) -> None:
    enrol("obama.jpg", "o")
    enrol("biden.jpg", "b")
    picture = side_by_side("obama2.jpg", "biden.jpg")
    answer = client.search_faces_by_image(CollectionId=collection, Image=picture)
    assert [match["Face"]["ExternalImageId"] for match in answer["FaceMatches"]] == ["o"]


def test_search_by_an_image_without_a_face_is_refused_in_the_words_of_aws(
    client: Any, collection: str, photo: Photo
) -> None:
    with pytest.raises(client.exceptions.InvalidParameterException) as refused:
        client.search_faces_by_image(CollectionId=collection, Image=photo("coffee.png"))
    assert refused.value.response["Error"]["Message"] == "There are no faces in the image. Should be at least 1."
    assert refused.value.response["ResponseMetadata"]["HTTPHeaders"]["x-overt-detail"] == "no face was found"


def test_every_operation_on_a_missing_collection_says_so(client: Any, photo: Photo) -> None:
    face, image = str(uuid.uuid4()), photo("obama.jpg")
    for call in (
        lambda: client.index_faces(CollectionId="nowhere", Image=image),
        lambda: client.list_faces(CollectionId="nowhere"),
        lambda: client.delete_faces(CollectionId="nowhere", FaceIds=[face]),
        lambda: client.search_faces(CollectionId="nowhere", FaceId=face),
        lambda: client.search_faces_by_image(CollectionId="nowhere", Image=image),
    ):
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            call()


def test_a_full_collection_refuses_more(start_server: Callable[..., Any], photo: Photo) -> None:
    client = start_server(OVERT_FACES_PER_COLLECTION="1").client()
    client.create_collection(CollectionId="small")
    client.index_faces(CollectionId="small", Image=photo("obama.jpg"))
    with pytest.raises(client.exceptions.ServiceQuotaExceededException):
        client.index_faces(CollectionId="small", Image=photo("biden.jpg"))
    assert client.describe_collection(CollectionId="small")["FaceCount"] == 1
