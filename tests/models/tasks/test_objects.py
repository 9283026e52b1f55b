# SPDX-License-Identifier: Apache-2.0
"""Each family of detectors gives boxes in ratios of the picture, each thing once; photos show what they show."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from overt.models.calibration import Confidences
from overt.models.inputs import Input
from overt.models.pack import PackError
from overt.models.tasks.objects import ObjectDetector
from overt.types import Image

SIZE = 64
INPUT = {
    "shape": [1, 3, SIZE, SIZE], "layout": "NCHW", "colour": "RGB", "mean": [0.0] * 3, "std": [1.0] * 3,
    "fit": "letterbox", "place": "centre",
}  # fmt: skip


class Fixed:
    """A session that answers the same to everything."""

    def __init__(self, decoder: str, outputs: list[Any], **more: Any) -> None:
        self.outputs = {str(number): np.float32(value) for number, value in enumerate(outputs)}
        output = {"decoder": decoder, "strides": [32], "score_threshold": 0.1, **more}
        self.model: Any = SimpleNamespace(
            name="fixed", decoder=decoder, input=Input.read(INPUT), classes=("Cat", "", "Dog"), output=output,
            confidences=Confidences(((0.0, 0.0), (0.5, 0.8), (1.0, 1.0)), "made up"),
        )  # fmt: skip

    def run(self, _data: Any) -> Mapping[str, Any]:
        return self.outputs


def found(session: Any, least: float = 0.0, width: int = 128) -> list[tuple[str, float, list[float]]]:
    image = Image(np.zeros((64, width, 3), np.uint8), "")
    return [
        (one.label, round(one.confidence, 3), [round(side, 3) for side in dataclasses.astuple(one.box)])
        for one in ObjectDetector(session).detect(image, least)
    ]


def gfl(side: float, *scores: list[float]) -> list[Any]:
    """Four cells whose four sides are all `side` strides long: the two bins beside it share the weight."""
    logits = np.full((4, 4, 8), -50.0)
    logits[..., int(side)], logits[..., int(side) + 1] = np.log(1 - side % 1 + 1e-9), np.log(side % 1 + 1e-9)
    return [[list(scores)], [logits.reshape(4, 32)]]


NONE = [0.0, 0.0, 0.0]


def test_distances_are_means_of_distributions() -> None:
    """The second cell's middle is (48, 16) of 64; half a stride each way; a 2:1 picture lies in rows 16 to 48."""
    outputs = gfl(0.5, NONE, [0.0, 0.0, 0.5], NONE, NONE)
    expected = [("Dog", 0.8, [0.5, 0.0, 0.5, 0.5])]
    assert found(Fixed("gfl", outputs)) == expected
    assert found(Fixed("gfl", outputs[::-1])) == expected
    joined = np.concatenate([outputs[0], outputs[1]], -1)
    assert found(Fixed("gfl", [joined]), width=64) == [("Dog", 0.8, [0.25, 0.0, 0.5, 0.25])]


def test_cells_with_objectness() -> None:
    rows = [[[0.5, 0.5, 0.0, 0.0, 1.0, 0, 0, 0]] * 4]
    rows[0][1] = [0.5, 0.5, np.log(0.5), np.log(0.5), 0.5, 1.0, 0, 0]
    (only,) = found(Fixed("yolox", [rows]))
    assert only[:2] == ("Cat", 0.8)
    assert only[2] == [0.625, 0.0, 0.25, 0.25]


def test_queries_with_logits() -> None:
    boxes = [[[0.5, 0.5, 0.5, 0.25], [0.5, 0.5, 1.0, 1.0]]]
    logits = [[[-9.0, 9.0, 0.0], [-9.0, 9.0, -9.0]]]
    for outputs in ([boxes, logits], [logits, boxes]):
        assert found(Fixed("detr", outputs)) == [("Dog", 0.8, [0.25, 0.25, 0.5, 0.5])]


def test_one_thing_is_found_once_and_two_kinds_may_share_a_place() -> None:
    outputs = gfl(1.0, [0.9, 0.0, 0.3], [0.8, 0.0, 0.0], NONE, NONE)
    assert [(name, sure) for name, sure, _ in found(Fixed("gfl", outputs, iou_threshold=0.3))] == [
        ("Cat", 0.96), ("Dog", 0.48),
    ]  # fmt: skip
    assert len(found(Fixed("gfl", outputs, iou_threshold=0.9))) == 3


def test_the_least_confidence_is_a_calibrated_one() -> None:
    outputs = gfl(0.5, NONE, [0.0, 0.0, 0.5], NONE, NONE)
    assert len(found(Fixed("gfl", outputs), 0.8)) == 1
    assert found(Fixed("gfl", outputs), 0.81) == []


def test_a_class_without_a_name_is_not_told() -> None:
    assert found(Fixed("gfl", gfl(0.5, NONE, [0.2, 0.9, 0.0], NONE, NONE))) == [("Cat", 0.32, [0.5, 0.0, 0.5, 0.5])]


@pytest.mark.parametrize("decoder", ["gfl", "yolox", "detr"])
@pytest.mark.parametrize(
    "outputs", [[np.zeros((1, 4, 8))] * 3, [np.zeros((1, 3, 8))], [np.zeros((1, 4))], [np.zeros((1, 4, 4))] * 2]
)
def test_outputs_of_another_family_are_told(decoder: str, outputs: list[Any]) -> None:
    with pytest.raises(PackError, match=f"fixed: its outputs are not those of decoder '{decoder}'"):
        found(Fixed(decoder, outputs))


def test_photos_show_what_they_show(hub: Any, shared_data: Path, load: Callable[[Path], Image]) -> None:
    photos = {
        "azure_vision/images/dog.jpg": "Dog",
        "azure_vision/images/objects.jpg": "Skateboard",
        "coco_train_ccby/images/000000173350.jpg": "Toilet",
        "coco_train_ccby/images/000000412151.jpg": "Person",
    }
    for name, label in photos.items():
        image = load(shared_data / name)
        assert label in {one.label for one in hub.scenes.objects(image, 0.5)}, name


def test_a_turned_picture_turns_its_boxes(hub: Any, load: Callable[[str], Image]) -> None:
    image = load("astronaut.png")
    mirrored = Image(np.ascontiguousarray(image.pixels[:, ::-1]), "")
    (one, *_), (other, *_) = (hub.scenes.objects(picture, 0.5) for picture in (image, mirrored))
    assert one.label == other.label == "Person"
    assert other.box.left == pytest.approx(1 - one.box.left - one.box.width, abs=0.05)
