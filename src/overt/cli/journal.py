# SPDX-License-Identifier: Apache-2.0
"""Which pictures an import has done, so that an interrupted one goes on where it stopped.

A file of JSON lines in the home folder. File names may be people's names, so only keyed hashes of them are kept.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from overt.engine import Engine


class Journal:
    """The pictures of one folder that are done for one purpose. Used from one thread."""

    def __init__(self, engine: Engine, folder: Path, path: Path, done: set[str]) -> None:
        self._engine = engine
        self._folder = folder
        self._path = path
        self._done = done

    @classmethod
    def open(cls, engine: Engine, folder: Path, purpose: str, *, fresh: bool) -> Journal:
        """The journal of a folder and purpose, emptied when `fresh`."""
        journals = engine.settings.home / "imports"
        journals.mkdir(exist_ok=True)
        path = journals / f"{engine.digest('journal', f'{folder} {purpose}'.encode())[:32]}.jsonl"
        if fresh:
            path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        whole, _, torn = path.read_bytes().rpartition(b"\n")
        if torn:  # the last line was cut off by a crash: its picture will be done again
            os.truncate(path, len(whole) + (1 if whole else 0))
        return cls(engine, folder, path, {json.loads(line)["done"] for line in whole.splitlines()})

    def has(self, name: str) -> bool:
        """Whether a picture (path below the folder) was done and has not changed since."""
        return self._entry(name) in self._done

    def note(self, name: str) -> None:
        """A picture is done."""
        with self._path.open("a") as file:
            file.write(json.dumps({"done": self._entry(name)}) + "\n")

    def _entry(self, name: str) -> str:
        try:
            status = (self._folder / name).stat()
        except OSError:
            return ""
        return self._engine.digest("journal", f"{name} {status.st_size} {status.st_mtime_ns}".encode())
