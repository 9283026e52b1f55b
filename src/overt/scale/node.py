# SPDX-License-Identifier: Apache-2.0
"""What a process of the cluster needs to know of the node it runs on: its home folder, its memory, its segments."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path
from typing import Any, BinaryIO

import ray

from overt.settings import Settings

_LOCK = ".lock"


def at_home(settings: Settings) -> Settings:
    """The settings of a server as they hold on this node: its own OVERT_HOME, where it has one, is its home."""
    home = os.environ.get("OVERT_HOME")
    return settings if home is None else settings.model_copy(update={"home": Path(home)})


def address() -> str:
    """The node's IP, as the cluster knows it."""
    api: Any = ray.util
    return str(api.get_node_ip_address())


def resident() -> int:
    """Bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def hold(folder: Path) -> BinaryIO:
    """Claim a folder of segments until the file returned is closed, or this process ends. Waits for whoever has it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = folder.with_name(folder.name + _LOCK).open("wb")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def clear(folder: Path) -> int:
    """Remove the segments in it that no process holds: those of shards that have moved elsewhere. Returns: how many."""
    removed = 0
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.is_dir():
            # The lock's file stays: whoever waits for it has it open.
            with path.with_name(path.name + _LOCK).open("wb") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                shutil.rmtree(path, ignore_errors=True)
                removed += 1
    return removed


def clear_node(settings: Settings) -> int:
    """The same on whatever node it is run."""
    return clear(at_home(settings).shard_folder)
