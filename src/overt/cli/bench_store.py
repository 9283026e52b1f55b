# SPDX-License-Identifier: Apache-2.0
"""The storage part of `overt bench search`: loading, files, memory, restarts and single inserts of a real store."""

from __future__ import annotations

import datetime as dt
import itertools
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from overt.cli import measuring
from overt.cli.home import own_store
from overt.stores.base import NewFace, Roll
from overt.stores.sql import SqlStores
from overt.stores.vault import Vault
from overt.types import Box, Collection, Embedding, Floats

_ACCOUNT, _MODEL = "000000000001", "bench"
_LOADED = 60_000  # faces in one write unit of a load
_WRITERS = 8
_BOX = Box(0.1, 0.1, 0.5, 0.5)


def measure(halves: npt.NDArray[np.float16], probes: Floats, limit: int, seconds: float) -> dict[str, Any]:
    """Figures of a store that holds a gallery, by what they are.

    Args: halves: (n, dimension) the gallery. probes: (q, dimension) unit rows. limit: of searches, which are made for
    the nearest alone, too. seconds: for searches of each kind, and for inserts.
    """
    with tempfile.TemporaryDirectory(prefix="overt-bench-") as folder:
        home = Path(folder)
        with _open(home) as stores:
            with stores.write() as unit:
                people = unit.collections.create(_ACCOUNT, "people", _MODEL, dt.datetime.now(dt.UTC))
            loading = sum(_seconds(partial(_load, stores, people, roll)) for roll in _rolls(halves))
            building = _seconds(partial(_search, stores, people, limit, probes[0]))
            stores.settle()
        opened = time.perf_counter()
        with _open(home) as stores:
            _search(stores, people, limit, probes[0])
            ready = time.perf_counter() - opened
            one, many = (_searches(partial(_search, stores, people, rows), probes, seconds) for rows in (1, limit))
            resident = _resident(home)
            inserted = _insert(stores, people, probes, seconds)
        count = len(halves)
        return {
            "faces loaded a second": round(count / loading),
            "segments made of, faces a second": round(count / building),
            "ready to search after a warm restart, s": round(ready, 3),
            "search of the store, one row fetched, p50 / p99 ms": one,
            f"search of the store, {limit} rows fetched, p50 / p99 ms": many,
            "bytes a face resident, of what searches scan": round(resident[0] / count, 1),
            "bytes a face resident, of vectors that were in question": round(resident[1] / count, 1),
            "bytes a face on disk, segments": round(_size(home / "segments") / count, 1),
            "bytes a face on disk, database": round(_size(home) / count - _size(home / "segments") / count, 1),
            f"acknowledged inserts a second, {_WRITERS} writers": round(inserted),
        }


@contextmanager
def _open(home: Path) -> Iterator[SqlStores]:
    with closing(
        SqlStores.open(own_store(home), Vault.open(home / "master.key"), segments=home / "segments")
    ) as stores:
        yield stores


def _rolls(halves: npt.NDArray[np.float16]) -> Iterator[Roll]:
    boxes = np.tile(np.array([_BOX.left, _BOX.top, _BOX.width, _BOX.height]), (_LOADED, 1))
    for start in range(0, len(halves), _LOADED):
        vectors = halves[start : start + _LOADED]
        count = len(vectors)
        ids = [str(uuid.uuid4()) for _ in range(count)]
        yield Roll(ids, ids, [None] * count, boxes[:count], np.ones(count), [None] * count, vectors)


def _load(stores: SqlStores, people: Collection, roll: Roll) -> None:
    with stores.write() as unit:
        unit.faces.load(people, _MODEL, roll)


def _search(stores: SqlStores, people: Collection, limit: int, probe: Floats) -> None:
    with stores.read() as unit:
        unit.faces.search(people, Embedding(probe, _MODEL), limit, -1.0)


def _searches(search: Callable[[Floats], None], probes: Floats, seconds: float) -> str:
    spent = measuring.spans((partial(search, probe) for probe in itertools.cycle(probes)), seconds)
    return " / ".join(f"{share * 1000:.2f}" for share in np.percentile(spent, (50, 99)))


def _insert(stores: SqlStores, people: Collection, vectors: Floats, seconds: float) -> float:
    """Faces enrolled a second, each acknowledged by itself, by writers that each wait for their own."""
    end = time.perf_counter() + seconds
    done = [0] * _WRITERS
    start = threading.Barrier(_WRITERS)

    def write(writer: int) -> None:
        start.wait()
        for vector in itertools.cycle(vectors):
            face = NewFace(str(uuid.uuid4()), _BOX, 1.0, Embedding(vector, _MODEL))
            with stores.write() as unit:
                unit.faces.add(people, face.id, None, [face])
            done[writer] += 1
            if time.perf_counter() > end:
                return

    began = time.perf_counter()
    with ThreadPoolExecutor(_WRITERS) as threads:
        list(threads.map(write, range(_WRITERS)))
    return sum(done) / (time.perf_counter() - began)


def _seconds(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _resident(home: Path) -> tuple[int, int]:
    """Bytes of this process's memory that are pages of segments, as the kernel counts them: scanned, and vectors."""
    scanned = vectors = 0
    kind = ""
    for line in Path("/proc/self/smaps").read_text(encoding="utf-8").splitlines():
        words = line.split()
        if "-" in words[0]:
            is_segment = str(home) in line and ".segment" in line
            kind = "" if not is_segment else "scanned" if int(words[2], 16) == 0 else "vectors"
        elif words[0] == "Rss:":
            scanned += int(words[1]) * 1024 * (kind == "scanned")
            vectors += int(words[1]) * 1024 * (kind == "vectors")
    return scanned, vectors
