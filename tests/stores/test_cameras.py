# SPDX-License-Identifier: Apache-2.0
"""Cameras are found by ARN and by name, each account has its own, and their addresses are sealed on disk."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from overt.stores.base import ExistsError, NotFoundError, StoreError
from overt.stores.sql import SqlStores
from overt.stores.vault import Vault
from overt.testing.stores import ACCOUNT, NOON
from overt.types import CameraAddress

pytestmark = pytest.mark.parametrize("kind", ["sqlite", "postgresql"], indirect=True)

OTHER = "999999999999"
URL = "rtsp://guard:a-password@camera.example/main"


def camera(name: str, **changes: Any) -> CameraAddress:
    arn = f"arn:aws:kinesisvideo:eu-west-1:{ACCOUNT}:stream/{name}/1700000000000"
    return replace(CameraAddress(ACCOUNT, name, arn, URL, NOON), **changes)


def add(stores: SqlStores, *cameras: CameraAddress) -> None:
    for each in cameras:
        with stores.write() as unit:
            unit.cameras.add(each)


def test_a_camera_comes_back_as_it_was_put(stores: SqlStores) -> None:
    gate, door = camera("gate", keyframes_only=True), camera("door")
    add(stores, gate, door, camera("yard", account=OTHER))
    with stores.read() as unit:
        assert unit.cameras.get(ACCOUNT, gate.arn) == gate
        assert unit.cameras.named(ACCOUNT, "door") == door
        assert unit.cameras.list(ACCOUNT) == [door, gate]
        for sought in (lambda: unit.cameras.named(ACCOUNT, "yard"), lambda: unit.cameras.get(OTHER, gate.arn)):
            with pytest.raises(NotFoundError, match="no camera"):
                sought()


def test_names_and_arns_are_an_accounts_own_and_there_once(stores: SqlStores) -> None:
    gate = camera("gate")
    add(stores, gate, replace(gate, account=OTHER))
    for twin in (camera("gate", arn="arn:another"), camera("door", arn=gate.arn)):
        with pytest.raises(ExistsError, match="already"):
            add(stores, twin)
    with stores.read() as unit:
        assert unit.cameras.list(ACCOUNT) == [gate]


def test_a_camera_moves_and_goes(stores: SqlStores) -> None:
    add(stores, camera("gate"), camera("gate", account=OTHER))
    with stores.write() as unit:
        moved = unit.cameras.move(ACCOUNT, "gate", "rtsp://elsewhere/2")
    assert moved == camera("gate", url="rtsp://elsewhere/2")
    with stores.write() as unit:
        assert unit.cameras.get(ACCOUNT, moved.arn) == moved
        unit.cameras.remove(ACCOUNT, "gate")
    with stores.write() as unit:
        assert unit.cameras.list(ACCOUNT) == []
        assert unit.cameras.list(OTHER) == [camera("gate", account=OTHER)]
        with pytest.raises(NotFoundError):
            unit.cameras.move(ACCOUNT, "gate", URL)
        with pytest.raises(NotFoundError):
            unit.cameras.remove(ACCOUNT, "gate")


def test_addresses_are_sealed(stores: SqlStores, url: str) -> None:
    add(stores, camera("gate"))
    with stores.reading.connect() as connection:
        sealed = bytes(connection.execute(text("SELECT url FROM cameras")).scalar_one())
    assert b"a-password" not in sealed
    assert b"camera.example" not in sealed
    assert "a-password" not in repr(camera("gate"))
    other = SqlStores.open(url, Vault(bytes(32)))
    try:
        with other.read() as unit, pytest.raises(StoreError, match="does not open"):
            unit.cameras.named(ACCOUNT, "gate")
    finally:
        other.close()
