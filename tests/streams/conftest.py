# SPDX-License-Identifier: Apache-2.0
"""AWS's services for streams' tests, a store, and a watch list with a film of those on it."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from pathlib import Path

import filming
import pytest
from services import Aws

from overt.engine import Engine
from overt.stores.base import ExistsError, NewFace
from overt.stores.sql import SqlStores
from overt.stores.vault import Vault
from overt.streams.watch import WatchList

ACCOUNT = "000000000001"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    for name, value in (("ACCESS_KEY_ID", "AKIATEST"), ("SECRET_ACCESS_KEY", "not-a-secret"), ("REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    server = Aws()
    yield server
    server.start()
    server.forget()
    server.stop()


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[SqlStores]:
    stores = SqlStores.open(f"sqlite:///{tmp_path / 'overt.db'}", Vault.open(tmp_path / "master.key"))
    yield stores
    stores.close()


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
