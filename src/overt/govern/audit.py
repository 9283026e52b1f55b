# SPDX-License-Identifier: Apache-2.0
"""The record every call leaves before its answer leaves the server. Knows the stores, not the wire."""

from __future__ import annotations

from overt.stores.base import Stores
from overt.types import Event


def record(stores: Stores, event: Event) -> None:
    """Write one event; returns once it is durable and raises when it cannot be: no answer leaves without it."""
    with stores.write() as unit:
        unit.records.append(event)
