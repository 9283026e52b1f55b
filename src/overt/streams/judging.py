# SPDX-License-Identifier: Apache-2.0
"""A person's word on who was seen: confirmed, or rejected. Knows no camera and no target."""

from __future__ import annotations

from overt.stores.base import Stores
from overt.types import Alert


def judge(stores: Stores, account: str, alert_id: str, review: str, reviewer: str) -> Alert:
    """Decide on an alert, once and for good.

    Args: review: "confirmed" or "rejected". reviewer: who decides.
    Returns: the alert, with its picture.
    Raises: NotFoundError; StoreError when it was decided already, or review is neither of the two.
    """
    with stores.write() as unit:
        return unit.alerts.judge(account, alert_id, review, reviewer)
