# SPDX-License-Identifier: Apache-2.0
"""Gets pictures and videos from where a request says they are: inline, a local bucket folder, or an S3 service.

Knows Rekognition's shapes and size limits; does not look inside the bytes. A bucket is a subfolder of the
buckets folder, an object a file in it. Symbolic links are not followed, so nothing outside can be named.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from overt.errors import (
    ImageTooLargeException,
    InvalidParameterException,
    InvalidS3ObjectException,
    VideoTooLargeException,
)
from overt.media.objects import LocalObject, RemoteObject, StoredObject
from overt.types import Stored

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

INLINE_BYTES = 5 << 20
"""Largest picture sent as Bytes. Source: Rekognition guide, guidelines and quotas."""
OBJECT_BYTES = 15 << 20
"""Largest picture read as S3Object. Source: the same."""
VIDEO_BYTES = 10 << 30
"""Largest video. Source: the same."""
_BUCKET = re.compile(r"[0-9A-Za-z][0-9A-Za-z.\-_]{2,254}")
"""Source: shape S3Bucket of the service model; the first character may be no dot, so that no name means a parent."""
_SECONDS = 10.0


class Fetcher:
    """Reads pictures and opens videos that requests point at. Thread-safe.

    Args:
        buckets: folder of local buckets; None = none. It may be absent. It may itself be a link.
        mounts: further local buckets, by name, wherever their folders lie.
        uses_s3: whether buckets that are not local are asked for through boto3, with the server's own credentials.
        s3_endpoint: URL of an S3 service other than AWS; implies uses_s3.

    """

    def __init__(
        self,
        buckets: Path | None = None,
        *,
        mounts: Mapping[str, Path] = MappingProxyType({}),
        uses_s3: bool = False,
        s3_endpoint: str | None = None,
    ) -> None:
        self._buckets = buckets
        self._mounts = dict(mounts)
        self._uses_s3 = uses_s3 or s3_endpoint is not None
        self._endpoint = s3_endpoint
        self._lock = threading.Lock()
        self._client: S3Client | None = None

    def fetch(self, image: Mapping[str, Any]) -> bytes:
        """The bytes of one picture.

        Args: image: the wire's Image: {"Bytes": bytes} or {"S3Object": {"Bucket", "Name", "Version"?}}.
        Raises: InvalidParameterException, ImageTooLargeException, InvalidS3ObjectException.
        """
        inline, stored = image.get("Bytes"), image.get("S3Object")
        if (inline is None) == (stored is None):
            raise InvalidParameterException(detail="an Image has either Bytes or S3Object, and not both")
        if inline is not None:
            raw = bytes(inline)
            _check_size(len(raw), INLINE_BYTES, "Bytes")
            return raw
        return self._object(named(stored or {}))

    def open(self, stored: Stored, most: int = VIDEO_BYTES) -> StoredObject:
        """A stored object to be read piece by piece; whoever asks for it closes it.

        Args: most: bytes it may have. Raises: InvalidS3ObjectException, VideoTooLargeException.
        """
        folder = self._folder(stored)
        found: StoredObject = (
            LocalObject(folder, stored.bucket, stored.name)
            if folder is not None
            else RemoteObject(self._s3(), stored.bucket, stored.name, stored.version)
        )
        if found.size > most:
            size = found.size
            found.close()
            raise VideoTooLargeException(
                f"Video size in bytes: {size} is more than the maximum limit of: {most} bytes."
            )
        return found

    def _object(self, stored: Stored) -> bytes:
        folder = self._folder(stored)
        if folder is None:
            return self._read_s3(stored.bucket, stored.name, stored.version)
        with contextlib.closing(LocalObject(folder, stored.bucket, stored.name)) as found:
            _check_size(found.size, OBJECT_BYTES, f"{stored.bucket}/{stored.name}")
            return found.read(0, OBJECT_BYTES)

    def _folder(self, stored: Stored) -> Path | None:
        """The folder of a local bucket; None when S3 is to be asked. Raises: InvalidS3ObjectException."""
        bucket = stored.bucket
        if not _BUCKET.fullmatch(bucket):
            raise InvalidS3ObjectException(detail=f"{bucket!r} is no bucket name")
        folder = self._local(bucket)
        if folder is not None and stored.version is not None:
            raise InvalidS3ObjectException(detail=f"bucket {bucket} is a local folder: it keeps no versions")
        if folder is None and not self._uses_s3:
            raise InvalidS3ObjectException(
                detail=f"there is no local bucket folder {bucket}, and reading from an S3 service is not switched on"
            )
        return folder

    def _local(self, bucket: str) -> Path | None:
        """The folder of a local bucket, None when there is none of that name."""
        if bucket in self._mounts:
            return self._mounts[bucket]
        folder = None if self._buckets is None else self._buckets / bucket
        # A link is no bucket; whoever wants one elsewhere mounts it by name.
        return folder if folder is not None and folder.is_dir() and not folder.is_symlink() else None

    def _read_s3(self, bucket: str, name: str, version: str | None) -> bytes:
        import botocore.exceptions  # noqa: PLC0415 - 0.2 s that only users of S3 pay

        failures = (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError)
        try:
            client = self._s3()
            if version is None:
                answer = client.get_object(Bucket=bucket, Key=name)
            else:
                answer = client.get_object(Bucket=bucket, Key=name, VersionId=version)
            with contextlib.closing(answer["Body"]) as body:
                _check_size(answer["ContentLength"], OBJECT_BYTES, f"{bucket}/{name}")
                raw: bytes = body.read(OBJECT_BYTES + 1)
        except failures as error:
            raise InvalidS3ObjectException(detail=f"{bucket}/{name}: {error}") from error
        _check_size(len(raw), OBJECT_BYTES, f"{bucket}/{name}")
        return raw

    def _s3(self) -> S3Client:
        with self._lock:
            if self._client is None:
                import boto3  # noqa: PLC0415
                from botocore.config import Config  # noqa: PLC0415

                config = Config(
                    connect_timeout=_SECONDS,
                    read_timeout=_SECONDS,
                    retries={"total_max_attempts": 2},
                    s3={"addressing_style": "path" if self._endpoint else "auto"},
                    max_pool_connections=64,
                )
                self._client = boto3.session.Session().client("s3", endpoint_url=self._endpoint, config=config)
            return self._client


def _check_size(count: int, most: int, what: str) -> None:
    if count > most:
        raise ImageTooLargeException(detail=f"{what} has {count} bytes; at most {most}")


def named(stored: Mapping[str, Any]) -> Stored:
    """What an S3Object names. Raises: InvalidParameterException."""
    bucket, name = stored.get("Bucket"), stored.get("Name")
    if not bucket or not name:
        raise InvalidParameterException(detail="an S3Object needs Bucket and Name")
    return Stored(bucket, name, stored.get("Version"))
