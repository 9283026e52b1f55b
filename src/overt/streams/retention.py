# SPDX-License-Identifier: Apache-2.0
"""Deletes what has been kept long enough: faces within a second of their end, and old alerts.

Faces are deleted as by DeleteFaces, and not erased: erasing writes every search file anew that held one of them, which
for a large collection takes gigabytes, and would do so each second that an entry ends. Searches leave the face out from
its end on; its row is overwritten now, and what search files hold of its vector goes as with any deleted face, or at
once by `overt faces erase`.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Sequence

import structlog

from overt.stores.base import NotFoundError, StoreError, Stores
from overt.stores.deletions import delete_faces
from overt.types import Collection

log = structlog.get_logger(__name__)

_LOOK = 1.0  # seconds between two looks for faces whose end has come
_SWEEP = 60.0  # seconds between two looks for old alerts
_AT_ONCE = 500  # faces deleted in one transaction, so that others who write wait for a moment only


def utc_now() -> dt.datetime:
    """The present, with its zone."""
    return dt.datetime.now(dt.UTC)


class Retention:
    """Works from `open` to `close`. Several servers may do it on one database: what one deleted, another finds gone."""

    def __init__(self, stores: Stores, alerts: dt.timedelta, clock: Callable[[], dt.datetime] = utc_now) -> None:
        """Args: alerts: how long they are kept, from the beginning of the visit. clock: gives the present time."""
        self._stores = stores
        self._alerts = alerts
        self._clock = clock
        self._stopped = threading.Event()
        self._swept = float("-inf")
        self._thread = threading.Thread(target=self._serve, name="retention", daemon=True)

    def open(self) -> None:
        """Begin to work."""
        self._thread.start()

    def close(self) -> None:
        """Stop, after what is under way."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def expire_faces(self) -> int:
        """Delete the faces whose end has come, until none is left; how many there were. Raises: StoreError."""
        total = 0
        while not self._stopped.is_set():
            with self._stores.read() as unit:
                due = unit.expiries.over(_AT_ONCE)
            gone = sum(self._delete(collection, face_ids) for collection, face_ids in due)
            total += gone
            if not gone:  # also where another server was faster
                break
        return total

    def drop_alerts(self) -> int:
        """Drop alerts that were kept long enough; how many there were. Raises: StoreError."""
        with self._stores.write() as unit:
            return unit.alerts.expire(self._clock() - self._alerts)

    def _delete(self, collection: Collection, face_ids: Sequence[str]) -> int:
        """One collection in a unit of its own, so that two servers never wait for each other in a circle."""
        with self._stores.write() as unit:
            try:
                # Read again, now that nobody else can change the collection: an end may have been put off.
                ends = unit.expiries.of(collection, face_ids)
            except NotFoundError:
                return 0
            now = self._clock()
            return len(delete_faces(unit, collection, [face_id for face_id, end in ends.items() if end <= now]))

    def _serve(self) -> None:
        while not self._stopped.is_set():
            try:
                if faces := self.expire_faces():
                    log.info("faces past their end deleted", count=faces)
                if time.monotonic() - self._swept >= _SWEEP:
                    self._swept = time.monotonic()
                    if alerts := self.drop_alerts():
                        log.info("alerts kept long enough dropped", count=alerts)
            except StoreError as error:
                log.warning("what is past its end could not be deleted", reason=str(error))
            except Exception:
                log.exception("retention stumbled")  # and goes on: nobody else deletes
            self._stopped.wait(_LOOK)
