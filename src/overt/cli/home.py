# SPDX-License-Identifier: Apache-2.0
"""An engine over a home folder, for the commands that work on its data. Knows no command."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from overt import settings
from overt.cli import logs
from overt.engine import Engine


def own_store(home: Path) -> str:
    """The URL of a folder's own database: for throw-away folders, whatever database the settings name."""
    return f"sqlite:///{home / 'overt.db'}"


@contextmanager
def engine(home: Path | None, mounts: Mapping[str, Path] = MappingProxyType({}), **changes: Any) -> Iterator[Engine]:
    """An open engine; a running server over the same folder sees what is done with it.

    Args: mounts: local buckets for this command only, name -> folder. changes: settings that differ for it.
    """
    logs.configure("text", quiet=True)
    opened = Engine.open(settings.load(home=home, **changes), mounts)
    try:
        yield opened
    finally:
        opened.close()
