# SPDX-License-Identifier: Apache-2.0
"""Which pictures an import has done, so that an interrupted one goes on where it stopped.

File names may be people's names, so the ledger beneath keeps only keyed hashes of them.
"""

from __future__ import annotations

from pathlib import Path

from overt.cli.ledger import Ledger
from overt.engine import Engine


class Journal:
    """The pictures of one folder that are done for one purpose. Used from one thread."""

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        self._folder = folder
        self._ledger = ledger

    @classmethod
    def open(cls, engine: Engine, folder: Path, purpose: str, *, fresh: bool) -> Journal:
        """The journal of a folder and purpose, emptied when `fresh`."""
        return cls(folder, Ledger.open(engine, f"{folder} {purpose}", fresh=fresh))

    def has(self, name: str) -> bool:
        """Whether a picture (path below the folder) was done and has not changed since."""
        return self._ledger.get(self._entry(name)) is not None

    def note(self, name: str) -> None:
        """A picture is done."""
        self._ledger.note(self._entry(name), 1)

    def _entry(self, name: str) -> str:
        try:
            status = (self._folder / name).stat()
        except OSError:
            return ""
        return f"{name} {status.st_size} {status.st_mtime_ns}"
