# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from overt.errors import SerializationException, ValidationException
from overt.ops import registry
from overt.wire import shapes
from overt.wire.services import pattern, rekognition


def parse(operation: str, value: Any) -> dict[str, Any]:
    return shapes.parse(rekognition().operations[operation].input_shape, value)


def render(operation: str, value: Any) -> dict[str, Any]:
    return shapes.render(rekognition().operations[operation].output_shape, value)


def test_blobs_come_as_base64_and_become_bytes() -> None:
    assert parse("DetectFaces", {"Image": {"Bytes": "aGVsbG8="}}) == {"Image": {"Bytes": b"hello"}}


def test_null_is_absent_and_unknown_members_are_passed_over() -> None:
    assert parse("ListCollections", {"MaxResults": None, "Colour": "red"}) == {}


def test_every_violation_is_told_at_once_in_the_words_of_aws() -> None:
    with pytest.raises(ValidationException) as refused:
        parse("SearchFaces", {"CollectionId": "bad id!", "MaxFaces": 0})
    assert refused.value.text == (
        "3 validation errors detected: "
        "Value 'bad id!' at 'collectionId' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: [a-zA-Z0-9_.\\-]+; "
        "Value '0' at 'maxFaces' failed to satisfy constraint: "
        "Member must have value greater than or equal to 1; "
        "Value null at 'faceId' failed to satisfy constraint: Member must not be null"
    )


@pytest.mark.parametrize(
    ("operation", "value", "path"),
    [
        ("DetectFaces", {"Image": {"Bytes": ""}}, "image.bytes"),
        ("CreateCollection", {"CollectionId": "x" * 256}, "collectionId"),
        ("SearchFaces", {"CollectionId": "a", "FaceId": "not-a-uuid"}, "faceId"),
        ("SearchFacesByImage", {"CollectionId": "a", "Image": {}, "FaceMatchThreshold": -1}, "faceMatchThreshold"),
        ("SearchFacesByImage", {"CollectionId": "a", "Image": {}, "FaceMatchThreshold": 101}, "faceMatchThreshold"),
        ("DetectFaces", {"Image": {}, "Attributes": ["ALL", "SHOES"]}, "attributes.2.member"),
        ("DeleteFaces", {"CollectionId": "a", "FaceIds": []}, "faceIds"),
        ("DetectFaces", {"Image": {"S3Object": {"Bucket": "ab", "Name": "x"}}}, "image.s3Object.bucket"),
        ("CreateCollection", {"CollectionId": "a", "Tags": {f"k{i}": "" for i in range(201)}}, "tags"),
        ("CreateCollection", {"CollectionId": "a", "Tags": {"aws:x": ""}}, "tags.key"),
        ("CreateCollection", {"CollectionId": "good\n"}, "collectionId"),
    ],
)
def test_a_violated_constraint_is_told_with_its_place(operation: str, value: Any, path: str) -> None:
    with pytest.raises(ValidationException, match=f"(?s)^1 validation error detected: .* at '{path}' failed"):
        parse(operation, value)


def test_a_picture_is_never_repeated_in_an_error() -> None:
    with pytest.raises(ValidationException) as refused:
        parse("DetectFaces", {"Image": {"Bytes": b"\x00" * 5_242_881}})
    assert len(refused.value.text) < 300
    assert "5242881 bytes" in refused.value.text


@pytest.mark.parametrize(
    ("operation", "value"),
    [
        ("DetectFaces", []),
        ("DetectFaces", {"Image": "photo.jpg"}),
        ("DetectFaces", {"Image": {"Bytes": "not base64!"}}),
        ("DetectFaces", {"Image": {"Bytes": "aGVsbG8"}}),
        ("DetectFaces", {"Image": {"Bytes": 7}}),
        ("DetectFaces", {"Image": {}, "Attributes": "ALL"}),
        ("CreateCollection", {"CollectionId": 5}),
        ("CreateCollection", {"CollectionId": "\ud800"}),
        ("CreateCollection", {"CollectionId": "a", "Tags": [["k", "v"]]}),
        ("ListFaces", {"CollectionId": "a", "MaxResults": 1.5}),
        ("ListFaces", {"CollectionId": "a", "MaxResults": True}),
        ("ListFaces", {"CollectionId": "a", "MaxResults": 2**31}),
        ("SearchFacesByImage", {"CollectionId": "a", "Image": {}, "FaceMatchThreshold": "80"}),
        ("SearchFacesByImage", {"CollectionId": "a", "Image": {}, "FaceMatchThreshold": float("inf")}),
        ("CompareFaces", {"SourceImage": {}, "TargetImage": {}, "SimilarityThreshold": True}),
    ],
)
def test_a_wrong_type_is_a_serialization_error(operation: str, value: Any) -> None:
    with pytest.raises(SerializationException):
        parse(operation, value)


def test_answers_are_written_as_json_values() -> None:
    created = dt.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=dt.UTC)
    answer = {"FaceCount": 3, "CreationTimestamp": created, "CollectionARN": None}
    assert render("DescribeCollection", answer) == {"FaceCount": 3, "CreationTimestamp": 1767323045.679}


@pytest.mark.parametrize(
    "answer",
    [
        {"FaceCounts": 3},
        {"FaceCount": "3"},
        {"FaceCount": 3.5},
        {"FaceCount": True},
        {"CreationTimestamp": 1767323045},
        {"CreationTimestamp": dt.datetime(2026, 1, 2)},  # noqa: DTZ001 - that is the fault
    ],
)
def test_an_answer_that_does_not_fit_its_shape_is_never_sent(answer: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        render("DescribeCollection", answer)


def test_numbers_that_are_not_finite_are_never_sent() -> None:
    with pytest.raises(TypeError):
        render("DetectFaces", {"FaceDetails": [{"Confidence": float("nan")}]})


def test_names_outside_an_enum_are_never_sent() -> None:
    with pytest.raises(TypeError):
        render("DetectFaces", {"FaceDetails": [{"Emotions": [{"Type": "BORED", "Confidence": 1.0}]}]})


def test_no_name_that_is_kept_can_hold_what_a_database_cannot() -> None:
    """PostgreSQL takes no NUL in a text, so a request that has one must be refused before it gets there."""

    def strings(shape: Any, path: str, above: frozenset[str]) -> Iterator[tuple[str, Any]]:
        if shape.type_name == "structure" and shape.name not in above:
            for name, member in shape.members.items():
                yield from strings(member, f"{path}.{name}", above | {shape.name})
        elif shape.type_name == "list":
            yield from strings(shape.member, path, above)
        elif shape.type_name == "map":
            yield from strings(shape.key, path, above)
            yield from strings(shape.value, path, above)
        elif shape.type_name == "string" and not shape.enum:
            yield path.rpartition(".")[2], shape.metadata.get("pattern")

    operations = rekognition().operations
    taking = {
        name
        for operation in registry.offered()
        for name, wanted in strings(operations[operation].input_shape, "", frozenset())
        if wanted is None or any(pattern(wanted).fullmatch(text) for text in ("\0", "a\0", "\0a", "a\0b"))
    }
    # Names of S3 objects and of a review's flow are not kept; tokens are checked by their seal, ARNs by `ops/tags.py`;
    # what streams are to look for, and where their pictures go, is kept sealed, as bytes.
    assert taking == {"Name", "Version", "FlowDefinitionArn", "NextToken", "ResourceArn", "Labels", "KeyPrefix"}
