# SPDX-License-Identifier: Apache-2.0
"""What a connected-home session tells, as JSON of the service. Knows no model, no target and no store.

Source: Rekognition's developer guide, "Label detection operations for streaming video events", section "Analyzing label
detection results". Its example leaves out `confidence` (0..100), which its text names and consumers read; times are
milliseconds since 1970, as consumers take them.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from overt.media.live import LiveFrame
from overt.types import Box, Session

SUBJECT = "Rekognition Stream Processing Event"
_DETECTED, _COMPLETE, _ERROR = "LABEL_DETECTED", "STREAM_PROCESSING_COMPLETE", "STREAM_PROCESSING_ERROR"
_DONE = "Stream processing is complete."


@dataclass(frozen=True, slots=True)
class Thing:
    """Something seen. label: PERSON, PET or PACKAGE. confidence: 0..1. id: of this event.

    frame_uri, crop_uri: where pictures of it will lie; "" = nowhere.
    """

    label: str
    box: Box
    confidence: float
    frame_uri: str = ""
    crop_uri: str = ""
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose session it is. source: ARN of the camera. name, tags: of the stream. seconds: how long it may last."""

    source: str
    name: str
    session: Session
    seconds: float
    tags: Mapping[str, str]


def detected(origin: Origin, thing: Thing, frame: LiveFrame) -> bytes:
    """The first sight of a thing. Args: frame: that shows it."""
    uris = {"frameImageUri": thing.frame_uri, "croppedImageUri": thing.crop_uri}
    label = {
        # The same, should a session that was interrupted begin again and tell it anew.
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{origin.session.id} {thing.label}")),
        "name": thing.label,
        "confidence": thing.confidence * 100,
        **{name: uri for name, uri in uris.items() if uri},
        "videoMapping": {"kinesisVideoMapping": _place(frame)},
        "boundingBox": {
            "left": thing.box.left,
            "top": thing.box.top,
            "height": thing.box.height,
            "width": thing.box.width,
        },
    }
    return _event(origin, _DETECTED, {}, {"labels": [label]}, thing.id)


def ended(origin: Origin, duration: float, reason: str) -> bytes:
    """The end of a session. Args: duration: seconds of the stream that were watched. reason: why it failed, or ""."""
    seen = {"processedVideoDurationMillis": round(duration * 1000)}
    results = {"streamProcessingResults": {"message": reason or _DONE}}
    return _event(origin, _ERROR if reason else _COMPLETE, seen, results, str(uuid.uuid4()))


def _event(origin: Origin, kind: str, seen: Mapping[str, Any], results: Mapping[str, Any], event_id: str) -> bytes:
    body = {
        "inputInformation": {"kinesisVideo": {"streamArn": origin.source, **seen}},
        "eventNamespace": {"type": kind},
        **results,
        "eventId": event_id,
        "tags": dict(origin.tags),
        "sessionId": origin.session.id,
        "startStreamProcessorRequest": _request(origin),
    }
    return json.dumps(body, separators=(",", ":")).encode()


def _request(origin: Origin) -> dict[str, Any]:
    """The call that began the session."""
    session = origin.session
    start: dict[str, Any] = {}
    if session.fragment is not None:
        start["fragmentNumber"] = session.fragment
    if session.producer_time is not None:
        start["producerTimestamp"] = round(session.producer_time * 1000)
    request: dict[str, Any] = {"name": origin.name}
    if start:
        request["startSelector"] = {"kvsStreamStartSelector": start}
    request["stopSelector"] = {"maxDurationInSeconds": round(origin.seconds)}
    return request


def _place(frame: LiveFrame) -> dict[str, Any]:
    """Where in the stream a frame is.

    A source that is no Kinesis stream has no fragments: the frame is its own then, and both times are when it came. The
    number stays, empty, as consumers take it for granted.
    """
    fragment = frame.fragment
    if fragment is None:
        arrived = round(frame.wall.timestamp() * 1000)
        return {"fragmentNumber": "", "serverTimestamp": arrived, "producerTimestamp": arrived, "frameOffsetMillis": 0}
    return {
        "fragmentNumber": fragment.number,
        "serverTimestamp": round(fragment.server_time * 1000),
        "producerTimestamp": round(fragment.producer_time * 1000),
        "frameOffsetMillis": round(frame.offset * 1000),
    }
