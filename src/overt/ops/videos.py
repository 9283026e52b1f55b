# SPDX-License-Identifier: Apache-2.0
"""The operations on stored videos: each Start begins a job, each Get reads what it found. Knows no frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from overt.engine import Engine
from overt.jobs import task as tasks
from overt.jobs.task import FRAMES, MATCHES, SPANS, Task
from overt.jobs.tasks.faces import Faces
from overt.jobs.tasks.labels import Labels
from overt.jobs.tasks.moderation import Moderation
from overt.jobs.tasks.people import People
from overt.jobs.tasks.search import Search
from overt.jobs.tasks.segments import Segments
from overt.jobs.tasks.texts import Texts
from overt.models.taxonomy.unsafe import OLDER_VERSION
from overt.ops import entries, show
from overt.ops.finding import find_gallery
from overt.ops.jobs import Found, begin, results
from overt.ops.labels import MODEL_VERSION as LABEL_VERSION
from overt.ops.labels import label_filter
from overt.ops.matching import threshold
from overt.ops.registry import OMITTED, operation
from overt.ops.texts import MODEL_VERSION as TEXT_VERSION
from overt.ops.texts import word_filter
from overt.types import Call

_LEAST = 50.0
"""MinConfidence of labels and of moderation where a caller gives none. Source: Rekognition's API reference."""
_BLACK, _COVERED = 0.2, 99.0
"""MaxPixelThreshold and MinCoveragePercentage of black frames where a caller gives none. Source: the same."""
_SEGMENT_VERSION = "1.0"
_UNTOLD = ("OpeningCredits", "StudioLogo", "Slate")
"""Technical cues that nothing here can tell from content."""


def label_task(call: Call, engine: Engine) -> Task:
    """What StartLabelDetection asks for."""
    settings = call.get("Settings") or {}
    wanted = label_filter(settings.get("GeneralLabels") or {})
    scenes = engine.models.scenes
    free = sorted(wanted.names - scenes.labels)
    if free and engine.models.vocabulary is None:
        call.notes[OMITTED] = show.header(free)
    return Labels(call.get("MinConfidence", _LEAST) / 100, wanted)


@operation("StartLabelDetection")
def start_label_detection(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Begin to name what a video shows."""
    return begin(call, engine, label_task(call, engine))


@operation("GetLabelDetection")
def get_label_detection(call: Call, engine: Engine) -> Mapping[str, Any]:
    """What a video shows: by the frame, or how long each label was seen."""
    found = _arranged(call, engine)
    return {
        **found.answer,
        "Labels": [entries.label(finding) for finding in found.findings],
        "LabelModelVersion": LABEL_VERSION,
        "GetRequestMetadata": _arrangement(call),
    }


def moderation_task(call: Call, engine: Engine) -> Task:
    """What StartContentModeration asks for."""
    call.notes[OMITTED] = show.header(engine.models.moderation.unsupported)
    is_older = engine.settings.moderation_version == OLDER_VERSION
    return Moderation(call.get("MinConfidence", _LEAST) / 100, is_older)


@operation("StartContentModeration")
def start_content_moderation(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Begin to look for unsafe content in a video."""
    return begin(call, engine, moderation_task(call, engine))


@operation("GetContentModeration")
def get_content_moderation(call: Call, engine: Engine) -> Mapping[str, Any]:
    """The unsafe content of a video: by the frame, or how long each label was seen."""
    found = _arranged(call, engine)
    return {
        **found.answer,
        "ModerationLabels": [entries.unsafe(finding) for finding in found.findings],
        "ModerationModelVersion": engine.settings.moderation_version,
        "GetRequestMetadata": _arrangement(call),
    }


def text_task(call: Call, engine: Engine) -> Task:
    """What StartTextDetection asks for."""
    wanted = word_filter(call.get("Filters") or {})
    engine.models.session("text_recognise")
    return Texts(wanted)


@operation("StartTextDetection")
def start_text_detection(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Begin to read the text in a video."""
    return begin(call, engine, text_task(call, engine))


@operation("GetTextDetection")
def get_text_detection(call: Call, engine: Engine) -> Mapping[str, Any]:
    """The lines and words in a video."""
    found = results(call, engine)
    return {
        **found.answer,
        "TextDetections": [entries.text(finding) for finding in found.findings],
        "TextModelVersion": TEXT_VERSION,
    }


def face_task(call: Call, _engine: Engine) -> Task:
    """What StartFaceDetection asks for."""
    return Faces(frozenset({"ALL"} if call.get("FaceAttributes") == "ALL" else ()))


@operation("StartFaceDetection")
def start_face_detection(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Begin to find the faces in a video."""
    return begin(call, engine, face_task(call, engine))


@operation("GetFaceDetection")
def get_face_detection(call: Call, engine: Engine) -> Mapping[str, Any]:
    """The faces in a video."""
    found = results(call, engine)
    return {
        **found.answer,
        "Faces": [entries.face(finding) for finding in found.findings],
    }


def search_task(call: Call, engine: Engine) -> Task:
    """What StartFaceSearch asks for."""
    with engine.stores.read() as unit:
        collection = find_gallery(unit, call, engine)
    return Search(collection.account, collection.id, threshold(call, "FaceMatchThreshold"))


@operation("StartFaceSearch")
def start_face_search(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Begin to look for the faces of a collection in a video."""
    return begin(call, engine, search_task(call, engine))


@operation("GetFaceSearch")
def get_face_search(call: Call, engine: Engine) -> Mapping[str, Any]:
    """The people in a video, each sight with the faces of the collection that look like the person's best one."""
    found = _sights(call, engine)
    with engine.stores.read() as unit:
        matches = unit.jobs.named(found.job.id, MATCHES, {finding.name for finding in found.findings})
    known = entries.matches(matches)
    return {
        **found.answer,
        "Persons": [
            {**entries.person(finding), "FaceMatches": known.get(finding.name, [])} for finding in found.findings
        ],
    }


def people_task(_call: Call, engine: Engine) -> Task:
    """What StartPersonTracking asks for."""
    engine.models.session("objects")
    return People()


@operation("StartPersonTracking")
def start_person_tracking(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Begin to follow people through a video."""
    return begin(call, engine, people_task(call, engine))


@operation("GetPersonTracking")
def get_person_tracking(call: Call, engine: Engine) -> Mapping[str, Any]:
    """The paths of people through a video."""
    found = _sights(call, engine)
    return {
        **found.answer,
        "Persons": [entries.person(finding) for finding in found.findings],
    }


def segment_task(call: Call, _engine: Engine) -> Task:
    """What StartSegmentDetection asks for."""
    filters = call.get("Filters") or {}
    cue, shot = filters.get("TechnicalCueFilter") or {}, filters.get("ShotFilter") or {}
    black = cue.get("BlackFrame") or {}
    call.notes[OMITTED] = show.header(_UNTOLD)
    return Segments(
        types=tuple(dict.fromkeys(call["SegmentTypes"])),
        least_shot=shot.get("MinSegmentConfidence", _LEAST) / 100,
        least_cue=cue.get("MinSegmentConfidence", _LEAST) / 100,
        threshold=black.get("MaxPixelThreshold", _BLACK),
        coverage=black.get("MinCoveragePercentage", _COVERED),
    )


@operation("StartSegmentDetection")
def start_segment_detection(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Begin to find the shots and technical cues of a video."""
    return begin(call, engine, segment_task(call, engine))


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
        "Segments": [entries.segment(finding, rate) for finding in found.findings],
        "SelectedSegmentTypes": [{"Type": kind, "ModelVersion": _SEGMENT_VERSION} for kind in types],
    }


def _sights(call: Call, engine: Engine) -> Found:
    """Results in the order that the caller asks for."""
    return results(call, engine, by_name=call.get("SortBy") == "INDEX")


def _arranged(call: Call, engine: Engine) -> Found:
    """Results in the order, and by the frame or in spans, as the caller asks."""
    arrangement = _arrangement(call)
    view = SPANS if arrangement["AggregateBy"] == "SEGMENTS" else FRAMES
    return results(call, engine, view=view, by_name=arrangement["SortBy"] == "NAME")


def _arrangement(call: Call) -> dict[str, str]:
    """GetLabelDetectionRequestMetadata, GetContentModerationRequestMetadata."""
    return {"SortBy": call.get("SortBy") or "TIMESTAMP", "AggregateBy": call.get("AggregateBy") or "TIMESTAMPS"}
