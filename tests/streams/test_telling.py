# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace

import numpy as np
import pytest

from overt.media.live import LiveFrame
from overt.media.sources.base import Fragment
from overt.streams import telling
from overt.streams.watch import Sight
from overt.types import (
    Alert,
    Box,
    Face,
    FaceSearch,
    Image,
    Landmark,
    Match,
    Options,
    Pose,
    Quality,
    Stored,
    StoredFace,
    Stream,
    Wanted,
)

NOON = dt.datetime(2026, 1, 2, 12, 0, tzinfo=dt.UTC)
ARN = "arn:aws:kinesisvideo:eu-west-1:123456789012:stream/gate/1"
DATA = "arn:aws:kinesis:eu-west-1:123456789012:stream/records"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:topic"
BOX = Box(0.1, 0.2, 0.3, 0.4)
KNOWN = StoredFace("f-1", "i-1", "smith", BOX, 0.99, "model-1", None, 3)
FACE = Face(BOX, 0.9, np.zeros((5, 2), np.float32), (Landmark("nose", 0.2, 0.3),), Pose(1, 2, 3), Quality(0.5, 0.75))
WANTED = Wanted(
    ARN,
    search=FaceSearch("people", 0.8),
    records=DATA,
    frames=Stored("pictures", "gate"),
    topic=TOPIC,
    options=Options(targets=("https://example.org/hook",)),
)
STREAM = Stream("key", "123456789012", "gate", WANTED, NOON, NOON)
ALERT = Alert(
    "a-1",
    "123456789012",
    "key",
    "gate",
    ARN,
    "session",
    NOON,
    None,
    1.5,
    BOX,
    Match(KNOWN, 0.995, 0.7, 1),
    "people",
    17,
    0.8,
    "model-1",
    picture=b"jpeg",
)


def frame(fragment: Fragment | None = None) -> LiveFrame:
    return LiveFrame(Image(np.zeros((2, 2, 3), np.uint8), ""), 3.0, NOON, fragment, 2.0 if fragment else 0.0)


def test_a_record_is_as_aws_writes_it() -> None:
    sights = [Sight(0, FACE, (Match(KNOWN, 0.995, 0.7, 1),), None, is_confirmed=True)]
    parcel = telling.record(STREAM, frame(Fragment("9134385233", 1510552593.455, 1510552593.193, 1.0)), sights)
    assert (parcel.stream, parcel.target) == ("key", f"kinesis:{DATA}")
    assert json.loads(parcel.body) == {
        "InputInformation": {
            "KinesisVideo": {
                "StreamArn": ARN,
                "FragmentNumber": "9134385233",
                "ServerTimestamp": 1510552593.455,
                "ProducerTimestamp": 1510552593.193,
                "FrameOffsetInSeconds": 2.0,
            }
        },
        "StreamProcessorInformation": {"Status": "RUNNING"},
        "FaceSearchResponse": [
            {
                "DetectedFace": {
                    "BoundingBox": {"Width": 0.3, "Height": 0.4, "Left": 0.1, "Top": 0.2},
                    "Confidence": 90.0,
                    "Landmarks": [{"Type": "nose", "X": 0.2, "Y": 0.3}],
                    "Pose": {"Roll": 1, "Yaw": 2, "Pitch": 3},
                    "Quality": {"Brightness": 50.0, "Sharpness": 75.0},
                },
                "MatchedFaces": [
                    {
                        "Similarity": 99.5,
                        "Face": {
                            "FaceId": "f-1",
                            "BoundingBox": {"Width": 0.3, "Height": 0.4, "Left": 0.1, "Top": 0.2},
                            "ImageId": "i-1",
                            "ExternalImageId": "smith",
                            "Confidence": 99.0,
                        },
                    }
                ],
            }
        ],
    }


def test_a_camera_without_fragments_tells_our_time() -> None:
    told = json.loads(telling.record(STREAM, frame(), []).body)
    kinesis = told["InputInformation"]["KinesisVideo"]
    assert (kinesis["FragmentNumber"], kinesis["ServerTimestamp"]) == ("", NOON.timestamp())
    assert told["FaceSearchResponse"] == []


def test_an_alert_goes_to_everybody_but_the_records() -> None:
    parcels = telling.alert(STREAM, ALERT, "begun", NOON)
    assert [each.target for each in parcels] == [
        f"sns:{TOPIC}",
        "s3://pictures/gate",
        "https://example.org/hook",
        "events:",
    ]
    told = json.loads(parcels[0].body)
    assert (told["type"], told["timestamp"]) == ("alert.begun", NOON.isoformat())
    assert {name: told["data"][name] for name in ("AlertId", "Person", "Similarity", "Threshold", "ListSize")} == {
        "AlertId": "a-1",
        "Person": "external smith",
        "Similarity": 99.5,
        "Threshold": 80.0,
        "ListSize": 17,
    }
    assert told["data"]["FaceModelVersion"] == "model-1"
    assert {each.attachments[0].name for each in parcels} == {"gate/session/a-1.jpg"}


@pytest.mark.parametrize("state", ["begun", "over"])
def test_somebody_unknown_has_no_face(state: str) -> None:
    stranger = replace(ALERT, match=None, picture=None, end=NOON)
    told = json.loads(telling.alert(STREAM, stranger, state, NOON)[0].body)
    assert (told["data"]["Person"], told["data"]["Face"], told["data"]["Similarity"]) == ("unknown", None, None)


def test_without_outputs_listeners_are_told_alone() -> None:
    assert telling.targets(Wanted(ARN, search=FaceSearch("people", 0.8))) == ("events:",)
