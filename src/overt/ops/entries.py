# SPDX-License-Identifier: Apache-2.0
"""What was found in a video, one finding at a time, as the wire says it. Knows no job, no page and no store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from overt.jobs.segments import Segment
from overt.jobs.spans import Span
from overt.jobs.task import FRAMES
from overt.jobs.tasks.moderation import Judged
from overt.jobs.tasks.sights import Sight
from overt.ops import show
from overt.stores import plain
from overt.types import Face, Finding, Label, Match, StoredFace, Written

_MATCHES = tuple[Match[StoredFace], ...]


def label(finding: Finding) -> dict[str, Any]:
    """LabelDetection: of a frame, or of a span."""
    if finding.view == FRAMES:
        return {**_timed(finding), "Label": show.label(plain.read(Label, finding.body))}
    span = plain.read(Span[Label], finding.body)
    return {**_lasting(span), "Label": show.label(span.what)}


def unsafe(finding: Finding) -> dict[str, Any]:
    """ContentModerationDetection: of a frame, or of a span."""
    if finding.view == FRAMES:
        return {**_timed(finding), **_judged(plain.read(Judged, finding.body))}
    span = plain.read(Span[Judged], finding.body)
    return {**_lasting(span), **_judged(span.what)}


def text(finding: Finding) -> dict[str, Any]:
    """TextDetectionResult."""
    return {**_timed(finding), "TextDetection": show.written(plain.read(Written, finding.body))}


def face(finding: Finding) -> dict[str, Any]:
    """FaceDetection."""
    return {**_timed(finding), "Face": show.detail(plain.read(Face, finding.body))}


def person(finding: Finding) -> dict[str, Any]:
    """PersonDetection, or PersonMatch without its FaceMatches."""
    sight = plain.read(Sight, finding.body)
    detail = {
        "Index": sight.index,
        "BoundingBox": show.box(sight.body) if sight.body else None,
        "Face": show.detail(sight.face) if sight.face else None,
    }
    return {**_timed(finding), "Person": detail}


def matches(findings: Iterable[Finding]) -> Mapping[str, list[dict[str, Any]]]:
    """FaceMatches of people, by the names of their findings. Args: findings: of the view `MATCHES`."""
    return {
        finding.name: [show.face_match(match) for match in plain.read(_MATCHES, finding.body)] for finding in findings
    }


def segment(finding: Finding, rate: float) -> dict[str, Any]:
    """SegmentDetection. Args: rate: frames a second, on average."""
    return show.segment(finding.name, plain.read(Segment, finding.body), rate)


def _timed(finding: Finding) -> dict[str, Any]:
    return {"Timestamp": finding.time}


def _lasting(span: Span[Any]) -> dict[str, Any]:
    return {
        "Timestamp": span.start,
        "StartTimestampMillis": span.start,
        "EndTimestampMillis": span.end,
        "DurationMillis": span.end - span.start,
    }


def _judged(item: Judged) -> dict[str, Any]:
    return {"ModerationLabel": show.unsafe(item.label), "ContentTypes": show.styles(item.styles) or None}
