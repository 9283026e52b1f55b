# SPDX-License-Identifier: Apache-2.0
"""Lays parcels down as objects: `s3://BUCKET/PREFIX`, in a local bucket's folder or an S3 service.

An attachment lies under its name, the body beside the first of them as `<id>.json`, both below the prefix. What comes
twice lies there once.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from overt.outlets.base import SendError
from overt.outlets.clients import Clients, taken_by
from overt.streams.sinks.base import Surroundings, TargetError
from overt.types import Attachment, Parcel

_BUCKET = re.compile(r"[0-9A-Za-z][0-9A-Za-z.\-_]{2,254}")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class BucketSink:
    """Implements `base.Sink`."""

    def __init__(self, url: str, surroundings: Surroundings) -> None:
        parts = urlsplit(url)
        self._bucket, self._prefix = parts.netloc, unquote(parts.path).strip("/")
        if not _BUCKET.fullmatch(self._bucket) or parts.query or parts.fragment:
            msg = "s3: needs the name of a bucket and may have a prefix, s3://BUCKET/PREFIX"
            raise TargetError(msg)
        try:
            _steps(self._prefix or "all")
        except ValueError as error:
            raise TargetError(str(error)) from error
        folder = surroundings.folder(self._bucket)
        self._place: _Folder | _Service = (
            _Service(surroundings.clients, self._bucket) if folder is None else _Folder(folder, self._bucket)
        )

    def send(self, parcel: Parcel) -> None:
        """See `base.Sink.send`."""
        files = list(parcel.attachments)
        if parcel.body:  # last, as it tells of the others
            beside = files[0].name.rpartition("/")[0] if files else parcel.stream
            name = f"{beside}/{parcel.id}.json" if beside else f"{parcel.id}.json"
            files.append(Attachment(name, "application/json", parcel.body))
        try:
            keys = [_steps(f"{self._prefix}/{each.name}" if self._prefix else each.name) for each in files]
        except ValueError as error:
            raise SendError(str(error), is_permanent=True) from error
        for key, each in zip(keys, files, strict=True):
            self._place.lay(key, each)

    def close(self) -> None:
        """See `base.Sink.close`. The clients are everybody's."""


class _Service:
    """A bucket of an S3 service."""

    def __init__(self, clients: Clients, bucket: str) -> None:
        self._clients = clients
        self._bucket = bucket

    def lay(self, steps: Sequence[str], file: Attachment) -> None:
        with taken_by(f"the bucket {self._bucket}"):
            self._clients.s3().put_object(
                Bucket=self._bucket, Key="/".join(steps), Body=file.data, ContentType=file.media_type
            )


class _Folder:
    """A bucket that is a folder here. A file is there whole or not at all."""

    def __init__(self, folder: Path, bucket: str) -> None:
        self._folder = folder
        self._bucket = bucket

    def lay(self, steps: Sequence[str], file: Attachment) -> None:
        *folders, name = steps
        draft = f".{name[:200]}.{os.getpid()}"
        try:
            with self._walk(folders) as here:
                try:
                    _write(here, draft, file.data)
                    os.replace(draft, name, src_dir_fd=here, dst_dir_fd=here)
                except BaseException:
                    with suppress(OSError):
                        os.unlink(draft, dir_fd=here)
                    raise
                os.fsync(here)
        except OSError as error:
            msg = f"the bucket folder {self._bucket} did not take it: {error.strerror or error}"
            raise SendError(msg) from error

    @contextmanager
    def _walk(self, folders: Sequence[str]) -> Iterator[int]:
        """A descriptor of a folder, made where it is missing, and reached through no link. Raises: OSError."""
        here = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for step in folders:
                with suppress(FileExistsError):
                    os.mkdir(step, 0o700, dir_fd=here)
                there = os.open(step, _FOLDER, dir_fd=here)
                os.close(here)
                here = there
            yield here
        finally:
            os.close(here)


def _write(folder: int, name: str, data: bytes) -> None:
    how = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(name, how, 0o600, dir_fd=folder), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _steps(name: str) -> list[str]:
    """The steps of a name that stays below the bucket. Raises: ValueError."""
    steps = name.split("/")
    if any(step in ("", ".", "..") or "\0" in step for step in steps):
        msg = f"{name!r} cannot name an object: a step of it is empty or made of dots"
        raise ValueError(msg)
    return steps
