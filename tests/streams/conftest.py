# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import datetime as dt
import itertools
from pathlib import Path

import filming
import pytest

from overt.engine import Engine
from overt.stores.base import ExistsError, NewFace
from overt.streams.watch import WatchList

ACCOUNT = "000000000001"


@pytest.fixture(scope="session")
def listed(engine: Engine, photos: Path) -> WatchList:
    """A watch list of two people."""
    models = engine.models.faces
    name = "listed"
    with engine.stores.write() as unit:
        try:
            people = unit.collections.create(ACCOUNT, name, models.model, dt.datetime.now(dt.UTC))
        except ExistsError:
            return WatchList(ACCOUNT, name, 0.8)
        for who in ("obama", "biden"):
            image = engine.media.decode((photos / f"{who}.jpg").read_bytes())
            face = models.detect(image)[0]
            new = NewFace(f"{name} {who}", face.box, face.confidence, models.embed(image, face))
            unit.faces.add(people, who, who, [new])
    return WatchList(ACCOUNT, name, 0.8)


@pytest.fixture(scope="session")
def street(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film in which the two pass one after the other, and the first once more."""
    file = tmp_path_factory.mktemp("street") / "street.mp4"
    parts = (
        filming.passing(photos / "obama2.jpg", 4),
        filming.empty(3),
        filming.passing(photos / "biden.jpg", 4),
        filming.empty(3),
        filming.passing(photos / "obama3.jpg", 4),
    )
    file.write_bytes(filming.film(itertools.chain(*parts)))
    return file
