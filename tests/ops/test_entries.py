# SPDX-License-Identifier: Apache-2.0
"""Findings as the wire says them."""

from __future__ import annotations

import numpy as np

from overt.jobs.segments import Segment
from overt.jobs.spans import Span
from overt.jobs.task import MATCHES, SPANS, finding
from overt.jobs.tasks.moderation import Judged
from overt.jobs.tasks.sights import Sight, name
from overt.ops import entries
from overt.types import Box, Face, Label, Match, StoredFace, Text, Unsafe, Written

BOX = Box(0.1, 0.2, 0.3, 0.4)
FACE = Face(BOX, 0.9, np.zeros((5, 2), np.float32))


def test_a_label_is_of_a_frame_or_of_a_span() -> None:
    label = Label("Cup", 0.75)
    seen = entries.label(finding(1.25, "Cup", label))
    assert (seen["Timestamp"], seen["Label"]["Name"], seen["Label"]["Confidence"]) == (1250, "Cup", 75)
    span = entries.label(finding(1.0, "Cup", Span(1000, 2500, label), SPANS))
    assert (span["Timestamp"], span["EndTimestampMillis"], span["DurationMillis"]) == (1000, 2500, 1500)
    assert span["Label"]["Name"] == "Cup"


def test_unsafe_content_has_the_style_of_its_picture() -> None:
    judged = Judged(Unsafe("Weapons", "Violence", 2, 0.5), (("Illustrated", 0.8),))
    for each in (finding(0, "Weapons", judged), finding(0, "Weapons", Span(0, 500, judged), SPANS)):
        entry = entries.unsafe(each)
        assert entry["ModerationLabel"]["Name"] == "Weapons"
        assert entry["ContentTypes"] == [{"Name": "Illustrated", "Confidence": 80}]


def test_text_and_faces_have_their_time() -> None:
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    written = entries.text(finding(2, "", Written(Text("EXIT", 0.9, corners), 0)))
    assert (written["Timestamp"], written["TextDetection"]["DetectedText"]) == (2000, "EXIT")
    assert entries.face(finding(2, "", FACE))["Face"]["BoundingBox"]["Left"] == 0.1


def test_a_person_is_a_body_a_face_or_both() -> None:
    body = entries.person(finding(0, name(3), Sight(3, BOX, None)))["Person"]
    assert (body["Index"], body["BoundingBox"]["Top"], body["Face"]) == (3, 0.2, None)
    face = entries.person(finding(0, name(3), Sight(3, None, FACE)))["Person"]
    assert face["BoundingBox"] is None
    assert face["Face"]["Confidence"] == 90


def test_matches_are_known_by_the_name_of_their_person() -> None:
    stored = StoredFace("f", "i", "obama", BOX, 1.0, "model")
    told = entries.matches([finding(0, name(3), (Match(stored, 0.99, 0.8, 1),), MATCHES)])
    ((face,),) = told.values()
    assert list(told) == [name(3)]
    assert (face["Similarity"], face["Face"]["ExternalImageId"]) == (99, "obama")


def test_a_segment_has_timecodes_at_the_rate_given() -> None:
    entry = entries.segment(finding(1, "SHOT", Segment("SHOT", 25, 49, 1.0, 1.96, 0.9, 1)), 25.0)
    assert (entry["StartTimecodeSMPTE"], entry["EndTimecodeSMPTE"]) == ("00:00:01:00", "00:00:01:24")
    assert entry["ShotSegment"] == {"Index": 1, "Confidence": 90}
