# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from overt.errors import AccessDeniedException
from overt.ops import registry
from overt.wire.services import rekognition

OFFERED = {
    *("DetectFaces", "CompareFaces"),
    *("DetectLabels", "DetectText", "DetectModerationLabels", "DetectProtectiveEquipment"),
    *("CreateCollection", "DescribeCollection", "ListCollections", "DeleteCollection"),
    *("IndexFaces", "ListFaces", "DeleteFaces", "SearchFaces", "SearchFacesByImage"),
    *("CreateUser", "ListUsers", "DeleteUser", "AssociateFaces", "DisassociateFaces"),
    *("SearchUsers", "SearchUsersByImage"),
    *("StartLabelDetection", "GetLabelDetection", "StartContentModeration", "GetContentModeration"),
    *("StartFaceDetection", "GetFaceDetection", "StartFaceSearch", "GetFaceSearch"),
    *("StartPersonTracking", "GetPersonTracking", "StartTextDetection", "GetTextDetection"),
    *("StartSegmentDetection", "GetSegmentDetection"),
    *("CreateStreamProcessor", "DescribeStreamProcessor", "ListStreamProcessors", "UpdateStreamProcessor"),
    *("StartStreamProcessor", "StopStreamProcessor", "DeleteStreamProcessor"),
    *("TagResource", "UntagResource", "ListTagsForResource"),
}


def test_46_operations_are_offered_and_all_are_rekognition_s() -> None:
    assert set(registry.offered()) == OFFERED
    assert len(OFFERED) == 46
    assert set(rekognition().operations) >= OFFERED


def test_every_other_operation_says_that_it_is_not_offered() -> None:
    for name in set(rekognition().operations) - OFFERED:
        with pytest.raises(AccessDeniedException, match=f"^{name} is not offered by this version of overt"):
            registry.find(name)


def test_an_operation_cannot_be_offered_twice() -> None:
    registry.offered()
    with pytest.raises(ValueError, match="DetectFaces is offered twice"):
        registry.operation("DetectFaces")(lambda *_: {})
