# SPDX-License-Identifier: Apache-2.0
"""A file that one process holds at a time. The system lets go of it when that process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class HeldError(Exception):
    """Another process holds it. pid: which; 0 when it has not said yet."""

    def __init__(self, pid: int) -> None:
        super().__init__(f"process {pid} holds the file")
        self.pid = pid


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a file, which is made if need be and stays behind with this process's id. Raises: HeldError; OSError."""
    # Closed when another program is started, so that no child outlives us with the lock.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            told = os.pread(descriptor, 32, 0).strip()
            raise HeldError(int(told) if told.isdigit() else 0) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
