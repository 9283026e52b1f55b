# SPDX-License-Identifier: Apache-2.0
"""A zip file of parts and a manifest that gives each part's length and sha256. Knows nothing of what the parts say.

What is read is taken to be hostile until `verify` has passed, and small until its length is known: no part is held in
memory, none is unpacked to a name from the file.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import shutil
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from overt.stores.base import StoreError

MANIFEST = "manifest.json"

_LONGEST_MANIFEST = 1 << 20  # bytes
_CHUNK = 1 << 20
_FAST = 1  # zlib's level: ids are most of what is packed, and no level gains on them

Advance = Callable[[int], None]  # told how much more is done


class ArchiveError(StoreError):
    """The file is damaged, or none of ours."""


class ArchiveWriter:
    """Fills a file with parts, one after the other; without `finish` it is no archive."""

    def __init__(self, path: Path, kind: str, version: int) -> None:
        """Args: path: an empty file, whose mode stays. kind, version: what `Archive.open` is to ask for."""
        self._zip = zipfile.ZipFile(path, "w", compresslevel=_FAST)
        self._head = {"format": kind, "version": version}
        self._parts: dict[str, dict[str, Any]] = {}

    @contextmanager
    def part(self, name: str, *, packed: bool = False) -> Iterator[IO[bytes]]:
        """A stream to write the part to. packed: whether compressing it is worth the time."""
        entry = zipfile.ZipInfo(name)
        entry.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        entry.external_attr = (stat.S_IFREG | 0o600) << 16
        with self._zip.open(entry, "w", force_zip64=True) as stream:
            counted = _Counted(stream)
            # Gathered, because each write to the archive costs far more than a line of text does.
            with io.BufferedWriter(counted, _CHUNK) as gathered:
                yield gathered
        self._parts[name] = {"bytes": counted.length, "sha256": counted.digest.hexdigest()}

    def finish(self, **told: Any) -> None:
        """Write the manifest, with whatever else it is to tell, and close."""
        text = json.dumps({**self._head, **told, "parts": self._parts}, indent=1)
        self._zip.writestr(zipfile.ZipInfo(MANIFEST), text)
        self._zip.close()

    def abandon(self) -> None:
        """Close after a failure; harmless after `finish`."""
        self._zip.close()


class Archive:
    """An archive to read. Most callers want `open`."""

    def __init__(self, file: zipfile.ZipFile, manifest: Mapping[str, Any]) -> None:
        self._zip = file
        self.manifest = manifest

    @classmethod
    @contextmanager
    def open(cls, path: Path, kind: str, version: int) -> Iterator[Archive]:
        """Raises: ArchiveError when the file is no archive of that kind, or of a newer version; OSError."""
        with path.open("rb") as stream:
            with _explained(path.name):
                file = zipfile.ZipFile(stream)
            with file:
                with _explained(path.name):
                    manifest = _manifest(file, kind)
                if manifest["version"] not in range(1, version + 1):
                    msg = (
                        f"{path.name} is a file of version {manifest['version']}; this overt reads versions up to "
                        f"{version}"
                    )
                    raise ArchiveError(msg)
                yield cls(file, manifest)

    @property
    def lengths(self) -> dict[str, int]:
        """The length of each part in bytes."""
        return {name: int(part["bytes"]) for name, part in self.manifest["parts"].items()}

    def verify(self, advance: Advance) -> None:
        """Read every part. advance: told the bytes. Raises: ArchiveError unless lengths and digests are right."""
        for name, part in self.manifest["parts"].items():
            digest, length = hashlib.sha256(), 0
            with self.part(name) as stream:
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
                    length += len(chunk)
                    advance(len(chunk))
            if (length, digest.hexdigest()) != (part["bytes"], part["sha256"]):
                msg = f"the file is damaged: {name} is not what the manifest says"
                raise ArchiveError(msg)

    @contextmanager
    def part(self, name: str) -> Iterator[io.BufferedReader]:
        """A stream to read the part from. Raises: ArchiveError when it is damaged."""
        with _explained(name), self._zip.open(name) as stream, _buffered(stream) as reader:
            yield reader

    def copy(self, name: str, place: Path) -> None:
        """Write a part to a file that is not there yet, for its owner alone."""
        place.touch(mode=0o600, exist_ok=False)
        with self.part(name) as stream, place.open("wb") as copy:
            shutil.copyfileobj(stream, copy, _CHUNK)


class _Counted(io.RawIOBase):
    """Passes on what is written, and keeps its length and digest."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.length = 0
        self.digest = hashlib.sha256()

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: Any) -> int:
        """All of it."""
        self._stream.write(data)
        self.digest.update(data)
        self.length += len(data)
        return len(data)


def _buffered(stream: IO[bytes]) -> io.BufferedReader:
    """Reads lines many times faster than the zip's own stream, which has all that is used of a raw one."""
    return io.BufferedReader(cast("io.RawIOBase", stream), _CHUNK)


def _manifest(file: zipfile.ZipFile, kind: str) -> dict[str, Any]:
    """The manifest, if it fits the entries of the zip. Raises: ValueError and others."""
    names = file.namelist()
    if any(entry.flag_bits & 1 for entry in file.infolist()):
        msg = "it is encrypted"
        raise ValueError(msg)
    if file.getinfo(MANIFEST).file_size > _LONGEST_MANIFEST:
        msg = "its manifest is too long"
        raise ValueError(msg)
    manifest: dict[str, Any] = json.loads(file.read(MANIFEST))
    if manifest["format"] != kind:
        msg = f"it holds {manifest['format']!r}, not {kind!r}"
        raise ValueError(msg)
    parts: dict[str, dict[str, Any]] = manifest["parts"]
    lengths = {name: file.getinfo(name).file_size for name in parts}
    if sorted([*parts, MANIFEST]) != sorted(names):
        msg = "its parts are not those of its manifest"
        raise ValueError(msg)
    wanted = {name: {"bytes": length, "sha256": str(parts[name]["sha256"])} for name, length in lengths.items()}
    if parts != wanted or any(type(part["bytes"]) is not int for part in parts.values()):
        msg = "its parts are not as long as its manifest says"
        raise ValueError(msg)
    return manifest


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """What a damaged file may raise, as an ArchiveError."""
    wrong = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, KeyError, TypeError, AttributeError)
    try:
        yield
    except (*wrong, NotImplementedError, RecursionError, OverflowError) as error:
        msg = f"{name} is damaged or no file of overt's: {error}"
        raise ArchiveError(msg) from error
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        msg = f"{name} is damaged: it points to where nothing can be"
        raise ArchiveError(msg) from error
