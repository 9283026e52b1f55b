# SPDX-License-Identifier: Apache-2.0
"""A home folder: an engine over it for the commands that work on its data, and its locks. Knows no command."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from overt import settings
from overt.cli import lock, logs
from overt.cli.output import CommandError
from overt.engine import Engine
from overt.settings import Settings

SERVER_LOCK = "server.lock"


@contextmanager
def alone(chosen: Settings, name: str, doer: str) -> Iterator[None]:
    """Hold a lock of the home folder, which is made if need be: no other process then does the same in it.

    Args: name: of the lock's file. doer: what holds it, for people. Raises: CommandError when another process does.
    """
    chosen.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with lock.held(chosen.home / name):
            yield
    except lock.HeldError as error:
        raise CommandError(
            f"{doer} is at work on {chosen.home} already (process {error.pid or 'unknown'}); "
            "end it first, or choose another --home"
        ) from None


def own_store(home: Path) -> str:
    """The URL of a folder's own database: for throw-away folders, whatever database the settings name."""
    return f"sqlite:///{home / 'overt.db'}"


@contextmanager
def engine(home: Path | None, mounts: Mapping[str, Path] = MappingProxyType({}), **changes: Any) -> Iterator[Engine]:
    """An open engine; a running server over the same folder sees what is done with it.

    Args: mounts: local buckets for this command only, name -> folder. changes: settings that differ for it.
    """
    logs.configure("text", quiet=True)
    chosen = settings.load(home=home, **changes)
    if "store" in changes:
        chosen = chosen.model_copy(update={"ray": None})  # a folder's own database is no cluster's
    opened = Engine.open(chosen, mounts)
    try:
        yield opened
    finally:
        opened.close()
