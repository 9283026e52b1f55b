# SPDX-License-Identifier: Apache-2.0
"""What a stream tells, as parcels: AWS's record of a frame, and our alerts. Knows no sink and no store.

Our own events follow Standard Webhooks: `type`, `timestamp`, `data`.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from typing import Any

from overt.media.live import LiveFrame
from overt.outlets.faces import box, compared, entry, percent
from overt.streams.visits import person
from overt.streams.watch import Sight
from overt.types import Alert, Attachment, Parcel, Stream, Wanted

EVENTS = "events:"
"""The target of those who listen to this server."""
ALERT = "alert"
RECORD = "record"


def targets(wanted: Wanted) -> tuple[str, ...]:
    """URLs of all that a stream's results go to, each once."""
    named = [
        f"kinesis:{wanted.records}" if wanted.records else None,
        f"sns:{wanted.topic}" if wanted.topic else None,
        bucket(wanted),
        *wanted.options.targets,
        EVENTS,
    ]
    return tuple(dict.fromkeys(each for each in named if each))


def bucket(wanted: Wanted) -> str | None:
    """The URL of the bucket that a stream's pictures go to."""
    if wanted.frames is None:
        return None
    return f"s3://{wanted.frames.bucket}/{wanted.frames.name}".rstrip("/")


def record(stream: Stream, frame: LiveFrame, sights: Iterable[Sight]) -> Parcel:
    """What a frame showed, for the stream's Kinesis data stream.

    A source that is no Kinesis video stream has no fragments: their number is empty and the times are ours.
    Source: "Reference: Kinesis face recognition record", Rekognition developer guide.
    """
    piece, wall = frame.fragment, frame.wall.timestamp()
    body = {
        "InputInformation": {
            "KinesisVideo": {
                "StreamArn": stream.wanted.source,
                "FragmentNumber": piece.number if piece else "",
                "ServerTimestamp": piece.server_time if piece else wall,
                "ProducerTimestamp": piece.producer_time if piece else wall,
                "FrameOffsetInSeconds": frame.offset,
            }
        },
        "StreamProcessorInformation": {"Status": "RUNNING"},
        "FaceSearchResponse": [
            {
                "DetectedFace": {name: value for name, value in compared(sight.face).items() if value is not None},
                "MatchedFaces": [
                    {"Similarity": percent(match.similarity), "Face": _known(entry(match.subject))}
                    for match in sight.matches
                ],
            }
            for sight in sights
        ],
    }
    return Parcel(stream.id, f"kinesis:{stream.wanted.records}", RECORD, "", _json(body), frame.wall)


def alert(stream: Stream, found: Alert, state: str, wall: dt.datetime) -> tuple[Parcel, ...]:
    """An alert for everybody who is to know of it, the record of frames aside. Args: state: begun or over."""
    whom = "somebody unknown" if found.match is None else person(found.match.subject)
    body = _json({"type": f"alert.{state}", "timestamp": wall.isoformat(), "data": evidence(found)})
    picture = found.picture if state == "begun" else None
    files = (
        () if picture is None else (Attachment(f"{stream.name}/{found.session}/{found.id}.jpg", "image/jpeg", picture),)
    )
    return tuple(
        Parcel(stream.id, target, ALERT, f"{stream.name}: {whom} {_WORDS[state]}", body, wall, files)
        for target in targets(stream.wanted)
        if target != f"kinesis:{stream.wanted.records}"
    )


_WORDS = {"begun": "is there", "over": "has left"}


def evidence(found: Alert) -> dict[str, Any]:
    """Everything an alert rests on, but the picture."""
    match = found.match
    return {
        "AlertId": found.id,
        "Stream": found.stream_name,
        "Source": found.source,
        "SessionId": found.session,
        "Begun": found.start.isoformat(),
        "Ended": found.end.isoformat() if found.end else None,
        "StreamSeconds": round(found.time, 3),
        "BoundingBox": box(found.box),
        "Person": "unknown" if match is None else person(match.subject),
        "Similarity": None if match is None else percent(match.similarity),
        "Face": None if match is None else {**_known(entry(match.subject)), "UserId": match.subject.user_id},
        "CollectionId": found.collection,
        "ListSize": found.list_size,
        "Threshold": percent(found.threshold),
        "FaceModelVersion": found.model,
        "Review": found.review,
    }


def _known(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
