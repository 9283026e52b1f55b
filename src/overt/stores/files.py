# SPDX-License-Identifier: Apache-2.0
"""Files that appear whole: written under another name, readable by their owner alone, then put in place."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def draft(file: Path) -> Iterator[Path]:
    """An empty file of mode 0600 to fill; it becomes `file`, durably, when the block ends without an exception.

    When somebody else made `file` meanwhile, theirs stays and the draft goes: of many who start at once, all use one.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError), _beside(file) as path:
        yield path


@contextmanager
def new(file: Path) -> Iterator[Path]:
    """As `draft`, in a folder that is there; a file that is there, or comes meanwhile, stays.

    Raises: FileExistsError, at once when the file is there at once.
    """
    if file.exists():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(file))
    with _beside(file) as path:
        yield path


@contextmanager
def _beside(file: Path) -> Iterator[Path]:
    path = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        yield path
        sync(path)
        try:
            os.link(path, file)
        except FileExistsError:
            raise
        except OSError:  # a file system without links, as on sticks and cards
            path.rename(file)
    finally:
        path.unlink(missing_ok=True)
    sync(file.parent)


def sync(path: Path) -> None:
    """Make a file's bytes, or a folder's names, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
