# SPDX-License-Identifier: Apache-2.0
"""Words nobody trained for are compared with pictures, by encoders that know three colours."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w

from overt.models.additions import Additions, Wanted
from overt.models.hub import Hub
from overt.models.pack import PackError
from overt.models.tasks.vocabulary import Vocabulary
from overt.testing import networks
from overt.types import Image


def picture(red: int, green: int, blue: int) -> Image:
    return Image(np.full((90, 120, 3), (red, green, blue), np.uint8), "")


def added(folder: Path, manifest: Path, free_labels: tuple[str, ...] = ()) -> Vocabulary:
    additions = Additions(folder / "models")
    with additions.fetched(Wanted(manifest=str(manifest))) as pack:
        additions.keep(pack)
    made = Hub.discover(additions.folder, free_labels).vocabulary
    assert made is not None
    return made


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    return networks.vocabulary(tmp_path / "made")


def test_a_text_is_as_sure_as_it_is_near(tmp_path: Path, manifest: Path) -> None:
    vocabulary = added(tmp_path, manifest)
    scores = vocabulary.scores(picture(250, 10, 10), ("red", "green", "red green"))
    assert scores["red"] > scores["red green"] > scores["green"]
    assert scores["red"] > 0.9
    assert scores["green"] < 0.1


def test_free_labels_are_asked_of_every_picture(tmp_path: Path, manifest: Path) -> None:
    vocabulary = added(tmp_path, manifest, ("blue",))
    assert set(vocabulary.scores(picture(9, 9, 250))) == {"blue"}
    assert vocabulary.scores(picture(9, 9, 250), ("red",))["blue"] > 0.9
    assert added(tmp_path / "other", manifest).scores(picture(9, 9, 250)) == {}


def test_a_longer_text_than_the_encoder_takes_is_cut(tmp_path: Path, manifest: Path) -> None:
    vocabulary = added(tmp_path, manifest)
    assert vocabulary.scores(picture(250, 0, 0), ("red " * 500,))["red " * 500] > 0.9


def test_a_sigmoid_needs_no_other_words(tmp_path: Path, manifest: Path) -> None:
    change(manifest, 0, activation="sigmoid", logit_scale=20.0, logit_bias=-10.0)
    scores = added(tmp_path, manifest).scores(picture(250, 0, 0), ("red", "green"))
    assert scores["red"] == pytest.approx(1 / (1 + np.exp(-10)), abs=1e-3)
    assert scores["green"] == pytest.approx(1 / (1 + np.exp(10)), abs=1e-3)


def change(manifest: Path, place: int, **output: Any) -> None:
    table = tomllib.loads(manifest.read_text())
    table["models"][place]["output"] |= output
    manifest.write_text(tomli_w.dumps(table))


@pytest.mark.parametrize(
    ("place", "output", "words"),
    [
        (0, {"logit_scale": "much"}, "needs the number logit_scale"),
        (0, {"activation": "sigmoid"}, "needs the number logit_bias"),
        (0, {"activation": "relu"}, "activation must be softmax or sigmoid"),
        (1, {"tokens": True}, "needs the number tokens"),
        (1, {"tokens": 5}, "it cannot run on"),
    ],
)
def test_a_manifest_without_what_is_needed_is_told(
    tmp_path: Path, manifest: Path, place: int, output: dict[str, Any], words: str
) -> None:
    change(manifest, place, **output)
    with pytest.raises(PackError, match=re.escape(words)):
        added(tmp_path, manifest)


def test_a_tokenizer_that_is_none_is_told(tmp_path: Path, manifest: Path) -> None:
    (manifest.parent / "tokenizer.json").write_text("{}")
    table = tomllib.loads(manifest.read_text())
    table["models"][1]["files"]["tokenizer"]["sha256"] = networks._sha256(b"{}")
    manifest.write_text(tomli_w.dumps(table))
    with pytest.raises(PackError, match=r"tokenizer\.json is no tokenizer"):
        added(tmp_path, manifest)


def test_one_encoder_alone_is_no_vocabulary(tmp_path: Path, manifest: Path) -> None:
    table = tomllib.loads(manifest.read_text())
    del table["models"][1]
    manifest.write_text(tomli_w.dumps(table))
    with pytest.raises(PackError, match="needs both image_encoder and text_encoder"):
        added(tmp_path, manifest)
