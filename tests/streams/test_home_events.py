# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import datetime as dt
import json

import numpy as np

from overt.media.live import LiveFrame
from overt.media.sources.base import Fragment
from overt.streams import home_events
from overt.streams.home_events import Origin, Thing
from overt.types import Box, Image, Session

WALL = dt.datetime(2026, 3, 1, 12, 0, 0, 250_000, dt.UTC)
CAMERA = "arn:aws:kinesisvideo:us-east-1:123456789012:stream/door/1"
SESSION = Session("s-1", WALL, seconds=20.0)
ORIGIN = Origin(CAMERA, "door", SESSION, 20.0, {"house": "12"})
DOG = Thing("PET", Box(0.125, 0.25, 0.5, 0.375), 0.875, "s3://home/door/s-1/frame.jpg", "s3://home/door/s-1/crop.jpg")
IMAGE = Image(np.zeros((4, 4, 3), np.uint8), "")


def frame(fragment: Fragment | None = None, offset: float = 0.0) -> LiveFrame:
    return LiveFrame(IMAGE, 3.0, WALL, fragment, offset)


def test_a_first_sight_is_told_as_the_service_does() -> None:
    fragment = Fragment("91343852333289682796718532614445757584843717598", 1510552593.455, 1510552593.193, 0.0)
    body = json.loads(home_events.detected(ORIGIN, DOG, frame(fragment, 1.5)))
    label = body["labels"][0]
    assert body == {
        "inputInformation": {"kinesisVideo": {"streamArn": CAMERA}},
        "eventNamespace": {"type": "LABEL_DETECTED"},
        "labels": [
            {
                "id": label["id"],
                "name": "PET",
                "confidence": 87.5,
                "frameImageUri": "s3://home/door/s-1/frame.jpg",
                "croppedImageUri": "s3://home/door/s-1/crop.jpg",
                "videoMapping": {
                    "kinesisVideoMapping": {
                        "fragmentNumber": "91343852333289682796718532614445757584843717598",
                        "serverTimestamp": 1510552593455,
                        "producerTimestamp": 1510552593193,
                        "frameOffsetMillis": 1500,
                    }
                },
                "boundingBox": {"left": 0.125, "top": 0.25, "height": 0.375, "width": 0.5},
            }
        ],
        "eventId": DOG.id,
        "tags": {"house": "12"},
        "sessionId": "s-1",
        "startStreamProcessorRequest": {"name": "door", "stopSelector": {"maxDurationInSeconds": 20}},
    }


def test_a_frame_without_a_fragment_has_the_time_it_came() -> None:
    body = json.loads(home_events.detected(ORIGIN, DOG, frame()))
    arrived = round(WALL.timestamp() * 1000)
    assert arrived % 1000 == 250
    assert body["labels"][0]["videoMapping"]["kinesisVideoMapping"] == {
        "fragmentNumber": "",
        "serverTimestamp": arrived,
        "producerTimestamp": arrived,
        "frameOffsetMillis": 0,
    }


def test_pictures_that_lie_nowhere_have_no_address() -> None:
    (label,) = json.loads(home_events.detected(ORIGIN, Thing("PET", DOG.box, 0.9), frame()))["labels"]
    assert not {"frameImageUri", "croppedImageUri"} & label.keys()


def test_a_label_keeps_its_id_when_it_is_told_anew_and_an_event_does_not() -> None:
    once, again = (json.loads(home_events.detected(ORIGIN, Thing("PET", DOG.box, 0.9), frame())) for _ in range(2))
    assert once["labels"][0]["id"] == again["labels"][0]["id"]
    assert once["eventId"] != again["eventId"]


def test_the_end_of_a_session_says_how_much_was_seen() -> None:
    body = json.loads(home_events.ended(ORIGIN, 10.2, ""))
    assert body["inputInformation"] == {"kinesisVideo": {"streamArn": CAMERA, "processedVideoDurationMillis": 10200}}
    assert body["eventNamespace"] == {"type": "STREAM_PROCESSING_COMPLETE"}
    assert body["streamProcessingResults"]["message"]
    assert (body["sessionId"], body["tags"]) == ("s-1", {"house": "12"})
    assert "labels" not in body


def test_a_session_that_failed_says_why() -> None:
    body = json.loads(home_events.ended(ORIGIN, 0.0, "the camera refused the password"))
    assert body["eventNamespace"] == {"type": "STREAM_PROCESSING_ERROR"}
    assert body["streamProcessingResults"] == {"message": "the camera refused the password"}


def test_the_call_that_began_the_session_is_told() -> None:
    def request(**start: object) -> object:
        origin = Origin(CAMERA, "door", Session("s-1", WALL, **start), 10.0, {})  # type: ignore[arg-type]  # by name
        return json.loads(home_events.ended(origin, 1.0, ""))["startStreamProcessorRequest"]

    stop = {"stopSelector": {"maxDurationInSeconds": 10}}
    assert request(fragment="913") == {
        "name": "door", "startSelector": {"kvsStreamStartSelector": {"fragmentNumber": "913"}}, **stop,
    }  # fmt: skip
    assert request(producer_time=1655930623.123) == {
        "name": "door", "startSelector": {"kvsStreamStartSelector": {"producerTimestamp": 1655930623123}}, **stop,
    }  # fmt: skip
