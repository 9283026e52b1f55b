# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re

import pytest

from overt.ops import registry
from overt.wire.services import overt, pattern, rekognition, sts

# Pinned, so that an update of botocore that adds or removes an operation is noticed and decided on.
NAMES = """
AssociateFaces CompareFaces CopyProjectVersion CreateCollection CreateDataset CreateFaceLivenessSession CreateProject
CreateProjectVersion CreateStreamProcessor CreateUser DeleteCollection DeleteDataset DeleteFaces DeleteProject
DeleteProjectPolicy DeleteProjectVersion DeleteStreamProcessor DeleteUser DescribeCollection DescribeDataset
DescribeProjectVersions DescribeProjects DescribeStreamProcessor DetectCustomLabels DetectFaces DetectLabels
DetectModerationLabels DetectProtectiveEquipment DetectText DisassociateFaces DistributeDatasetEntries
GetCelebrityInfo GetCelebrityRecognition GetContentModeration GetFaceDetection GetFaceLivenessSessionResults
GetFaceSearch GetLabelDetection GetMediaAnalysisJob GetPersonTracking GetSegmentDetection GetTextDetection IndexFaces
ListCollections ListDatasetEntries ListDatasetLabels ListFaces ListMediaAnalysisJobs ListProjectPolicies
ListStreamProcessors ListTagsForResource ListUsers PutProjectPolicy RecognizeCelebrities SearchFaces
SearchFacesByImage SearchUsers SearchUsersByImage StartCelebrityRecognition StartContentModeration StartFaceDetection
StartFaceSearch StartLabelDetection StartMediaAnalysisJob StartPersonTracking StartProjectVersion
StartSegmentDetection StartStreamProcessor StartTextDetection StopProjectVersion StopStreamProcessor TagResource
UntagResource UpdateDatasetEntries UpdateStreamProcessor
"""
OPERATIONS = NAMES.split()


def test_the_75_operations_of_rekognition_are_known() -> None:
    assert sorted(rekognition().operations) == sorted(OPERATIONS)
    assert len(OPERATIONS) == 75


def test_all_of_our_own_operations_and_two_of_sts_are_offered() -> None:
    assert set(registry.offered("overt")) == set(overt().operations)
    assert set(registry.offered("sts")) == {"AssumeRole", "GetCallerIdentity"}


def test_no_two_services_have_an_operation_of_one_name() -> None:
    """They share a record, in which operations stand by name."""
    ours, theirs = set(overt().operations), set(rekognition().operations) | set(sts().operations)
    assert not ours & theirs
    assert not set(rekognition().operations) & set(sts().operations)


def test_every_pattern_of_the_models_compiles() -> None:
    shapes = [shape for service in (rekognition(), sts(), overt()) for shape in service.shapes.values()]
    patterns = [shape.metadata["pattern"] for shape in shapes if "pattern" in shape.metadata]
    assert len(patterns) > 20
    for text in patterns:
        pattern(text)


@pytest.mark.parametrize("key", ["team", "Équipe 7", "a/b:c=d+e-f@g_h.i", "日本", "x\u00a0y", "½"])
def test_tag_keys_may_have_letters_numbers_and_separators_of_any_script(key: str) -> None:
    assert pattern(rekognition().shapes["TagKey"].metadata["pattern"]).fullmatch(key)


@pytest.mark.parametrize("key", ["aws:team", "a\tb", "a\nb", "semi;colon", "a*b"])
def test_tag_keys_may_not_have_other_things(key: str) -> None:
    assert not pattern(rekognition().shapes["TagKey"].metadata["pattern"]).fullmatch(key)


def test_an_unknown_construct_fails_loudly() -> None:
    with pytest.raises(re.error):
        pattern(r"\p{Greek}")
