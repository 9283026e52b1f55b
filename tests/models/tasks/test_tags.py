# SPDX-License-Identifier: Apache-2.0
"""A classifier's scores are what its manifest says they are, for a whole picture and for parts of it."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from overt.models.calibration import UNCALIBRATED
from overt.models.hub import Hub
from overt.models.inputs import Input
from overt.models.pack import PackError
from overt.models.tasks.tags import Classifier
from overt.types import Image

INPUT = {
    "shape": ["N", 3, 8, 8], "layout": "NCHW", "colour": "RGB", "mean": [0.0] * 3, "std": [255.0] * 3, "fit": "stretch",
}  # fmt: skip


class Means:
    """A session that gives the mean of each colour, and an embedding of five numbers before it."""

    def __init__(
        self, activation: Any, classes: tuple[str, ...] = ("Red", "Green", "Blue"), fit: str = "stretch"
    ) -> None:
        self.model: Any = SimpleNamespace(
            name="means", input=Input.read({**INPUT, "fit": fit}), classes=classes, confidences=UNCALIBRATED,
            output={"activation": activation},
        )  # fmt: skip

    def run(self, data: Any) -> dict[str, Any]:
        return {"emb": np.full((1, 5), data.mean(), np.float32), "scores": data.mean((2, 3))}


def test_scores_by_activation() -> None:
    red = np.zeros((10, 20, 3), np.uint8)
    red[..., 0] = 255
    e = np.e
    for activation, expected in (
        ("none", [1, 0, 0]),
        ("sigmoid", [e / (1 + e), 0.5, 0.5]),
        ("softmax", [e / (2 + e), 1 / (2 + e), 1 / (2 + e)]),
    ):
        read = Classifier(Means(activation)).read(red)
        assert read.scores.tolist() == [pytest.approx(expected)]
        assert read.embedding is not None
        assert read.embedding.shape == (1, 5)


def test_parts_of_any_size_are_read_in_order() -> None:
    parts = [np.full((height, 10, 3), grey, np.uint8) for height, grey in ((3, 0), (400, 255), (20, 51))]
    assert Classifier(Means("none")).read_parts(parts).scores[:, 0].tolist() == pytest.approx([0, 1, 0.2])


@pytest.mark.parametrize(
    ("session", "words"),
    [
        (Means("tanh"), "activation must be one of"),
        (Means(None), "activation must be one of"),
        (Means("none", classes=()), "and classes"),
        (Means("none", fit="none"), "with fit and size"),
    ],
)
def test_a_manifest_without_what_is_needed_is_told(session: Any, words: str) -> None:
    with pytest.raises(PackError, match=words):
        Classifier(session)


def test_a_label_map_of_another_length_is_told() -> None:
    with pytest.raises(PackError, match="no output has the 2 classes"):
        Classifier(Means("none", classes=("A", "B"))).read(np.zeros((9, 9, 3), np.uint8))


def test_the_default_tagger_knows_a_cup_of_coffee(hub: Hub, load: Callable[[str], Image]) -> None:
    tagger = Classifier(hub.session("tags"))
    read = tagger.read(load("coffee.png").pixels)
    best = {tagger.classes[index] for index in np.argsort(-read.scores[0])[:5]}
    assert "Espresso" in best
    assert read.scores[0].sum() == pytest.approx(1, abs=1e-4)
    assert read.embedding is not None
    assert read.embedding.shape == (1, 1280)
