# SPDX-License-Identifier: Apache-2.0
"""Frames for what looks at a video: of the shared clips, small, and drawn."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from overt.jobs.task import Tools
from overt.media.pictures import Media
from overt.models.hub import Hub
from overt.stores.base import NewFace
from overt.stores.sql import SqlStores
from overt.stores.vault import Vault
from overt.types import Frame, Image, Pixels

SIDE = 96


@pytest.fixture(scope="session")
def clip(shared_data: Path) -> Callable[[str], list[Frame]]:
    """Every frame of a shared clip, 96 pixels long."""

    @functools.cache
    def frames(name: str) -> list[Frame]:
        found = []
        with av.open(str(shared_data / "video" / name)) as container:
            stream = container.streams.video[0]
            scale = SIDE / max(stream.width, stream.height)
            size = {"width": round(stream.width * scale), "height": round(stream.height * scale)}
            for frame in container.decode(stream):
                pixels = frame.to_ndarray(format="rgb24", interpolation="AREA", **size)
                found.append(Frame(Image(pixels, ""), frame.time))
        return found

    return frames


@pytest.fixture(scope="session")
def film() -> Callable[..., list[Frame]]:
    """Frames at a rate of the pixels given, all with the same sound."""

    def frames(pixels: Iterable[Pixels], rate: float = 25.0, loudness: float | None = None) -> list[Frame]:
        return [Frame(Image(np.ascontiguousarray(one), ""), k / rate, loudness) for k, one in enumerate(pixels)]

    return frames


@pytest.fixture(scope="session")
def gallery(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tools]:
    """Models, and a store with a collection `people` of two portraits."""
    home = tmp_path_factory.mktemp("gallery")
    stores = SqlStores.open(f"sqlite:///{home / 'overt.db'}", Vault.open(home / "master.key"))
    models, media = Hub.discover(), Media(workers=1)
    with stores.write() as unit:
        now = dt.datetime.now(dt.UTC)
        people = unit.collections.create("000000000001", "people", models.faces.model, now)
        for name in ("obama", "biden"):
            image = media.decode((photos / f"{name}.jpg").read_bytes())
            face = models.faces.detect(image)[0]
            new = NewFace(name, face.box, face.confidence, models.faces.embed(image, face))
            unit.faces.add(people, name, name, [new])
    media.close()
    yield Tools(models, stores)
    stores.close()
