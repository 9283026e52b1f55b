# SPDX-License-Identifier: Apache-2.0
"""No operation of the contract is without a group."""

from __future__ import annotations

from overt.govern import actions
from overt.wire.services import rekognition


def test_every_operation_of_the_contract_is_in_just_one_group() -> None:
    named = [name for names in actions.OPERATIONS.values() for name in names]
    assert len(named) == len(set(named))
    ours = {"CreateThingStream", "StartThingStream", "UpdateThingStream", "StartFaceLivenessSession"}
    assert set(named) - ours == set(rekognition().operations) - ours


def test_what_identifies_people_is_told_from_what_does_not() -> None:
    assert actions.GROUPS["SearchFaces"] == ("Search", "Seek", "Identify", "Face")
    assert actions.is_in("IndexFaces", "Identify")
    assert not actions.is_in("IndexFaces", "Seek")
    assert actions.is_in("DetectFaces", "Face")
    assert not actions.is_in("DetectFaces", "Identify")
    assert not actions.is_in("DetectLabels", "Face")
    assert not actions.is_in("DeleteFaces", "Face")
    assert not actions.is_in("NoSuchThing", "Face")


def test_a_stream_that_looks_for_things_is_no_face_search() -> None:
    assert actions.meant("StartStreamProcessor") == "StartStreamProcessor"
    assert not actions.is_in(actions.meant("StartStreamProcessor", seeks_faces=False), "Face")
    assert actions.meant("SearchFaces", seeks_faces=False) == "SearchFaces"


def test_groups_are_declared_with_the_wider_group_they_belong_to() -> None:
    assert 'action "Search" in ["Seek"];' in actions.group_declarations()
