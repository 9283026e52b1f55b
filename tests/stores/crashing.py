# SPDX-License-Identifier: Apache-2.0
"""A process that enrols, deletes, searches and tends segments until it is killed, and tells what was acknowledged."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from overt.stores import gallery, segment, sqlite, writer
from overt.stores.sql import SqlStores
from overt.stores.vault import Vault
from overt.testing.stores import ACCOUNT, MODEL, make_faces, make_vectors
from overt.types import Embedding

# Where a process may be killed: before or after a call of one of these.
POINTS: dict[str, tuple[Any, str]] = {
    "commit": (writer.GroupWriter, "_end"),
    "scrub": (sqlite, "scrub"),
    "write a segment": (segment, "_write"),
    "name a segment": (Path, "rename"),
    "remove a segment": (segment.Segment, "remove"),
    "overwrite rows": (segment.Segment, "overwrite"),
    "publish a view": (gallery.Gallery, "_publish"),
    "exchange segments": (gallery.View, "exchanged"),
}


def work(home: Path, seed: int, told: Connection, point: str | None, when: int) -> None:
    """Run until killed.

    Args: told: gets ("will", action, ids) before and ("did", action, ids) after each write. point: which of POINTS to
        be killed at, after `when` / 2 calls of it, before the next when `when` is even, after it when odd.
    """
    choose = random.Random(seed)
    gallery.SEALED, gallery._READING, gallery._TIER, gallery._PATIENCE = 150, 400, 3, 0.0
    if point is not None:
        _arm(*POINTS[point], when)
    stores = SqlStores.open(
        f"sqlite:///{home / 'overt.db'}", Vault.open(home / "master.key"), segments=home / "segments"
    )
    with stores.read() as unit:
        people = unit.collections.get(ACCOUNT, "people")
        there = [face.id for face in unit.faces.page(people, 0, 1_000_000)]
    number = 0
    while True:
        number += 1
        action = choose.choices(["add", "delete", "erase"], [6, 3, 1])[0]
        if action == "add":
            count = choose.randint(1, 60)
            new = make_faces(make_vectors(count, seed=seed * 10_000 + number), f"{seed}-{number}")
            ids = [face.id for face in new]
        else:
            ids = choose.sample(there, min(len(there), choose.randint(1, 20)))
        told.send(("will", action, ids))
        if action == "erase":
            stores.erase(people, ids)
        else:
            with stores.write() as unit:
                if action == "add":
                    unit.faces.add(people, "image", None, new)
                else:
                    unit.faces.delete(people, ids)
        told.send(("did", action, ids))
        there = [*there, *ids] if action == "add" else [face_id for face_id in there if face_id not in set(ids)]
        with stores.read() as unit:
            probe = Embedding(make_vectors(1, seed=number)[0], MODEL)
            found = {face.id for face, _ in unit.faces.search(people, probe, 4000, -1.0)}
        assert found == set(there) or len(there) > 4000


def _arm(owner: Any, name: str, when: int) -> None:
    called: Callable[..., Any] = getattr(owner, name)
    calls = 0

    def deadly(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > when // 2 and when % 2 == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        result = called(*arguments, **options)
        if calls > when // 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, deadly)
