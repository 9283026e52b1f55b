# SPDX-License-Identifier: Apache-2.0
"""A person's word on who was seen: confirmed, or rejected; what was withheld until then is told. Knows no camera."""

from __future__ import annotations

import datetime as dt

from overt.stores.base import NotFoundError, Stores, Unit
from overt.streams import telling
from overt.types import Alert, Parcel


def judge(stores: Stores, account: str, alert_id: str, review: str, reviewer: str, *, most: int) -> Alert:
    """Decide on an alert, once and for good. One that waited for it and is confirmed goes to the stream's targets.

    An alert that is confirmed while the visit goes on is told with its beginning alone.

    Args: review: "confirmed" or "rejected". reviewer: who decides. most: bytes that may wait for a target.
    Returns: the alert, with its picture.
    Raises: NotFoundError; StoreError when it was decided already, or review is neither of the two.
    """
    with stores.write() as unit:
        was_withheld = unit.alerts.get(account, alert_id).review == "pending"
        alert = unit.alerts.judge(account, alert_id, review, reviewer)
        if was_withheld and review == "confirmed":
            parcels = _withheld(unit, alert)
            if parcels:
                unit.parcels.put(parcels, most)
    return alert


def _withheld(unit: Unit, alert: Alert) -> tuple[Parcel, ...]:
    """What would have been told; nothing when the stream has gone."""
    try:
        stream = unit.streams.get(alert.account, alert.stream_name)
    except NotFoundError:
        return ()
    if stream.id != alert.stream:  # another one of its name
        return ()
    now = dt.datetime.now(dt.UTC)
    begun = telling.alert(stream, alert, "begun", now)
    return begun if alert.end is None else (*begun, *telling.alert(stream, alert, "over", now))
