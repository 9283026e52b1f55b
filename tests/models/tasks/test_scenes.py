# SPDX-License-Identifier: Apache-2.0
"""What detector and tagger see becomes one list of labels, with parents that are as sure as their children."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from overt.models.additions import Additions, Wanted
from overt.models.hub import Hub
from overt.models.tasks import scenes
from overt.models.tasks.scenes import SceneTasks
from overt.testing import networks
from overt.types import Box, Detection, Image, Label


@pytest.fixture
def looking(hub: Hub) -> SceneTasks:
    return hub.scenes


def by_name(labels: tuple[Label, ...]) -> dict[str, Label]:
    return {label.name: label for label in labels}


def add(folder: Path, manifest: Path) -> Hub:
    additions = Additions(folder / "models")
    with additions.fetched(Wanted(manifest=str(manifest))) as pack:
        additions.keep(pack)
    return Hub.discover(additions.folder)


def test_the_dog_is_an_animal_and_a_pet_and_has_a_box(
    looking: SceneTasks, shared_data: Path, load: Callable[[Path], Image]
) -> None:
    labels = by_name(looking.labels_of(load(shared_data / "azure_vision/images/dog.jpg"), 0.55))
    dog = labels["Dog"]
    (instance,) = dog.instances
    assert {"Pet", "Animal"} <= set(dog.parents)
    assert dog.categories == ("Animals and Pets",)
    # The dog of this picture fills about its middle third.
    assert (instance.box.left, instance.box.top) == (pytest.approx(0.46, abs=0.1), pytest.approx(0.28, abs=0.15))
    assert labels["Animal"].confidence >= labels["Pet"].confidence >= dog.confidence


def test_labels_are_sorted_and_every_parent_is_a_label_too(looking: SceneTasks, load: Callable[[str], Image]) -> None:
    for name in ("coffee.png", "astronaut.png", "obama.jpg"):
        labels = looking.labels_of(load(name), 0.2)
        found = by_name(labels)
        assert [label.confidence for label in labels] == sorted((one.confidence for one in labels), reverse=True)
        for label in labels:
            assert 0.2 <= label.confidence <= 1
            for parent in label.parents:
                assert found[parent].confidence >= label.confidence - 1e-6


def test_the_same_picture_gets_the_same_labels(looking: SceneTasks, load: Callable[[str], Image]) -> None:
    image = load("coffee.png")
    assert looking.labels_of(image, 0.1) == looking.labels_of(image, 0.1)


def test_every_label_it_gives_is_one_it_says_it_can_give(looking: SceneTasks, load: Callable[[str], Image]) -> None:
    for name in ("coffee.png", "astronaut.png"):
        assert {label.name for label in looking.labels_of(load(name), 0.01)} <= looking.labels


def test_no_person_is_called_an_ape(looking: SceneTasks, load: Callable[[str], Image], hub: Hub) -> None:
    """Wherever somebody is found, whatever the tagger thinks, no such label comes, however low the threshold."""
    apes = {"Primate", "Ape", "Monkey", *looking.taxonomy.descendants("Primate")}
    for name in ("obama.jpg", "obama2.jpg", "biden.jpg", "astronaut.png"):
        assert not apes & {label.name for label in looking.labels_of(load(name), 1e-6) if label.confidence > 0}, name


def test_a_detector_of_the_operators_own_speaks_through_the_taxonomy(tmp_path: Path) -> None:
    hub = add(tmp_path, networks.detector(tmp_path / "made", ("automobile", "Zeppelin Mooring", "dog")))
    pixels = np.zeros((128, 128, 3), np.uint8)
    pixels[32:64, 64:96, 0] = 255
    pixels[96:, :32, 1] = 255
    found = by_name(hub.scenes.labels_of(Image(pixels, ""), 0.55))
    assert found["Car"].instances[0].box == Box(0.5, 0.25, 0.25, 0.25)
    assert found["Vehicle"].confidence >= found["Car"].confidence > 0.9
    assert found["Zeppelin Mooring"].parents == ()
    assert hub.scenes.object_labels == {"Car", "Zeppelin Mooring", "Dog"}
    assert found["Zeppelin Mooring"].instances[0].box == Box(0.0, 0.75, 0.25, 0.25)


def test_free_texts_become_labels(tmp_path: Path) -> None:
    hub = add(tmp_path, networks.vocabulary(tmp_path / "made"))
    image = Image(np.full((100, 100, 3), (250, 5, 5), np.uint8), "")
    found = by_name(hub.scenes.labels_of(image, 0.9, ("red", "green")))
    assert found["red"].confidence > 0.9
    assert "green" not in found


@pytest.mark.parametrize(("height", "width", "parts"), [(100, 100, 1), (100, 199, 1), (100, 201, 2), (300, 100, 2)])
def test_a_panorama_is_read_in_halves(height: int, width: int, parts: int) -> None:
    seen = scenes._whole(Image(np.zeros((height, width, 3), np.uint8), ""))
    assert len(seen) == parts
    assert sum(part.shape[0] * part.shape[1] for part in seen) == height * width


def test_the_main_object_is_looked_at_closely() -> None:
    image = Image(np.arange(100 * 200 * 3, dtype=np.uint32).reshape(100, 200, 3).astype(np.uint8), "")
    dog = Detection(Box(0.8, 0.5, 0.2, 0.4), "Dog", 0.9)
    others = (
        Detection(Box(0, 0, 0.5, 0.9), "Person", 0.9),  # a person: read by other models
        Detection(Box(0, 0, 0.4, 0.9), "Cat", 0.4),  # not sure
        Detection(Box(0, 0, 0.1, 0.1), "Bottle", 0.9),  # too small
    )
    part = scenes._detail(image, (dog, *others), sure=True)
    assert part is not None
    assert np.array_equal(part, image.pixels[47:93, 154:200])
    middle = scenes._detail(image, others[1:], sure=False)
    assert middle is not None
    assert np.array_equal(middle, image.pixels[:, 50:150])
    assert scenes._detail(image, others[1:], sure=True) is None
    assert scenes._detail(image, others, sure=False) is None  # somebody fills the picture
