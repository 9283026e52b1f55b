# SPDX-License-Identifier: Apache-2.0
"""The row that a command leaves which is no operation of the contract but changes what is kept. Knows no command."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from overt.engine import Engine
from overt.govern import audit
from overt.types import Event


@contextmanager
def recorded(opened: Engine, operation: str, about: str) -> Iterator[None]:
    """Do the block's work and leave a row of it, whether it was done or failed.

    Args: operation: a name in the style of the contract's. about: what it was done with and to; only a keyed hash of
        it is kept.
    """
    started, outcome = time.perf_counter(), "ok"
    try:
        yield
    except BaseException as error:
        outcome = type(error).__name__
        raise
    finally:
        event = Event(
            call_id=str(uuid.uuid4()),
            time=dt.datetime.now(dt.UTC),
            operation=operation,
            key_id="local",
            account=opened.settings.account,
            digest=opened.digest("command", about.encode()),
            verdict="allow",
            outcome=outcome,
            milliseconds=round((time.perf_counter() - started) * 1000, 3),
        )
        audit.record(opened.stores, event)
