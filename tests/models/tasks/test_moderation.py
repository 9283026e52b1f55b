# SPDX-License-Identifier: Apache-2.0
"""A category is scored where something can tell it, and named as unsupported where nothing can."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from overt.models.additions import Additions, Wanted
from overt.models.hub import Hub
from overt.models.pack import PackError
from overt.models.tasks.moderation import Moderator
from overt.models.taxonomy.unsafe import CONTENT_TYPES, LEVELS
from overt.testing import networks
from overt.types import Image


def add(folder: Path, *manifests: Path) -> Hub:
    additions = Additions(folder / "models")
    for manifest in manifests:
        with additions.fetched(Wanted(manifest=str(manifest))) as pack:
            additions.keep(pack)
    return Hub.discover(additions.folder)


def plain(red: int, green: int, blue: int) -> Image:
    return Image(np.full((120, 160, 3), (red, green, blue), np.uint8), "")


def test_what_the_default_packs_can_tell(hub: Hub) -> None:
    moderator = hub.moderation
    assert set(moderator.support) == {
        "Explicit Nudity", "Female Swimwear or Underwear", "Male Swimwear or Underwear", "Weapons", "Pills",
        "Drugs & Tobacco Paraphernalia & Use", "Alcoholic Beverages", "Gambling", "Illustrated",
    }  # fmt: skip
    assert set(moderator.unsupported) >= {"Smoking", "Graphic Violence", "Hate Symbols", "Rude Gestures", "Animated"}
    assert not {"Explicit", "Violence", "Alcohol"} & set(moderator.unsupported)


def test_nothing_is_both_told_and_unsupported(hub: Hub) -> None:
    moderator = hub.moderation
    for name in moderator.unsupported:
        assert name not in moderator.support
    assert set(moderator.unsupported) < {*LEVELS, *CONTENT_TYPES}


def test_ordinary_photos_are_nothing_to_worry_about(hub: Hub, load: Callable[[str], Image]) -> None:
    for name in ("obama.jpg", "biden.jpg", "astronaut.png", "coffee.png"):
        assert hub.moderation.look(load(name), 0.5).labels == ()


def test_a_category_brings_those_above_it(tmp_path: Path) -> None:
    hub = add(tmp_path, networks.classifier(tmp_path / "made", "moderation", ["Smoking", "", "Weapon Violence"]))
    found = hub.moderation.look(plain(204, 250, 25), 0.05).labels
    assert [(one.name, one.parent, one.level) for one in found] == [
        ("Drugs & Tobacco", "", 1),
        ("Drugs & Tobacco Paraphernalia & Use", "Drugs & Tobacco", 2),
        ("Smoking", "Drugs & Tobacco Paraphernalia & Use", 3),
        ("Violence", "", 1),
        ("Graphic Violence", "Violence", 2),
        ("Weapon Violence", "Graphic Violence", 3),
    ]
    assert [round(one.confidence, 2) for one in found] == [0.8] * 3 + [0.1] * 3
    assert "Smoking" in hub.moderation.support
    assert "Explicit" in hub.moderation.unsupported  # with its model went what it could tell


def test_a_tagger_of_the_operators_own_speaks_for_categories(tmp_path: Path) -> None:
    hub = add(tmp_path, networks.classifier(tmp_path / "made", "tags", ["Revolver", "Comic Book", "Bikini"]))
    verdicts = hub.moderation.look(plain(250, 200, 0), 0.5)
    assert [one.name for one in verdicts.labels] == ["Violence", "Weapons"]
    assert verdicts.styles == (("Illustrated", pytest.approx(200 / 255, abs=0.01)),)


def test_an_open_vocabulary_scores_the_rest(tmp_path: Path) -> None:
    hub = add(tmp_path, networks.vocabulary(tmp_path / "made"))
    assert "Graphic Violence" not in hub.moderation.unsupported
    assert hub.moderation.support["Smoking"] == "open vocabulary"
    assert "open vocabulary" in hub.moderation.support["Weapons"]
    labels = {one.name for one in hub.moderation.look(plain(120, 120, 120), 0.0).labels}
    assert "Smoking" in labels


def test_a_label_map_with_a_category_that_is_none_is_refused(tmp_path: Path) -> None:
    manifest = networks.classifier(tmp_path / "made", "moderation", ["Smoking", "Rudeness", ""])
    with pytest.raises(PackError, match="'Rudeness' in a moderation model's label map"):
        add(tmp_path, manifest)


def test_without_any_model_there_is_no_verdict() -> None:
    with pytest.raises(PackError, match="no installed pack offers moderation"):
        _ = Hub([]).moderation


def test_a_classifier_alone_is_enough(tmp_path: Path) -> None:
    additions = Additions(tmp_path / "models")
    manifest = networks.classifier(tmp_path / "made", "moderation", ["Smoking", "", "Weapons"])
    with additions.fetched(Wanted(manifest=str(manifest))) as pack:
        moderator = Hub([], [pack]).moderation
        assert "Smoking" in {one.name for one in moderator.look(plain(250, 0, 0), 0.5).labels}
        assert set(moderator.support) == {"Smoking", "Weapons"}
        everything = moderator.look(plain(250, 0, 0), 0.0)  # and nothing of what it cannot tell, not even at 0
        assert not {one.name for one in everything.labels} & set(moderator.unsupported)
        assert everything.styles == ()


def test_a_moderator_needs_no_classifier(hub: Hub, load: Callable[[str], Image]) -> None:
    moderator = Moderator(None, hub.scenes)
    assert "Explicit" in moderator.unsupported
    assert moderator.look(load("coffee.png"), 0.5).labels == ()
