# SPDX-License-Identifier: Apache-2.0
"""Reads files and URLs that an operator has typed: the only code of this room that opens a connection."""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from overt.models.pack import PackError

LARGEST = 4 << 30
"""Bytes of one file, so that a wrong address does not fill the disk."""
_BLOCK = 1 << 20
_SECONDS = 60

Progress = Callable[[int, int | None], None]
"""Told how many bytes have come, of how many if that is known."""


def read(address: str, most: int) -> bytes:
    """A small file as a whole. Raises: PackError when it cannot be read or has more than `most` bytes."""
    with _opened(address) as (stream, _):
        content: bytes = stream.read(most + 1)
    if len(content) > most:
        raise PackError(f"{address} has more than {most} bytes")
    return content


def download(address: str, path: Path, sha256: str, progress: Progress) -> int:
    """Copy to a file and check its sha256. Returns: bytes. Raises: PackError."""
    hashed, size = hashlib.sha256(), 0
    with _opened(address) as (stream, whole), path.open("xb") as file:
        while block := stream.read(_BLOCK):
            size += len(block)
            if size > LARGEST:
                raise PackError(f"{address} has more than {LARGEST >> 30} GB")
            hashed.update(block)
            file.write(block)
            progress(size, whole)
    if hashed.hexdigest() != sha256:
        raise PackError(f"{address} has sha256 {hashed.hexdigest()}, not {sha256}: nothing was added")
    return size


@contextmanager
def _opened(address: str) -> Iterator[tuple[Any, int | None]]:
    """A file or URL to read, and its length if known. Raises: PackError."""
    scheme = urlsplit(address).scheme
    if scheme not in {"http", "https", "file", ""}:
        raise PackError(f"{address}: only http, https and file addresses are read")
    try:
        if scheme in {"http", "https"}:
            with urllib.request.urlopen(address, timeout=_SECONDS) as answer:  # noqa: S310 - the scheme is checked
                yield answer, int(answer.headers["Content-Length"]) if answer.headers["Content-Length"] else None
        else:
            path = Path(urllib.request.url2pathname(urlsplit(address).path) if scheme else address)
            with path.open("rb") as file:
                yield file, os.fstat(file.fileno()).st_size
    except PackError:
        raise
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise PackError(f"{address} cannot be read: {getattr(error, 'reason', None) or error}") from error
