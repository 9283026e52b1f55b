# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import datetime as dt

from overt.engine import Engine
from overt.govern import audit
from overt.types import Event


def test_a_recorded_event_is_there_to_be_read(engine: Engine) -> None:
    now = dt.datetime.now(dt.UTC)
    event = Event("call-1", now, "DetectFaces", "KEY", "000000000001", "digest", "allow", "ok", 12.5)
    audit.record(engine.stores, event)
    with engine.stores.read() as unit:
        assert list(unit.records.tail(1)) == [event]
