# SPDX-License-Identifier: Apache-2.0
"""What calls do to people, by operation: looking for somebody, enrolling, watching. Knows names of operations only.

Rules speak of groups, so that none forgets an operation; an operation in no group is unknown, and denied.
"""

from __future__ import annotations

from types import MappingProxyType

ROLES = ("owner", "admin", "operator", "reviewer", "auditor", "tester", "service")

# A stream that looks for things, not for people's faces, is asked about under these.
_THINGS = MappingProxyType(
    {
        "CreateStreamProcessor": "CreateThingStream",
        "StartStreamProcessor": "StartThingStream",
        "UpdateStreamProcessor": "UpdateThingStream",
    }
)

OPERATIONS = MappingProxyType(
    {
        # Whose face is this, among many?
        "Search": (
            "SearchFaces",
            "SearchFacesByImage",
            "SearchUsers",
            "SearchUsersByImage",
            "StartFaceSearch",
            "GetFaceSearch",
        ),
        # The same, of everybody who passes.
        "Live": ("CreateStreamProcessor", "StartStreamProcessor", "UpdateStreamProcessor"),
        # Are these two the same person?
        "Compare": ("CompareFaces",),
        "Recognise": (
            "RecognizeCelebrities",
            "StartCelebrityRecognition",
            "GetCelebrityRecognition",
            "GetCelebrityInfo",
        ),
        "Enrol": ("IndexFaces", "CreateUser", "AssociateFaces"),
        # Faces of nobody in particular.
        "Look": (
            "DetectFaces",
            "StartFaceDetection",
            "GetFaceDetection",
            "StartPersonTracking",
            "GetPersonTracking",
            "CreateFaceLivenessSession",
            "GetFaceLivenessSessionResults",
            "StartFaceLivenessSession",
        ),
        "Read": (
            "DescribeCollection",
            "DescribeStreamProcessor",
            "ListCollections",
            "ListFaces",
            "ListStreamProcessors",
            "ListTagsForResource",
            "ListUsers",
        ),
        "Remove": (
            "DeleteCollection",
            "DeleteFaces",
            "DeleteStreamProcessor",
            "DeleteUser",
            "DisassociateFaces",
            "StopStreamProcessor",
        ),
        "Manage": (
            "CreateCollection",
            "CopyProjectVersion",
            "CreateDataset",
            "CreateProject",
            "CreateProjectVersion",
            "DeleteDataset",
            "DeleteProject",
            "DeleteProjectPolicy",
            "DeleteProjectVersion",
            "DescribeDataset",
            "DescribeProjectVersions",
            "DescribeProjects",
            "DistributeDatasetEntries",
            "ListDatasetEntries",
            "ListDatasetLabels",
            "ListProjectPolicies",
            "PutProjectPolicy",
            "StartProjectVersion",
            "StopProjectVersion",
            "TagResource",
            "UntagResource",
            "UpdateDatasetEntries",
        ),
        # No faces.
        "Other": (
            "DetectCustomLabels",
            "DetectLabels",
            "DetectModerationLabels",
            "DetectProtectiveEquipment",
            "DetectText",
            "GetContentModeration",
            "GetLabelDetection",
            "GetMediaAnalysisJob",
            "GetSegmentDetection",
            "GetTextDetection",
            "ListMediaAnalysisJobs",
            "StartContentModeration",
            "StartLabelDetection",
            "StartMediaAnalysisJob",
            "StartSegmentDetection",
            "StartTextDetection",
            *_THINGS.values(),
        ),
    }
)

# Groups of groups, from the inside out.
WIDER = MappingProxyType(
    {"Seek": ("Search", "Live", "Compare", "Recognise"), "Identify": ("Seek", "Enrol"), "Face": ("Identify", "Look")}
)


def _parents() -> dict[str, str]:
    return {part: whole for whole, parts in WIDER.items() for part in parts}


def _chain(group: str) -> tuple[str, ...]:
    parents = _parents()
    chain = [group]
    while chain[-1] in parents:
        chain.append(parents[chain[-1]])
    return tuple(chain)


# The groups of each operation, the narrowest first.
GROUPS = MappingProxyType({name: _chain(group) for group, names in OPERATIONS.items() for name in names})


def meant(operation: str, *, seeks_faces: bool = True) -> str:
    """The action that a call is. Args: seeks_faces: for calls on streams, whether the stream looks for faces."""
    return operation if seeks_faces else _THINGS.get(operation, operation)


def is_in(action: str, group: str) -> bool:
    """Whether an action belongs to a group; an unknown one belongs to none."""
    return group in GROUPS.get(action, ())


def group_declarations() -> str:
    """The groups as Cedar's schema language has them."""
    parents = _parents()
    return "\n".join(
        f'action "{group}"' + (f' in ["{parents[group]}"];' if group in parents else ";")
        for group in (*WIDER, *OPERATIONS)
    )
