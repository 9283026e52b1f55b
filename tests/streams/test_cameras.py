# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from overt.media.sources.base import Services, SourceError
from overt.stores.sql import SqlStores
from overt.streams.cameras import open_camera
from overt.types import CameraAddress, FaceSearch, Session, Stream, Wanted

NOW = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
ARN = "arn:aws:kinesisvideo:us-east-1:000000000001:stream/gate/1"


def stream(source: str, session: Session | None = None) -> Stream:
    return Stream(
        "id", "000000000001", "gate", Wanted(source, search=FaceSearch("people", 0.8)), NOW, NOW, session=session
    )


def test_a_registered_camera_is_its_address(stores: SqlStores, street: Path) -> None:
    with stores.write() as unit:
        unit.cameras.add(CameraAddress("000000000001", "gate", ARN, street.as_uri(), NOW, keyframes_only=True))
    with open_camera(stream(ARN), stores, Services()) as camera:
        frame = camera.newest(20)
        assert frame is not None
        assert camera.label == street.as_uri()


def test_any_other_is_a_stream_of_kinesis(stores: SqlStores) -> None:
    session = Session("s", NOW, fragment="91343852333181432392682062607743920370000000001")
    with open_camera(stream(ARN, session), stores, Services(kinesis_endpoint="http://127.0.0.1:9")) as camera:
        assert camera.label == ARN


def test_an_address_that_nothing_reads_is_an_error(stores: SqlStores) -> None:
    with stores.write() as unit:
        unit.cameras.add(CameraAddress("000000000001", "gate", ARN, "gopher://x", NOW))
    with pytest.raises(SourceError):
        open_camera(stream(ARN), stores, Services())
