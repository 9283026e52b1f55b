# SPDX-License-Identifier: Apache-2.0
"""A source is a real server that speaks Rekognition's protocol, asked through real boto3."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from overt.cli import source
from overt.cli.output import CommandError


@pytest.fixture(autouse=True)
def shell(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The source's keys, as an operator's shell has them."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", server.key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", server.secret)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_REKOGNITION", "http://127.0.0.1:1")  # never asked
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def enrolled(client: Any, collection: str, photos: Path) -> dict[str, Any]:
    """One face of a user's, and a user without any."""
    answer = client.index_faces(
        CollectionId=collection, Image={"Bytes": (photos / "obama2.jpg").read_bytes()}, ExternalImageId="o2"
    )
    face: dict[str, Any] = answer["FaceRecords"][0]["Face"]
    for user in ("ann", "bob"):
        client.create_user(CollectionId=collection, UserId=user)
    client.associate_faces(CollectionId=collection, UserId="ann", FaceIds=[face["FaceId"]])
    return face


def test_faces_and_users_are_read(
    server: Any, collection: str, enrolled: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "_USERS_PER_PAGE", 1)
    counts: list[int] = []
    read = source.read(collection, server.url, counts.append)
    (face,) = read.faces
    assert (face.id, face.image, face.external, face.user) == (enrolled["FaceId"], enrolled["ImageId"], "o2", "ann")
    assert face.box.width == enrolled["BoundingBox"]["Width"]
    assert read.users == ["ann", "bob"]
    assert counts == [1]


def test_what_aws_cli_prints_is_read_as_well(
    client: Any, collection: str, enrolled: dict[str, Any], tmp_path: Path
) -> None:
    answer = client.list_faces(CollectionId=collection)
    del answer["ResponseMetadata"]
    (tmp_path / "faces.json").write_text(json.dumps(answer))
    read = source.read_file(tmp_path / "faces.json")
    assert [face.id for face in read.faces] == [enrolled["FaceId"]]
    assert read.users == ["ann"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"Faces": [{"FaceId": "x"}]}', '{"Faces": 3}'])
def test_another_file_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "faces.json").write_text(text)
    with pytest.raises(CommandError, match="list-faces"):
        source.read_file(tmp_path / "faces.json")


def test_a_source_that_throttles_is_asked_again(
    server: Any, gate: Callable[[str], Any], collection: str, enrolled: dict[str, Any]
) -> None:
    opened = gate(server.url)
    opened.refusals.extend([(400, "ThrottlingException"), (400, "ProvisionedThroughputExceededException"), (500, "X")])
    assert len(source.read(collection, opened.url, print).faces) == 1
    assert (opened.refusals, opened.passed) == ([], ["ListFaces", "ListUsers"])


def test_refused_credentials_are_told_with_what_to_do(
    server: Any, collection: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(CommandError, match=r"InvalidSignature.*--profile NAME"):
        source.read(collection, server.url, print)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(CommandError, match=r"none: are these the keys of the source\?"):
        source.read(collection, server.url, print)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(CommandError, match="locate credentials"):
        source.read(collection, server.url, print)


def test_other_failures_are_told(server: Any, collection: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match=r"nowhere does not exist. Is it another --region\?"):
        source.read("nowhere", server.url, print)
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(CommandError, match="Give it with --region"):
        source.read(collection, server.url, print)
    monkeypatch.setenv("AWS_PROFILE", "absent")
    with pytest.raises(CommandError, match="absent"):
        source.read(collection, server.url, print)


def test_a_bucket_that_cannot_be_listed_is_told(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in s3.variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CommandError, match=r"s3://nobucket/a cannot be read: .*NoSuchBucket"):
        list(source.objects("nobucket", "a", None))


def test_a_profile_and_a_region_are_for_all_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "before")
    source.use_profile(None, "eu-west-1")
    assert source.os.environ["AWS_PROFILE"] == "before"
    assert source.os.environ["AWS_DEFAULT_REGION"] == "eu-west-1"
