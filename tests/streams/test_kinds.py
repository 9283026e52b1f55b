# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from overt.engine import Engine
from overt.streams import kinds
from overt.streams.home import HomeAnalysis
from overt.streams.searching import SearchAnalysis
from overt.types import ConnectedHome, FaceSearch, Session, Stored, Stream, Wanted

NOW = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
ARN = "arn:aws:kinesisvideo:us-east-1:000000000001:stream/gate/1"


@pytest.mark.parametrize(
    ("wanted", "kind"),
    [
        (Wanted(ARN, search=FaceSearch("people", 0.8)), SearchAnalysis),
        (
            Wanted(ARN, home=ConnectedHome(("PERSON",)), frames=Stored("bucket", ""), topic="arn:aws:sns:x:1:t"),
            HomeAnalysis,
        ),
    ],
)
def test_what_is_wanted_decides(engine: Engine, wanted: Wanted, kind: type) -> None:
    stream = Stream("id", "000000000001", "gate", wanted, NOW, NOW)
    begun = kinds.begin(replace(stream, session=Session("s", NOW)), engine.models, engine.stores)
    assert isinstance(begun, kind)
    assert not begun.is_over
