# SPDX-License-Identifier: Apache-2.0
"""The tiny models see what they say they see."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from overt.models.additions import Additions, Wanted
from overt.models.hub import Hub
from overt.models.tasks.embed import Embedder
from overt.models.tasks.objects import ObjectDetector
from overt.testing import networks
from overt.types import Box, Image


def added(folder: Path, manifest: Path) -> Hub:
    additions = Additions(folder / "models")
    with additions.fetched(Wanted(manifest=str(manifest))) as pack:
        additions.keep(pack)
    return Hub.discover(additions.folder)


def test_a_bright_cell_is_an_object_of_its_colour(tmp_path: Path) -> None:
    hub = added(tmp_path, networks.detector(tmp_path / "made"))
    pixels = np.zeros((256, 256, 3), np.uint8)
    pixels[64:128, 128:192, 2] = 255
    (one,) = ObjectDetector(hub.session("objects")).detect(Image(pixels, ""))
    assert (one.label, one.box) == ("Suitcase", Box(0.5, 0.25, 0.25, 0.25))


def test_an_embedding_is_the_colours_of_four_quarters(tmp_path: Path) -> None:
    hub = added(tmp_path, networks.embedder(tmp_path / "made"))
    pixels = np.full((1, 112, 112, 3), 255, np.uint8)
    pixels[:, :56, :56, 0] = 0
    (vector,) = Embedder(hub.session("embed")).vectors(pixels)
    assert (vector < 0).tolist() == [True] + [False] * 11


def test_words_and_colours_share_a_space(tmp_path: Path) -> None:
    vocabulary = added(tmp_path, networks.vocabulary(tmp_path / "made")).vocabulary
    assert vocabulary is not None
    scores = vocabulary.scores(Image(np.full((90, 90, 3), (0, 0, 250), np.uint8), ""), networks.COLOURS)
    assert max(scores, key=lambda colour: scores[colour]) == "blue"
