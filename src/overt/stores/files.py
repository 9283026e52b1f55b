# SPDX-License-Identifier: Apache-2.0
"""Files that appear whole: written under another name, readable by their owner alone, then put in place."""

from __future__ import annotations

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
    path = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        yield path
        _sync(path)
        with suppress(FileExistsError):
            os.link(path, file)
    finally:
        path.unlink()
    _sync(file.parent)


def _sync(path: Path) -> None:
    """Make a file's bytes, or a folder's names, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
