# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError


def test_a_new_collection_is_empty_and_says_its_model(client: Any) -> None:
    made = client.create_collection(CollectionId="new-one")
    assert made["StatusCode"] == 200
    assert made["CollectionArn"] == "arn:aws:rekognition:us-east-1:000000000001:collection/new-one"
    shown = client.describe_collection(CollectionId="new-one")
    assert (shown["FaceCount"], shown["UserCount"]) == (0, 0)
    assert shown["FaceModelVersion"] == made["FaceModelVersion"] == "sface-2021dec-1.0"
    assert shown["CollectionARN"] == made["CollectionArn"]
    assert abs(shown["CreationTimestamp"] - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)
    assert client.delete_collection(CollectionId="new-one")["StatusCode"] == 200


def test_a_collection_says_what_its_size_does_to_searches(
    client: Any, collection: str, enrol: Callable[..., str]
) -> None:
    def told() -> str:
        answer = client.describe_collection(CollectionId=collection)
        return str(answer["ResponseMetadata"]["HTTPHeaders"]["x-overt-false-positives"])

    assert told() == "faces=0; 80=0, 90=0, 95=0, 99=0; for 0.01: 60"
    enrol("obama.jpg")
    enrol("biden.jpg")
    assert told() == "faces=2; 80=0.002, 90=0.0002, 95=2e-05, 99=2e-06; for 0.01: 66"


def test_a_name_can_be_used_once_and_case_counts(client: Any, collection: str) -> None:
    with pytest.raises(client.exceptions.ResourceAlreadyExistsException) as refused:
        client.create_collection(CollectionId=collection)
    assert refused.value.response["Error"]["Message"] == f"The collection id: {collection} already exists"
    client.create_collection(CollectionId=collection.upper())
    client.delete_collection(CollectionId=collection.upper())


def test_a_collection_that_is_not_there_is_said_to_be_in_the_words_of_aws(client: Any) -> None:
    with pytest.raises(client.exceptions.ResourceNotFoundException) as refused:
        client.describe_collection(CollectionId="nowhere")
    assert refused.value.response["Error"]["Message"] == "Collection:nowhere not found!"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    with pytest.raises(client.exceptions.ResourceNotFoundException) as refused:
        client.delete_collection(CollectionId="nowhere")
    assert refused.value.response["Error"]["Message"] == "The collection id: nowhere does not exist"


@pytest.mark.parametrize("name", ["bad id", "bad/id", "é", "x" * 256])
def test_a_bad_name_is_a_validation_error(client: Any, name: str) -> None:
    with pytest.raises(ClientError) as refused:
        client.create_collection(CollectionId=name)
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_lists_come_in_pages_of_equal_length(client: Any) -> None:
    names = [f"page-{number:02d}" for number in range(7)]
    for name in names:
        client.create_collection(CollectionId=name)
    pages = list(client.get_paginator("list_collections").paginate(PaginationConfig={"PageSize": 3}))
    listed = [name for page in pages for name in page["CollectionIds"]]
    assert [name for name in listed if name in names] == names
    assert all(len(page["CollectionIds"]) == len(page["FaceModelVersions"]) <= 3 for page in pages)
    assert "NextToken" not in pages[-1]
    for name in names:
        client.delete_collection(CollectionId=name)


@pytest.mark.parametrize("token", ["garbage", "YWJj.0123456789", "é", "a.b.c", ""])
def test_a_token_we_did_not_give_out_is_refused(client: Any, token: str) -> None:
    with pytest.raises(client.exceptions.InvalidPaginationTokenException) as refused:
        client.list_collections(NextToken=token)
    assert refused.value.response["Error"]["Message"] == "Invalid Pagination Token"


def test_a_token_of_another_list_is_refused(client: Any, collection: str, enrol: Callable[..., str]) -> None:
    enrol("obama.jpg")
    enrol("biden.jpg")
    token = client.list_faces(CollectionId=collection, MaxResults=1)["NextToken"]
    with pytest.raises(client.exceptions.InvalidPaginationTokenException):
        client.list_collections(NextToken=token)


def test_a_collection_made_again_remembers_nothing(
    client: Any, collection: str, enrol: Callable[..., str], photo: Callable[[str], Any]
) -> None:
    enrol("obama.jpg")
    client.create_user(CollectionId=collection, UserId="o")
    client.delete_collection(CollectionId=collection)
    client.create_collection(CollectionId=collection)
    shown = client.describe_collection(CollectionId=collection)
    assert (shown["FaceCount"], shown["UserCount"]) == (0, 0)
    assert client.search_faces_by_image(CollectionId=collection, Image=photo("obama.jpg"))["FaceMatches"] == []
    assert client.list_tags_for_resource(ResourceArn=shown["CollectionARN"])["Tags"] == {}
