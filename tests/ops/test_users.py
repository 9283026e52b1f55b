# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

Photo = Callable[[str], dict[str, Any]]
Enrol = Callable[..., str]


@pytest.fixture
def people(client: Any, collection: str, enrol: Enrol) -> dict[str, list[str]]:
    """Two users with faces: o has two, b has one."""
    faces = {"o": [enrol("obama.jpg"), enrol("obama2.jpg")], "b": [enrol("biden.jpg")]}
    for user, face_ids in faces.items():
        client.create_user(CollectionId=collection, UserId=user)
        client.associate_faces(CollectionId=collection, UserId=user, FaceIds=face_ids)
    return faces


def status(client: Any, collection: str) -> dict[str, str]:
    users = client.list_users(CollectionId=collection)["Users"]
    return {user["UserId"]: user["UserStatus"] for user in users}


def test_a_user_is_created_without_faces_and_once(client: Any, collection: str) -> None:
    client.create_user(CollectionId=collection, UserId="o")
    assert status(client, collection) == {"o": "CREATED"}
    assert client.describe_collection(CollectionId=collection)["UserCount"] == 1
    with pytest.raises(client.exceptions.ConflictException):
        client.create_user(CollectionId=collection, UserId="o")


def test_a_token_makes_a_repeated_call_do_nothing_new(client: Any, collection: str) -> None:
    token = str(uuid.uuid4())
    client.create_user(CollectionId=collection, UserId="o", ClientRequestToken=token)
    client.create_user(CollectionId=collection, UserId="o", ClientRequestToken=token)
    with pytest.raises(client.exceptions.IdempotentParameterMismatchException) as refused:
        client.create_user(CollectionId=collection, UserId="p", ClientRequestToken=token)
    message = refused.value.response["Error"]["Message"]
    assert message == f"The ClientRequestToken: {token} you have supplied is already in use."
    assert status(client, collection) == {"o": "CREATED"}


def test_a_token_repeats_the_answer_of_an_association(client: Any, collection: str, enrol: Enrol) -> None:
    face, token = enrol("obama.jpg"), str(uuid.uuid4())
    client.create_user(CollectionId=collection, UserId="o")
    parameters = {"CollectionId": collection, "UserId": "o", "FaceIds": [face], "ClientRequestToken": token}
    answers = [client.associate_faces(**parameters) for _ in range(2)]
    assert answers[0]["AssociatedFaces"] == answers[1]["AssociatedFaces"] == [{"FaceId": face}]


def test_lists_come_in_pages(client: Any, collection: str) -> None:
    for number in range(5):
        client.create_user(CollectionId=collection, UserId=f"u{number}")
    pages = list(client.get_paginator("list_users").paginate(CollectionId=collection, PaginationConfig={"PageSize": 2}))
    assert [user["UserId"] for page in pages for user in page["Users"]] == ["u0", "u1", "u2", "u3", "u4"]


def test_faces_that_look_alike_may_be_given_to_a_user(
    client: Any, collection: str, people: dict[str, list[str]]
) -> None:
    assert status(client, collection) == {"o": "ACTIVE", "b": "ACTIVE"}
    listed = client.list_faces(CollectionId=collection)["Faces"]
    assert {face["FaceId"]: face["UserId"] for face in listed} == {
        face: user for user, faces in people.items() for face in faces
    }


def test_faces_that_may_not_be_given_are_told_with_the_reason(
    client: Any, collection: str, people: dict[str, list[str]], enrol: Enrol
) -> None:
    unlike, unknown = enrol("astronaut.png"), str(uuid.uuid4())
    answer = client.associate_faces(
        CollectionId=collection, UserId="o", FaceIds=[people["o"][0], people["b"][0], unlike, unknown]
    )
    assert answer["AssociatedFaces"] == []
    refused = {item["FaceId"]: item for item in answer["UnsuccessfulFaceAssociations"]}
    assert refused[people["b"][0]]["Reasons"] == ["ASSOCIATED_TO_A_DIFFERENT_USER"]
    assert refused[people["b"][0]]["UserId"] == "b"
    assert refused[unknown]["Reasons"] == ["FACE_NOT_FOUND"]
    assert refused[unlike]["Reasons"] == ["LOW_MATCH_CONFIDENCE"]
    assert refused[unlike]["Confidence"] < 75
    assert people["o"][0] not in refused
    answer = client.associate_faces(CollectionId=collection, UserId="o", FaceIds=[unlike], UserMatchThreshold=0)
    assert answer["AssociatedFaces"] == [{"FaceId": unlike}]


def test_the_first_face_of_a_user_is_what_the_others_must_resemble(client: Any, collection: str, enrol: Enrol) -> None:
    faces = [enrol("obama.jpg"), enrol("biden.jpg"), enrol("obama2.jpg")]
    client.create_user(CollectionId=collection, UserId="o")
    answer = client.associate_faces(CollectionId=collection, UserId="o", FaceIds=faces)
    assert answer["AssociatedFaces"] == [{"FaceId": faces[0]}, {"FaceId": faces[2]}]
    assert answer["UserStatus"] == "ACTIVE"


def test_faces_can_be_taken_away_again(client: Any, collection: str, people: dict[str, list[str]]) -> None:
    unknown = str(uuid.uuid4())
    answer = client.disassociate_faces(
        CollectionId=collection, UserId="o", FaceIds=[*people["o"], people["b"][0], unknown]
    )
    assert answer["DisassociatedFaces"] == [{"FaceId": face} for face in people["o"]]
    refused = {item["FaceId"]: item["Reasons"] for item in answer["UnsuccessfulFaceDisassociations"]}
    assert refused == {people["b"][0]: ["ASSOCIATED_TO_A_DIFFERENT_USER"], unknown: ["FACE_NOT_FOUND"]}
    assert client.search_users(CollectionId=collection, FaceId=people["o"][0])["UserMatches"] == []
    deleted = client.delete_faces(CollectionId=collection, FaceIds=people["o"])
    assert deleted["DeletedFaces"] == people["o"]


def test_a_deleted_user_leaves_its_faces(client: Any, collection: str, people: dict[str, list[str]]) -> None:
    client.delete_user(CollectionId=collection, UserId="o")
    assert status(client, collection) == {"b": "ACTIVE"}
    listed = client.list_faces(CollectionId=collection)["Faces"]
    assert len(listed) == 3
    assert {face.get("UserId") for face in listed} == {None, "b"}
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.delete_user(CollectionId=collection, UserId="o")


def test_users_are_found_by_a_face(client: Any, collection: str, people: dict[str, list[str]], enrol: Enrol) -> None:
    probe = enrol("obama3.jpg")
    answer = client.search_users(CollectionId=collection, FaceId=probe)
    assert answer["SearchedFace"] == {"FaceId": probe}
    (match,) = answer["UserMatches"]
    assert match["User"] == {"UserId": "o", "UserStatus": "ACTIVE"}
    assert match["Similarity"] > 95
    assert people


@pytest.mark.usefixtures("people")
def test_users_are_found_by_a_user_that_is_left_out_itself(client: Any, collection: str, enrol: Enrol) -> None:
    face = enrol("obama3.jpg")
    client.create_user(CollectionId=collection, UserId="double")
    client.associate_faces(CollectionId=collection, UserId="double", FaceIds=[face])
    answer = client.search_users(CollectionId=collection, UserId="o")
    assert answer["SearchedUser"] == {"UserId": "o"}
    assert [match["User"]["UserId"] for match in answer["UserMatches"]] == ["double"]


def test_a_user_without_faces_finds_nobody(client: Any, collection: str) -> None:
    client.create_user(CollectionId=collection, UserId="o")
    assert client.search_users(CollectionId=collection, UserId="o")["UserMatches"] == []


@pytest.mark.parametrize("arguments", [{}, {"UserId": "o", "FaceId": str(uuid.uuid4())}])
def test_a_search_for_users_has_exactly_one_subject(client: Any, collection: str, arguments: dict[str, str]) -> None:
    with pytest.raises(client.exceptions.InvalidParameterException):
        client.search_users(CollectionId=collection, **arguments)


@pytest.mark.usefixtures("people")
def test_users_are_found_by_an_image(client: Any, collection: str, photo: Photo) -> None:
    answer = client.search_users_by_image(CollectionId=collection, Image=photo("obama3.jpg"))
    assert [match["User"]["UserId"] for match in answer["UserMatches"]] == ["o"]
    assert answer["SearchedFace"]["FaceDetail"]["Confidence"] > 80
    assert answer["UnsearchedFaces"] == []
    assert answer["FaceModelVersion"] == "sface-2021dec-1.0"


@pytest.mark.usefixtures("people")
def test_faces_that_are_not_the_largest_are_told_as_unsearched(
    client: Any, collection: str, side_by_side: Callable[..., dict[str, Any]]
) -> None:
    picture = side_by_side("biden.jpg", "obama.jpg")
    answer = client.search_users_by_image(CollectionId=collection, Image=picture)
    assert [match["User"]["UserId"] for match in answer["UserMatches"]] == ["b"]
    assert [face["Reasons"] for face in answer["UnsearchedFaces"]] == [["FACE_NOT_LARGEST"]]


def test_an_image_without_a_face_is_no_error_here(client: Any, collection: str, photo: Photo) -> None:
    answer = client.search_users_by_image(CollectionId=collection, Image=photo("coffee.png"))
    assert answer["UserMatches"] == []
    assert "SearchedFace" not in answer


def test_a_user_that_is_not_there_is_not_found(client: Any, collection: str, enrol: Enrol) -> None:
    face = enrol("obama.jpg")
    for call in (
        lambda: client.associate_faces(CollectionId=collection, UserId="nobody", FaceIds=[face]),
        lambda: client.disassociate_faces(CollectionId=collection, UserId="nobody", FaceIds=[face]),
        lambda: client.search_users(CollectionId=collection, UserId="nobody"),
        lambda: client.delete_user(CollectionId=collection, UserId="nobody"),
    ):
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            call()
