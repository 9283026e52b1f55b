# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from overt import types
from overt.types import Box, Embedding


def test_every_noun_is_frozen_and_slotted() -> None:
    nouns = [item for item in vars(types).values() if dataclasses.is_dataclass(item)]
    assert len(nouns) > 15
    for noun in nouns:
        assert noun.__dataclass_params__.frozen, noun
        assert "__slots__" in vars(noun), noun


def test_embeddings_of_two_models_are_never_compared() -> None:
    vector = np.array([0.6, 0.8], np.float32)
    assert Embedding(vector, "a").cosine(Embedding(vector, "a")) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="embeddings of a and b cannot be compared"):
        Embedding(vector, "a").cosine(Embedding(vector, "b"))


def test_an_inside_out_box_has_no_area() -> None:
    assert Box(0.1, 0.1, 0.5, 0.4).area == pytest.approx(0.2)
    assert Box(0.1, 0.1, -0.5, 0.4).area == 0
