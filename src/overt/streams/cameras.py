# SPDX-License-Identifier: Apache-2.0
"""The camera of a stream: a registered one's address, or else the Kinesis video stream itself. Knows no analysis."""

from __future__ import annotations

from typing import Any

from overt.media.live import Camera
from overt.media.sources.base import Services, Source
from overt.media.sources.catalogue import find
from overt.media.sources.kinesis import KinesisSource
from overt.stores.base import NotFoundError, Stores
from overt.types import Session, Stream


def open_camera(stream: Stream, stores: Stores, services: Services) -> Camera:
    """Begin to watch. Raises: SourceError; StoreError."""
    arn = stream.wanted.source
    keyframes_only = False
    source: Source
    try:
        with stores.read() as unit:
            address = unit.cameras.get(stream.account, arn)
        source, keyframes_only = find(address.url, services), address.keyframes_only
    except NotFoundError:
        source = KinesisSource(arn, services, _start(stream.session))
    return Camera(source, stream.wanted.options.rate, keyframes_only=keyframes_only)


def _start(session: Session | None) -> dict[str, Any] | None:
    """GetMedia's StartSelector."""
    if session is None:
        return None
    if session.fragment is not None:
        return {"StartSelectorType": "FRAGMENT_NUMBER", "AfterFragmentNumber": session.fragment}
    if session.producer_time is not None:
        return {"StartSelectorType": "PRODUCER_TIMESTAMP", "StartTimestamp": session.producer_time}
    return None
