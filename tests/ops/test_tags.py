# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def arn(client: Any, collection: str) -> str:
    return client.describe_collection(CollectionId=collection)["CollectionARN"]


def test_tags_are_added_changed_listed_and_removed(client: Any, arn: str) -> None:
    client.tag_resource(ResourceArn=arn, Tags={"team": "a", "Straße": "ü 1"})
    client.tag_resource(ResourceArn=arn, Tags={"team": "b"})
    assert client.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"team": "b", "Straße": "ü 1"}
    client.untag_resource(ResourceArn=arn, TagKeys=["team", "unknown"])
    assert client.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"Straße": "ü 1"}


def test_a_collection_can_be_made_with_tags(client: Any) -> None:
    made = client.create_collection(CollectionId="tagged", Tags={"a": "1"})
    assert client.list_tags_for_resource(ResourceArn=made["CollectionArn"])["Tags"] == {"a": "1"}
    client.delete_collection(CollectionId="tagged")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.list_tags_for_resource(ResourceArn=made["CollectionArn"])


def test_a_resource_has_at_most_200_tags(client: Any, arn: str) -> None:
    client.tag_resource(ResourceArn=arn, Tags={f"k{number}": "" for number in range(200)})
    client.tag_resource(ResourceArn=arn, Tags={"k7": "changed"})
    with pytest.raises(client.exceptions.ServiceQuotaExceededException):
        client.tag_resource(ResourceArn=arn, Tags={"one-more": ""})


@pytest.mark.parametrize(
    "change",
    [
        ("000000000001", "999999999999"),
        ("collection/", "project/"),
        ("rekognition", "dynamodb"),
        ("arn:aws", "urn:aws"),
    ],
)
def test_another_resource_is_not_found(client: Any, arn: str, change: tuple[str, str]) -> None:
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.list_tags_for_resource(ResourceArn=arn.replace(*change))
