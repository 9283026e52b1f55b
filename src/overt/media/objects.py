# SPDX-License-Identifier: Apache-2.0
"""Stored objects read piece by piece, so that a film is never in memory: files of a local bucket, objects of S3.

Knows paths, links, ranged requests and changes under way; not what is in the bytes, and no size limit.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from overt.errors import InvalidS3ObjectException

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BLOCK = 1 << 20
"""Bytes asked of S3 at once."""
_KEPT_BLOCKS = 8
"""A film's pictures and sound are read side by side, and its table of contents now and then."""
_TRIES = 3
"""Of a block whose body breaks off; boto itself tries requests again, not bodies."""


class StoredObject(Protocol):
    """Something to read from at any offset. For one thread at a time."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def mark(self) -> str:
        """What tells it from another object that takes its place; the same whenever it is opened unchanged."""

    def read(self, offset: int, length: int) -> bytes:
        """That many bytes from there, fewer at the end. Raises: InvalidS3ObjectException, also once it has changed."""

    def close(self) -> None:
        """Give back what it holds."""


class LocalObject:
    """A file below a bucket's folder, opened one step at a time and through no link.

    Args: folder: the bucket's. bucket, name: as the request has them.
    Raises: InvalidS3ObjectException when it is not there, no file, or its name could leave the folder.
    """

    def __init__(self, folder: Path, bucket: str, name: str) -> None:
        self._what = f"{bucket}/{name}"
        steps = name.split("/")
        if any(step in ("", ".", "..") or "\0" in step for step in steps):
            raise InvalidS3ObjectException(detail=f"{name!r} cannot name a file in a local bucket")
        try:
            self._file = _walk(folder, steps)
        except OSError as error:
            raise InvalidS3ObjectException(detail=f"{self._what}: {error.strerror or error}") from error
        self._status = os.fstat(self._file)
        if not stat.S_ISREG(self._status.st_mode):
            self.close()
            raise InvalidS3ObjectException(detail=f"{self._what} is not a file")

    @property
    def size(self) -> int:
        """Bytes, when it was opened."""
        return self._status.st_size

    @property
    def mark(self) -> str:
        """Its size and the time of its last change."""
        return f"{self._status.st_size} {self._status.st_mtime_ns}"

    def read(self, offset: int, length: int) -> bytes:
        """As `StoredObject` says."""
        parts: list[bytes] = []
        try:
            now = os.fstat(self._file)
            while length > 0 and (part := os.pread(self._file, length, offset)):
                parts.append(part)
                offset, length = offset + len(part), length - len(part)
        except OSError as error:
            raise InvalidS3ObjectException(detail=f"{self._what}: {error.strerror or error}") from error
        if (now.st_size, now.st_mtime_ns) != (self._status.st_size, self._status.st_mtime_ns):
            raise InvalidS3ObjectException(detail=f"{self._what} was changed while it was being read")
        return b"".join(parts)

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _walk(folder: Path, steps: list[str]) -> int:
    """A descriptor of the file. Raises: OSError."""
    here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for at, step in enumerate(steps):
        # Not waiting on a named pipe; whether it is an ordinary file is seen once it is open.
        kind = os.O_DIRECTORY if at < len(steps) - 1 else os.O_NONBLOCK
        try:
            there = os.open(step, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | kind, dir_fd=here)
        finally:
            os.close(here)
        here = there
    return here


class RemoteObject:
    """An object of an S3 service, read in blocks of which a few are kept.

    Every block must be of the object first met: its ETag goes with each request.

    Args: client: boto3's. bucket, name, version: as the request has them.
    Raises: InvalidS3ObjectException.
    """

    def __init__(self, client: S3Client, bucket: str, name: str, version: str | None) -> None:
        self._client = client
        self._what = f"{bucket}/{name}"
        self._request: dict[str, Any] = {"Bucket": bucket, "Key": name}
        if version is not None:
            self._request["VersionId"] = version
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._size: int | None = None
        self._block(0)

    @property
    def size(self) -> int:
        """Bytes."""
        return self._size or 0

    @property
    def mark(self) -> str:
        """Its size and ETag."""
        return f"{self.size} {self._request.get('IfMatch', '')}"

    def read(self, offset: int, length: int) -> bytes:
        """As `StoredObject` says."""
        end = min(offset + length, self.size)
        parts: list[bytes] = []
        while offset < end:
            number, skipped = divmod(offset, BLOCK)
            part = self._block(number)[skipped : skipped + end - offset]
            parts.append(part)
            offset += len(part)
        return b"".join(parts)

    def close(self) -> None:
        """Forget the blocks; the connection is the client's."""
        self._blocks.clear()

    def _block(self, number: int) -> bytes:
        found = self._blocks.get(number)
        if found is None:
            found = self._blocks[number] = self._get(number)
            if len(self._blocks) > _KEPT_BLOCKS:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(number)
        return found

    def _get(self, number: int) -> bytes:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - 0.2 s that only users of S3 pay

        for left in reversed(range(_TRIES)):
            try:
                return self._get_once(number)
            except ClientError as error:
                code = error.response.get("Error", {}).get("Code", "")
                if code in ("InvalidRange", "416") and self._size is None:
                    self._size = 0  # nothing of an empty object can be asked for
                    return b""
                if code in ("PreconditionFailed", "412"):
                    self._refuse("was changed while it was being read", error)
                raise InvalidS3ObjectException(detail=f"{self._what}: {error}") from error
            except BotoCoreError as error:
                if left == 0:
                    raise InvalidS3ObjectException(detail=f"{self._what}: {error}") from error
        raise AssertionError

    def _get_once(self, number: int) -> bytes:
        first = number * BLOCK
        answer = self._client.get_object(**self._request, Range=f"bytes={first}-{first + BLOCK - 1}")
        # Not the body's own `with`, which gives what lies below it and its unnamed errors.
        with contextlib.closing(answer["Body"]) as body:
            size = answer.get("ContentRange", "").rpartition("/")[2]
            if not size.isdecimal():
                self._refuse("is on a service that answers no request for a part of an object; use one that does")
            if self._size is None:
                self._size = int(size)
                if "ETag" in answer:
                    self._request["IfMatch"] = answer["ETag"]
            if int(size) != self._size or answer["ContentLength"] != min(BLOCK, self._size - first):
                self._refuse("was changed while it was being read")
            data: bytes = body.read()  # no more than the length just checked; fewer bytes are an error of boto's
        return data

    def _refuse(self, why: str, cause: BaseException | None = None) -> NoReturn:
        raise InvalidS3ObjectException(detail=f"{self._what} {why}") from cause
