# SPDX-License-Identifier: Apache-2.0
"""Reads a Rekognition collection and lists an S3 bucket through boto3, for whoever leaves them. Changes nothing there.

Credentials, region and profile are the AWS ones of this shell; knows nothing of collections here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from overt.cli.output import CommandError
from overt.types import Box

Told = Callable[[int], object]
"""Told how many faces have been read so far."""

_ATTEMPTS = 10  # of one call; boto3 waits longer before each, and calls more slowly while the service throttles
_FACES_PER_PAGE, _USERS_PER_PAGE = 4096, 500
_KEYS = ("AccessDenied", "UnrecognizedClient", "InvalidSignature", "ExpiredToken", "InvalidClientTokenId", "Forbidden")


@dataclass(frozen=True, slots=True)
class SourceFace:
    """A face as the source lists it. image: its ImageId. external: ExternalImageId; user: UserId; both "" = none."""

    id: str
    image: str
    external: str
    user: str
    box: Box


@dataclass(frozen=True, slots=True)
class Source:
    """What a collection holds. users: all UserIds, those without faces too."""

    faces: Sequence[SourceFace]
    users: Sequence[str]


def use_profile(profile: str | None, region: str | None) -> None:
    """Choose profile and region for every AWS client that this process makes from here on."""
    for variable, value in (("AWS_PROFILE", profile), ("AWS_DEFAULT_REGION", region)):
        if value is not None:
            os.environ[variable] = value


def read(collection: str, endpoint: str | None, told: Told) -> Source:
    """All faces and users of a collection.

    Args: endpoint: URL of a service other than AWS. AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_REKOGNITION are passed
    over: in a shell that is set up for overt they lead to overt.
    Raises: CommandError when it cannot be read.
    """
    import boto3
    from botocore.config import Config

    config = Config(
        retries={"mode": "adaptive", "total_max_attempts": _ATTEMPTS},
        ignore_configured_endpoint_urls=True,  # type: ignore[call-arg]  # the stubs do not know it
    )
    with _in_words(f"the collection {collection}"):
        client: Any = boto3.session.Session().client("rekognition", endpoint_url=endpoint, config=config)
        faces: list[SourceFace] = []
        for page in client.get_paginator("list_faces").paginate(
            CollectionId=collection, PaginationConfig={"PageSize": _FACES_PER_PAGE}
        ):
            faces += map(_face, page["Faces"])
            told(len(faces))
        listed = [
            user
            for page in client.get_paginator("list_users").paginate(
                CollectionId=collection, PaginationConfig={"PageSize": _USERS_PER_PAGE}
            )
            for user in page["Users"]
        ]
        return Source(faces, [user["UserId"] for user in listed])


def read_file(path: Path) -> Source:
    """What `aws rekognition list-faces` has printed. Raises: CommandError when it is something else."""
    try:
        faces = [_face(face) for face in json.loads(path.read_text(encoding="utf-8"))["Faces"]]
    except (ValueError, KeyError, TypeError) as error:
        told = f"{path} is not what `aws rekognition list-faces --output json` prints"
        raise CommandError(f"{told}: {type(error).__name__} {error}") from None
    return Source(faces, sorted({face.user for face in faces if face.user}))


def objects(bucket: str, prefix: str, endpoint: str | None) -> Iterator[tuple[str, str]]:
    """Key and ETag of every object below a prefix, by key. Raises: CommandError when the bucket cannot be listed."""
    import boto3
    from botocore.config import Config

    config = Config(
        retries={"mode": "adaptive", "total_max_attempts": _ATTEMPTS},
        s3={"addressing_style": "path" if endpoint else "auto"},
    )
    with _in_words(f"s3://{bucket}/{prefix}"):
        client = boto3.session.Session().client("s3", endpoint_url=endpoint, config=config)
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for item in page.get("Contents", ()):
                yield item["Key"], item.get("ETag", "")


def box_of(place: Mapping[str, float]) -> Box:
    """The wire's BoundingBox."""
    return Box(place["Left"], place["Top"], place["Width"], place["Height"])


def _face(item: Mapping[str, Any]) -> SourceFace:
    return SourceFace(
        item["FaceId"],
        item["ImageId"],
        item.get("ExternalImageId", ""),
        item.get("UserId", ""),
        box_of(item["BoundingBox"]),
    )


@contextmanager
def _in_words(what: str) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise CommandError(f"{what} cannot be read: {error}{_advice(code)}") from error
    except BotoCoreError as error:
        raise CommandError(f"{what} cannot be read: {error}{_advice(type(error).__name__)}") from error


def _advice(code: str) -> str:
    """What to do about it, where that is known; begins with a stop."""
    file = os.environ.get("AWS_SHARED_CREDENTIALS_FILE")
    if code.startswith(_KEYS) or "Credentials" in code:
        if file:
            return f". AWS_SHARED_CREDENTIALS_FILE is {file}: are these the keys of the source?"
        return ". Give the source's credentials as for any AWS tool, or --profile NAME"
    if code == "NoRegionError":
        return " Give it with --region"
    if code == "ResourceNotFoundException":
        return ". Is it another --region?"
    return ""
