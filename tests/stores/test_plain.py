# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from overt.jobs.spans import Span
from overt.models.filters import LabelFilter, WordFilter
from overt.stores import plain
from overt.types import (
    Attributes,
    Box,
    Claim,
    Emotion,
    Face,
    Instance,
    Label,
    Landmark,
    Match,
    Pose,
    Quality,
    StoredFace,
    Text,
    Written,
)

_BOX = Box(0.1, 0.2, 1 / 3, 1e-9)
_STORED = StoredFace("face", "image", None, _BOX, 1.0, "model", "user", 2**40)


@pytest.mark.parametrize(
    ("kind", "noun"),
    [
        (Label, Label("Dog", 0.9, (Instance(_BOX, 0.8), Instance(_BOX, 0.7)), ("Pet", "Animal"), (), ("Animals",))),
        (LabelFilter, LabelFilter(frozenset({"b", "a"}))),
        (WordFilter, WordFilter(0.8, regions=("POLYGON ((0 0, 1 0, 1 1, 0 0))",))),
        (Span[Label], Span(0, 1500, Label("Dog", 0.9, (Instance(_BOX, 0.8),)))),
        (Match[StoredFace], Match(_STORED, 0.99, 0.7, 1)),
        (tuple[Match[StoredFace], ...], (Match(_STORED, 0.99, 0.7, 1),)),
        (
            Attributes,
            Attributes((20, 30), ("Female", 0.9), (Emotion("HAPPY", 1.0),), smile=Claim(value=True, confidence=0.5)),
        ),
    ],
)
def test_a_noun_comes_back_as_it_was(kind: Any, noun: Any) -> None:
    assert plain.read(kind, plain.write(noun)) == noun
    assert plain.write(plain.read(kind, plain.write(noun))) == plain.write(noun)


def test_arrays_come_back_to_the_last_bit() -> None:
    points = np.random.default_rng(1).random((5, 2), np.float32)
    face = Face(_BOX, 0.9, points, (Landmark("nose", 0.1, 0.2),), Pose(1.0, 2.0, 3.0), Quality(0.5, 0.5), Attributes())
    again = plain.read(Face, plain.write(face))
    assert again.points.dtype == np.float32
    assert np.array_equal(again.points, points)
    assert (again.box, again.landmarks, again.pose, again.attributes) == (
        face.box,
        face.landmarks,
        face.pose,
        face.attributes,
    )
    corners = plain.read(Written, plain.write(Written(Text("a\n\u00e4\u4e2d", 0.5, points[:4], 3), 7, 3)))
    assert corners.text.text == "a\n\u00e4\u4e2d"
    assert corners.text.corners.shape == (4, 2)


def test_a_whole_number_in_the_text_of_a_float_is_a_float() -> None:
    assert isinstance(plain.read(Box, '{"left":0,"top":0,"width":1,"height":1}').width, float)


def test_a_field_that_is_not_declared_is_refused() -> None:
    @dataclass(frozen=True)
    class Empty:
        pass

    with pytest.raises(KeyError):
        plain.read(Empty, '{"more":1}')
