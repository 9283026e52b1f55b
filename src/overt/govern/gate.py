# SPDX-License-Identifier: Apache-2.0
"""The gate: may this call be done, and may its result be shown? Knows calls and roles, no HTTP and no store.

Every role may do what its row of ROLES names and nothing else; an operation that no row names is the owner's alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from overt.errors import ThrottlingException
from overt.types import Call, Verdict

OWNER = "owner"


def _named(names: str) -> frozenset[str]:
    return frozenset(names.split())


ANYBODY = _named("sts:AssumeRole sts:GetCallerIdentity overt:GetIdentity")
"""Whoever signs: roles themselves say who may assume them."""
ROLES_SEEN = _named("overt:ListRoles overt:DescribeRole")
ROLES_KEPT = _named("overt:CreateRole overt:UpdateRole overt:DeleteRole")

PICTURES = _named(
    """DetectFaces DetectLabels DetectText DetectModerationLabels DetectProtectiveEquipment DetectCustomLabels
    CreateFaceLivenessSession GetFaceLivenessSessionResults"""
)
"""What is in a picture; whose face it is, is not told."""
VIDEOS = _named(
    """StartLabelDetection GetLabelDetection StartTextDetection GetTextDetection StartContentModeration
    GetContentModeration StartFaceDetection GetFaceDetection StartPersonTracking GetPersonTracking
    StartSegmentDetection GetSegmentDetection StartMediaAnalysisJob GetMediaAnalysisJob ListMediaAnalysisJobs"""
)
RECOGNITION = _named(
    """CompareFaces SearchFaces SearchFacesByImage SearchUsers SearchUsersByImage StartFaceSearch GetFaceSearch
    RecognizeCelebrities GetCelebrityInfo StartCelebrityRecognition GetCelebrityRecognition CreateStreamProcessor
    UpdateStreamProcessor StartStreamProcessor ListenEvents"""
)
"""Whose face it is."""
ENROLMENT = _named("CreateUser DeleteUser IndexFaces DeleteFaces AssociateFaces DisassociateFaces")
OVERVIEW = _named(
    """ListCollections DescribeCollection ListFaces ListUsers ListTagsForResource ListStreamProcessors
    DescribeStreamProcessor StopStreamProcessor"""
)
"""What there is; and whoever may see a stream may stop it."""
KEEPING = _named("CreateCollection DeleteCollection DeleteStreamProcessor TagResource UntagResource")
TRAINING = _named(
    """CreateProject DescribeProjects DeleteProject CreateProjectVersion DescribeProjectVersions StartProjectVersion
    StopProjectVersion DeleteProjectVersion CopyProjectVersion PutProjectPolicy ListProjectPolicies DeleteProjectPolicy
    CreateDataset DescribeDataset DeleteDataset ListDatasetEntries ListDatasetLabels UpdateDatasetEntries
    DistributeDatasetEntries"""
)

_OPERATING = ANYBODY | PICTURES | VIDEOS | RECOGNITION | ENROLMENT | OVERVIEW | {"CreateCollection"}
ROLES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        OWNER: frozenset({"*"}),
        "admin": ANYBODY | ROLES_SEEN | ROLES_KEPT | PICTURES | VIDEOS | ENROLMENT | OVERVIEW | KEEPING | TRAINING,
        "operator": _OPERATING,
        "reviewer": ANYBODY,
        "auditor": ANYBODY | ROLES_SEEN,
        "tester": ANYBODY | PICTURES | {"CompareFaces"},
        "service": _OPERATING,
    }
)
"""What each role may call; operations of other services than Rekognition are written service:Operation."""

TESTED = "tester-"
"""What the names of a tester's collections begin with."""
IN_TESTED = _named(
    """CreateCollection DescribeCollection DeleteCollection IndexFaces ListFaces DeleteFaces SearchFaces
    SearchFacesByImage CreateUser ListUsers DeleteUser AssociateFaces DisassociateFaces SearchUsers SearchUsersByImage
    """
)
"""What a tester may call of them. Nothing that names a job or a resource: it might be somebody else's."""


def before(call: Call, *, crowded: bool) -> Verdict:
    """Whether the call may run.

    Args: crowded: the server has as many calls in flight as it takes on.
    Raises: ThrottlingException when crowded. SDKs wait and try again.
    """
    if crowded:
        raise ThrottlingException(detail="the server has as many calls in flight as it takes on; wait and try again")
    role = call.caller.role
    if not may(role, call):
        return Verdict(allowed=False, reason=f"The role {role} may not call {call.operation}{_hint(role, call)}.")
    return Verdict(allowed=True)


def may(role: str, call: Call) -> bool:
    """Whether a role's row names the call. A role that is not in the table may do nothing."""
    row = ROLES.get(role, frozenset())
    name = call.operation if call.service == "rekognition" else f"{call.service}:{call.operation}"
    return role == OWNER or name in row or (role == "tester" and name in IN_TESTED and _is_tested(call))


def after(_call: Call, result: Mapping[str, Any]) -> Mapping[str, Any]:
    """What of the result the caller may see: all of it."""
    return result


def _is_tested(call: Call) -> bool:
    return str(call.get("CollectionId", "")).startswith(TESTED)


def _hint(role: str, call: Call) -> str:
    is_near = role == "tester" and call.operation in IN_TESTED
    return f" but on collections whose names begin with {TESTED}" if is_near else ""
