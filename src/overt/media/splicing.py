# SPDX-License-Identifier: Apache-2.0
"""Puts the sound of one video file beside the pictures of another, in a confined process. Knows no codec."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_MEMORY = 2 << 30
"""Address space of the process in bytes."""
_SECONDS = 3600.0
_BOOT = "import sys; sys.path[:0] = sys.argv[5:]; from overt.media.splicer import main; main(*map(int, sys.argv[1:5]))"


class SpliceError(Exception):
    """The sound cannot be put there; the message says why, for a person."""


def splice(heard: Path, seen: Path, target: Path) -> None:
    """Write an MP4 file: the pictures of `seen`, a file of ours, and the sound of `heard`, which may be anybody's.

    Raises: SpliceError, then `target` is of no use; OSError.
    """
    paths = [str(Path(entry).resolve()) for entry in sys.path if entry]
    with heard.open("rb") as first, seen.open("rb") as second, target.open("w+b") as third:
        files = [first.fileno(), second.fileno(), third.fileno()]
        command = [sys.executable, "-I", "-S", "-c", _BOOT, str(_MEMORY), *map(str, files), *paths]
        environment = {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
        try:
            done = subprocess.run(  # noqa: S603 - our own program
                command,
                pass_fds=files,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env=environment,
                cwd="/",
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            msg = "copying it took too long"
            raise SpliceError(msg) from None
    if done.returncode != 0:
        words = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise SpliceError(words[-1] if words else f"the process that copies it ended with code {done.returncode}")
