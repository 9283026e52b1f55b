# SPDX-License-Identifier: Apache-2.0
"""Our nouns as Rekognition writes them: the one place with CamelCase results and 0..100. Computes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from overt.jobs.segments import Segment
from overt.jobs.timecode import timecode
from overt.outlets.faces import box as box  # noqa: PLC0414 - whoever writes answers finds it here
from overt.outlets.faces import compared as compared  # noqa: PLC0414 - whoever writes answers finds it here
from overt.outlets.faces import entry
from overt.outlets.faces import percent as percent  # noqa: PLC0414 - whoever writes answers finds it here
from overt.types import (
    Attributes,
    Claim,
    Collection,
    Colour,
    Face,
    Footage,
    Instance,
    Label,
    Look,
    Match,
    Person,
    Region,
    Sound,
    StoredFace,
    Unsafe,
    Wanted,
    Written,
)


def arn(region: str, collection: Collection) -> str:
    """A collection's ARN."""
    return f"arn:aws:rekognition:{region}:{collection.account}:collection/{collection.id}"


def resource(collection: Collection) -> str:
    """A collection's ARN in any region: what its tags are kept under."""
    return arn("", collection)


def region(item: Region) -> dict[str, Any]:
    """RegionOfInterest."""
    if item.box is not None:
        return {"BoundingBox": box(item.box)}
    return {"Polygon": [{"X": x, "Y": y} for x, y in item.polygon]}


def wanted(item: Wanted) -> dict[str, Any]:
    """What DescribeStreamProcessor tells of what was asked for."""
    search, home, frames = item.search, item.home, item.frames
    return {
        "Input": {"KinesisVideoStream": {"Arn": item.source}},
        "Output": {
            "KinesisDataStream": {"Arn": item.records} if item.records else None,
            "S3Destination": {"Bucket": frames.bucket, "KeyPrefix": frames.name or None} if frames else None,
        },
        "RoleArn": item.role,
        "Settings": {
            "FaceSearch": {"CollectionId": search.collection, "FaceMatchThreshold": percent(search.least)}
            if search
            else None,
            "ConnectedHome": {
                "Labels": list(home.labels),
                "MinConfidence": None if home.least is None else percent(home.least),
            }
            if home
            else None,
        },
        "NotificationChannel": {"SNSTopicArn": item.topic} if item.topic else None,
        "RegionsOfInterest": [region(each) for each in item.regions] or None,
        "DataSharingPreference": None if item.shares is None else {"OptIn": item.shares},
    }


def claim(item: Claim | None) -> dict[str, Any] | None:
    """Smile, EyesOpen and their like."""
    return None if item is None else {"Value": item.value, "Confidence": percent(item.confidence)}


def detail(face: Face) -> dict[str, Any]:
    """FaceDetail with whatever attributes the face has."""
    return {**compared(face), **_attributes(face.attributes or Attributes())}


def _attributes(item: Attributes) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "Smile": claim(item.smile),
        "EyesOpen": claim(item.eyes_open),
        "MouthOpen": claim(item.mouth_open),
    }
    if item.age_range is not None:
        shown["AgeRange"] = {"Low": item.age_range[0], "High": item.age_range[1]}
    if item.gender is not None:
        shown["Gender"] = {"Value": item.gender[0], "Confidence": percent(item.gender[1])}
    if item.emotions is not None:
        shown["Emotions"] = [
            {"Type": emotion.name, "Confidence": percent(emotion.confidence)} for emotion in item.emotions
        ]
    if item.gaze is not None:
        shown["EyeDirection"] = {
            "Yaw": item.gaze.yaw,
            "Pitch": item.gaze.pitch,
            "Confidence": percent(item.gaze.confidence),
        }
    return shown


def label(item: Label) -> dict[str, Any]:
    """Label."""
    return {
        "Name": item.name,
        "Confidence": percent(item.confidence),
        "Instances": [instance(one) for one in item.instances],
        "Parents": [{"Name": name} for name in item.parents],
        "Aliases": [{"Name": name} for name in item.aliases],
        "Categories": [{"Name": name} for name in item.categories],
    }


def instance(item: Instance) -> dict[str, Any]:
    """Instance."""
    colours = [colour(one) for one in item.colours] or None
    return {"BoundingBox": box(item.box), "Confidence": percent(item.confidence), "DominantColors": colours}


def colour(item: Colour) -> dict[str, Any]:
    """DominantColor."""
    return {
        "Red": item.red,
        "Green": item.green,
        "Blue": item.blue,
        "HexCode": f"#{item.red:02x}{item.green:02x}{item.blue:02x}",
        "CSSColor": item.name,
        "SimplifiedColor": item.family,
        "PixelPercent": percent(item.share),
    }


def look_quality(item: Look) -> dict[str, Any]:
    """DetectLabelsImageQuality."""
    return {
        "Brightness": percent(item.brightness),
        "Sharpness": percent(item.sharpness),
        "Contrast": percent(item.contrast),
    }


def look(item: Look) -> dict[str, Any]:
    """DetectLabelsImageForeground and DetectLabelsImageBackground."""
    return {"Quality": look_quality(item), "DominantColors": [colour(one) for one in item.colours]}


def written(item: Written) -> dict[str, Any]:
    """TextDetection."""
    return {
        "DetectedText": item.text.text,
        "Type": "LINE" if item.text.line is None else "WORD",
        "Id": item.number,
        "ParentId": item.parent,
        "Confidence": percent(item.text.confidence),
        "Geometry": {
            "BoundingBox": box(item.text.frame),
            "Polygon": [{"X": x, "Y": y} for x, y in item.text.corners.tolist()],
        },
    }


def unsafe(item: Unsafe) -> dict[str, Any]:
    """ModerationLabel."""
    return {
        "Name": item.name,
        "ParentName": item.parent,
        "TaxonomyLevel": item.level or None,
        "Confidence": percent(item.confidence),
    }


def styles(items: Iterable[tuple[str, float]]) -> list[dict[str, Any]]:
    """ContentTypes."""
    return [{"Name": name, "Confidence": percent(sure)} for name, sure in items]


def footage(item: Footage) -> dict[str, Any]:
    """VideoMetadata."""
    return {
        "Codec": item.codec,
        "DurationMillis": int(item.duration * 1000),
        "Format": item.container,
        "FrameRate": item.frame_rate,
        "FrameHeight": item.height,
        "FrameWidth": item.width,
        "ColorRange": "FULL" if item.is_full_range else "LIMITED",
    }


def sound(item: Sound) -> dict[str, Any]:
    """AudioMetadata."""
    return {
        "Codec": item.codec,
        "DurationMillis": int(item.duration * 1000),
        "SampleRate": item.sample_rate,
        "NumberOfChannels": item.channels,
    }


def segment(kind: str, item: Segment, rate: float) -> dict[str, Any]:
    """SegmentDetection. Args: kind: SHOT or TECHNICAL_CUE. rate: frames a second."""
    # Durations are differences, from the first frame's to the last's, as in the service's own examples.
    start, end = int(item.start * 1000), int(item.end * 1000)
    count = item.end_frame - item.start_frame
    told = {"Index": item.index} if item.index is not None else {"Type": item.kind}
    return {
        "Type": kind,
        "StartTimestampMillis": start,
        "EndTimestampMillis": end,
        "DurationMillis": end - start,
        "StartTimecodeSMPTE": timecode(item.start_frame, rate),
        "EndTimecodeSMPTE": timecode(item.end_frame, rate),
        "DurationSMPTE": timecode(count, rate),
        "ShotSegment" if item.index is not None else "TechnicalCueSegment": {
            **told,
            "Confidence": percent(item.confidence),
        },
        "StartFrameNumber": item.start_frame,
        "EndFrameNumber": item.end_frame,
        "DurationFrames": count,
    }


def header(names: Iterable[str]) -> str:
    """Names as a response header's value: one line of visible ASCII, whatever a caller called things."""
    plain = ("".join(letter if " " <= letter <= "~" else "?" for letter in name) for name in names)
    return ", ".join(plain)[:2000]


def face(item: StoredFace) -> dict[str, Any]:
    """Face, as it is enrolled."""
    return {
        **entry(item),
        "IndexFacesModelVersion": item.model.rpartition("-")[2],  # digits and dots are all that it may hold
        "UserId": item.user_id,
    }


def face_match(match: Match[StoredFace]) -> dict[str, Any]:
    """FaceMatch."""
    return {"Similarity": percent(match.similarity), "Face": face(match.subject)}


def user(item: Person) -> dict[str, Any]:
    """User."""
    return {"UserId": item.id, "UserStatus": item.status}


def user_match(match: Match[Person]) -> dict[str, Any]:
    """UserMatch."""
    return {"Similarity": percent(match.similarity), "User": user(match.subject)}


def tags(item: Mapping[str, str]) -> dict[str, str]:
    """TagMap, by key."""
    return dict(sorted(item.items()))
