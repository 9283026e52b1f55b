# SPDX-License-Identifier: Apache-2.0
"""What long work has settled, so that it goes on where it stopped: JSON lines in the home folder, by keyed hashes.

Names of files and people are never written. Knows nothing of the work.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from overt.engine import Engine


class Ledger:
    """Answers by name, kept as soon as they are known. Used from one thread."""

    def __init__(self, engine: Engine, path: Path, kept: dict[str, Any]) -> None:
        self._engine = engine
        self._path = path
        self._kept = kept

    @classmethod
    def open(cls, engine: Engine, purpose: str, *, fresh: bool = False) -> Ledger:
        """The ledger of a purpose, emptied when `fresh`."""
        folder = engine.settings.home / "imports"
        folder.mkdir(exist_ok=True)
        path = folder / f"{engine.digest('ledger', purpose.encode())[:32]}.jsonl"
        if fresh:
            path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        return cls(engine, path, dict(_entries(path)))

    def name(self, told: str) -> str:
        """A keyed hash, under which something may be written that must not be read back."""
        return self._engine.digest("ledger", told.encode())[:32]

    def get(self, told: str) -> Any | None:
        """What was settled under a name, None = nothing yet."""
        return self._kept.get(self.name(told))

    def note(self, told: str, answer: Any) -> None:
        """Settle something. Args: answer: plain JSON without names, not None."""
        name = self.name(told)
        self._kept[name] = answer
        with self._path.open("a") as file:
            file.write(json.dumps([name, answer], separators=(",", ":")) + "\n")


def _entries(path: Path) -> Iterator[tuple[str, Any]]:
    whole = 0
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):  # cut off by a crash: it will be done again
                break
            whole += len(line)
            name, answer = json.loads(line)
            yield name, answer
    os.truncate(path, whole)
