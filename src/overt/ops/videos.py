# SPDX-License-Identifier: Apache-2.0
"""The operations on stored videos: each Start begins a job, each Get reads what it found. Knows no frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from overt.engine import Engine
from overt.jobs import plain
from overt.jobs import task as tasks
from overt.jobs.segments import Segment
from overt.jobs.spans import Span
from overt.jobs.task import FRAMES, MATCHES, SPANS
from overt.jobs.tasks.faces import Faces
from overt.jobs.tasks.labels import Labels
from overt.jobs.tasks.moderation import Judged, Moderation
from overt.jobs.tasks.people import People
from overt.jobs.tasks.search import Search
from overt.jobs.tasks.segments import Segments
from overt.jobs.tasks.sights import Sight
from overt.jobs.tasks.texts import Texts
from overt.models.taxonomy.unsafe import OLDER_VERSION
from overt.ops import show
from overt.ops.finding import find_gallery
from overt.ops.jobs import Found, begin, results
from overt.ops.labels import MODEL_VERSION as LABEL_VERSION
from overt.ops.labels import label_filter
from overt.ops.matching import threshold
from overt.ops.registry import OMITTED, operation
from overt.ops.texts import MODEL_VERSION as TEXT_VERSION
from overt.ops.texts import word_filter
from overt.types import Call, Face, Finding, Label, Match, StoredFace, Written

_LEAST = 50.0
"""MinConfidence of labels and of moderation where a caller gives none. Source: Rekognition's API reference."""
_BLACK, _COVERED = 0.2, 99.0
"""MaxPixelThreshold and MinCoveragePercentage of black frames where a caller gives none. Source: the same."""
_SEGMENT_VERSION = "1.0"
_UNTOLD = ("OpeningCredits", "StudioLogo", "Slate")
"""Technical cues that nothing here can tell from content."""
_MATCHES = tuple[Match[StoredFace], ...]

_Noun = TypeVar("_Noun")


@operation("StartLabelDetection")
def start_label_detection(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Begin to name what a video shows."""
    settings = call.get("Settings") or {}
    wanted = label_filter(settings.get("GeneralLabels") or {})
    scenes = engine.models.scenes
    free = sorted(wanted.names - scenes.labels)
    if free and engine.models.vocabulary is None:
        call.notes[OMITTED] = show.header(free)
    return begin(call, engine, Labels(call.get("MinConfidence", _LEAST) / 100, wanted))


@operation("GetLabelDetection")
def get_label_detection(call: Call, engine: Engine) -> Mapping[str, Any]:
    """What a video shows: by the frame, or how long each label was seen."""
    found = _arranged(call, engine)
    return {
        **found.answer,
        "Labels": [
            {**_timed(finding), "Label": show.label(plain.read(Label, finding.body))}
            if finding.view == FRAMES
            else {**_span(span := plain.read(Span[Label], finding.body)), "Label": show.label(span.what)}
            for finding in found.findings
        ],
        "LabelModelVersion": LABEL_VERSION,
        "GetRequestMetadata": _arrangement(call),
    }


@operation("StartContentModeration")
def start_content_moderation(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Begin to look for unsafe content in a video."""
    call.notes[OMITTED] = show.header(engine.models.moderation.unsupported)
    is_older = engine.settings.moderation_version == OLDER_VERSION
    return begin(call, engine, Moderation(call.get("MinConfidence", _LEAST) / 100, is_older))


@operation("GetContentModeration")
def get_content_moderation(call: Call, engine: Engine) -> Mapping[str, Any]:
    """The unsafe content of a video: by the frame, or how long each label was seen."""
    found = _arranged(call, engine)
    return {
        **found.answer,
        "ModerationLabels": [
            {**_timed(finding), **_judged(plain.read(Judged, finding.body))}
            if finding.view == FRAMES
            else {**_span(span := plain.read(Span[Judged], finding.body)), **_judged(span.what)}
            for finding in found.findings
        ],
        "ModerationModelVersion": engine.settings.moderation_version,
        "GetRequestMetadata": _arrangement(call),
    }


@operation("StartTextDetection")
def start_text_detection(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Begin to read the text in a video."""
    wanted = word_filter(call.get("Filters") or {})
    engine.models.session("text_recognise")
    return begin(call, engine, Texts(wanted))


@operation("GetTextDetection")
def get_text_detection(call: Call, engine: Engine) -> Mapping[str, Any]:
    """The lines and words in a video."""
    found = results(call, engine)
    return {
        **found.answer,
        "TextDetections": [
            {**_timed(finding), "TextDetection": show.written(plain.read(Written, finding.body))}
            for finding in found.findings
        ],
        "TextModelVersion": TEXT_VERSION,
    }


@operation("StartFaceDetection")
def start_face_detection(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Begin to find the faces in a video."""
    wanted = frozenset({"ALL"} if call.get("FaceAttributes") == "ALL" else ())
    return begin(call, engine, Faces(wanted))


@operation("GetFaceDetection")
def get_face_detection(call: Call, engine: Engine) -> Mapping[str, Any]:
    """The faces in a video."""
    found = results(call, engine)
    return {
        **found.answer,
        "Faces": [
            {**_timed(finding), "Face": show.detail(plain.read(Face, finding.body))} for finding in found.findings
        ],
    }


@operation("StartFaceSearch")
def start_face_search(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Begin to look for the faces of a collection in a video."""
    with engine.stores.read() as unit:
        collection = find_gallery(unit, call, engine)
    return begin(call, engine, Search(collection.account, collection.id, threshold(call, "FaceMatchThreshold")))


@operation("GetFaceSearch")
def get_face_search(call: Call, engine: Engine) -> Mapping[str, Any]:
    """The people in a video, each sight with the faces of the collection that look like the person's best one."""
    found = _sights(call, engine)
    with engine.stores.read() as unit:
        known = {
            finding.name: [show.face_match(match) for match in plain.read(_MATCHES, finding.body)]
            for finding in unit.jobs.named(found.job.id, MATCHES, {finding.name for finding in found.findings})
        }
    return {
        **found.answer,
        "Persons": [
            {**_timed(finding), "Person": _person(finding), "FaceMatches": known.get(finding.name, [])}
            for finding in found.findings
        ],
    }


@operation("StartPersonTracking")
def start_person_tracking(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Begin to follow people through a video."""
    engine.models.session("objects")
    return begin(call, engine, People())


@operation("GetPersonTracking")
def get_person_tracking(call: Call, engine: Engine) -> Mapping[str, Any]:
    """The paths of people through a video."""
    found = _sights(call, engine)
    return {
        **found.answer,
        "Persons": [{**_timed(finding), "Person": _person(finding)} for finding in found.findings],
    }


@operation("StartSegmentDetection")
def start_segment_detection(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Begin to find the shots and technical cues of a video."""
    filters = call.get("Filters") or {}
    cue, shot = filters.get("TechnicalCueFilter") or {}, filters.get("ShotFilter") or {}
    black = cue.get("BlackFrame") or {}
    task = Segments(
        types=tuple(dict.fromkeys(call["SegmentTypes"])),
        least_shot=shot.get("MinSegmentConfidence", _LEAST) / 100,
        least_cue=cue.get("MinSegmentConfidence", _LEAST) / 100,
        threshold=black.get("MaxPixelThreshold", _BLACK),
        coverage=black.get("MinCoveragePercentage", _COVERED),
    )
    call.notes[OMITTED] = show.header(_UNTOLD)
    return begin(call, engine, task)


@operation("GetSegmentDetection")
def get_segment_detection(call: Call, engine: Engine) -> Mapping[str, Any]:
    """The shots and technical cues of a video, by type, then time."""
    found = results(call, engine, by_name=True)
    footage = found.job.footage
    task = tasks.read(found.job.task)
    types = task.types if isinstance(task, Segments) else ()
    rate = footage.frame_rate if footage else 0.0
    is_done = found.answer["VideoMetadata"] is not None
    return {
        **found.answer,
        "VideoMetadata": [found.answer["VideoMetadata"]] if is_done else None,
        "AudioMetadata": [show.sound(sound) for sound in footage.sounds] if footage and is_done else None,
        "Segments": [show.segment(finding.name, plain.read(Segment, finding.body), rate) for finding in found.findings],
        "SelectedSegmentTypes": [{"Type": kind, "ModelVersion": _SEGMENT_VERSION} for kind in types],
    }


def _sights(call: Call, engine: Engine) -> Found:
    """Results in the order that the caller asks for."""
    return results(call, engine, by_name=call.get("SortBy") == "INDEX")


def _person(finding: Finding) -> dict[str, Any]:
    """PersonDetail."""
    sight = plain.read(Sight, finding.body)
    return {
        "Index": sight.index,
        "BoundingBox": show.box(sight.body) if sight.body else None,
        "Face": show.detail(sight.face) if sight.face else None,
    }


def _arranged(call: Call, engine: Engine) -> Found:
    """Results in the order, and by the frame or in spans, as the caller asks."""
    arrangement = _arrangement(call)
    view = SPANS if arrangement["AggregateBy"] == "SEGMENTS" else FRAMES
    return results(call, engine, view=view, by_name=arrangement["SortBy"] == "NAME")


def _arrangement(call: Call) -> dict[str, str]:
    """GetLabelDetectionRequestMetadata, GetContentModerationRequestMetadata."""
    return {"SortBy": call.get("SortBy") or "TIMESTAMP", "AggregateBy": call.get("AggregateBy") or "TIMESTAMPS"}


def _timed(finding: Finding) -> dict[str, Any]:
    return {"Timestamp": finding.time}


def _span(span: Span[_Noun]) -> dict[str, Any]:
    return {
        "Timestamp": span.start,
        "StartTimestampMillis": span.start,
        "EndTimestampMillis": span.end,
        "DurationMillis": span.end - span.start,
    }


def _judged(item: Judged) -> dict[str, Any]:
    return {"ModerationLabel": show.unsafe(item.label), "ContentTypes": show.styles(item.styles) or None}
