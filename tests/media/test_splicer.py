# SPDX-License-Identifier: Apache-2.0
"""The worker that copies sound can do nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from overt.media import splicer

PROGRAM = """
import sys
sys.path[:0] = sys.argv[1:]
from overt.media import confine, splicer
splicer._warm()
confine.limit(1 << 31, writes=True)
print(confine.confine() or "held")
print("\\n".join(confine.attempts()))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the system-call filter is Linux's")
def test_it_is_held_back_although_it_may_write() -> None:
    paths = [str(Path(entry).resolve()) for entry in sys.path if entry]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", PROGRAM, *paths], capture_output=True, text=True, check=True, timeout=60
    )
    first, *tried = done.stdout.splitlines()
    assert first == "held"
    assert tried
    assert all(line.endswith("refused") for line in tried)


def test_two_places_in_one_file_are_apart(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w+b") as file:
        one, other = splicer._file(file.fileno()), splicer._file(file.fileno())
        one.write(b"abcdef")
        assert other.read(3) == b"abc"
        one.write(b"gh")
        assert other.read(10) == b"defgh"
        assert (one.tell(), other.seek(-2, 2), other.read(1)) == (8, 6, b"g")
