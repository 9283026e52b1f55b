# SPDX-License-Identifier: Apache-2.0
"""The row that a command leaves which is no operation of the contract but changes what is kept. Knows no command."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from overt.engine import Engine
from overt.errors import WireError
from overt.govern import audit
from overt.types import Event


@contextmanager
def recorded(opened: Engine, operation: str, subject: str) -> Iterator[None]:
    """Leave a row when the block ends, also when it fails. subject: what was worked on; only a keyed hash is kept."""
    started, now = time.perf_counter(), dt.datetime.now(dt.UTC)
    outcome = "ok"
    try:
        yield
    except BaseException as error:
        outcome = error.code if isinstance(error, WireError) else type(error).__name__
        raise
    finally:
        event = Event(
            call_id=str(uuid.uuid4()),
            time=now,
            operation=operation,
            key_id="local",
            account=opened.settings.account,
            digest=opened.digest("command", f"{operation}:{subject}".encode()),
            verdict="allow",
            outcome=outcome,
            milliseconds=round((time.perf_counter() - started) * 1000, 3),
        )
        audit.record(opened.stores, event)
