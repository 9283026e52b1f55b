# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from overt.govern import detection
from overt.govern.detection import Labelled, Truth

CATEGORIES = {1: "person", 7: "dog", 9: "cat"}
Found = tuple[int, int, tuple[float, float, float, float], float]


def drawn(images: int, seed: int = 0) -> tuple[Truth, list[Found]]:
    """Pictures with people and dogs, and detections of a middling detector: shifted, missed and made up."""
    rng = np.random.default_rng(seed)
    boxes, found = [], []
    for image in range(images):
        for _ in range(rng.integers(1, 6)):
            category = int(rng.choice([1, 7]))
            left, top, *sides = (float(value) for value in (*rng.uniform(0, 400, 2), *rng.uniform(10, 200, 2)))
            box = (left, top, sides[0], sides[1])
            boxes.append(Labelled(image, category, box, sides[0] * sides[1], bool(rng.random() < 0.05)))
            if rng.random() < 0.8:
                shift = rng.normal(0, 0.08, 2)
                moved = (left + float(shift[0]) * sides[0], top + float(shift[1]) * sides[1], sides[0], sides[1])
                found.append((image, category, moved, float(rng.uniform(0.3, 1))))
            if rng.random() < 0.4:
                found.append(
                    (
                        image,
                        category,
                        (*(float(v) for v in rng.uniform(0, 300, 2)), 50.0, 60.0),
                        float(rng.uniform(0, 0.7)),
                    )
                )
    return Truth({image: f"{image}.jpg" for image in range(images)}, CATEGORIES, tuple(boxes)), found


def exact(truth: Truth) -> list[Found]:
    return [(one.image, one.category, one.box, 0.9) for one in truth.boxes if not one.crowd]


def test_figures_are_those_that_the_published_evaluation_prints(capsys: pytest.CaptureFixture[str]) -> None:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    truth, found = drawn(60)
    figures = detection.mean_average_precision(truth, found, resamples=0)
    assert capsys.readouterr().out == ""
    reference = COCO()
    reference.dataset = {
        "images": [{"id": image} for image in truth.images],
        "categories": [{"id": category, "name": name} for category, name in CATEGORIES.items()],
        "annotations": [
            {
                "id": number + 1,
                "image_id": one.image,
                "category_id": one.category,
                "bbox": list(one.box),
                "area": one.area,
                "iscrowd": int(one.crowd),
            }
            for number, one in enumerate(truth.boxes)
        ],
    }
    reference.createIndex()
    results = reference.loadRes(
        [
            {"image_id": image, "category_id": category, "bbox": list(box), "score": score}
            for image, category, box, score in found
        ]
    )
    evaluation = COCOeval(reference, results, "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    names = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large")
    assert [getattr(figures, name) for name in names] == pytest.approx(list(evaluation.stats[:6]))
    assert figures.ar100 == pytest.approx(evaluation.stats[8])
    assert 0.1 < figures.ap < 0.9
    assert (figures.images, figures.boxes) == (60, sum(not one.crowd for one in truth.boxes))
    assert set(figures.categories) == {"person", "dog"}  # there is no cat to find
    assert figures.ap == pytest.approx(sum(figures.categories.values()) / 2)


def test_finding_everything_is_one_and_nothing_is_zero() -> None:
    truth, _ = drawn(20)
    perfect = detection.mean_average_precision(truth, exact(truth), resamples=20)
    assert (perfect.ap, perfect.ap50, perfect.ar100, *perfect.interval) == pytest.approx((1, 1, 1, 1, 1))
    blind = detection.mean_average_precision(truth, [], resamples=20)
    assert (blind.ap, blind.ar100, blind.interval) == (0, 0, (0, 0))


def test_one_box_worked_out_by_hand() -> None:
    truth = Truth({3: "a.jpg"}, CATEGORIES, (Labelled(3, 7, (0, 0, 100, 100), 10_000, crowd=False),))
    figures = detection.mean_average_precision(truth, [(3, 7, (0, 0, 100, 77), 0.6)], resamples=0)
    # An overlap of 0.77 passes six of the ten thresholds.
    assert (figures.ap, figures.ap_large, figures.ar100) == pytest.approx((0.6, 0.6, 0.6))
    assert (figures.ap50, figures.ap75) == pytest.approx((1, 1))
    assert math.isnan(figures.ap_small)
    assert figures.categories == {"dog": pytest.approx(0.6)}


def test_a_crowd_is_neither_to_find_nor_wrong_to_find() -> None:
    boxes = (
        Labelled(1, 1, (0, 0, 50, 50), 2500, crowd=False),
        Labelled(1, 1, (100, 100, 300, 300), 90_000, crowd=True),
    )
    truth = Truth({1: "a.jpg"}, CATEGORIES, boxes)
    found = [(1, 1, (0, 0, 50, 50), 0.5), (1, 1, (120, 120, 40, 40), 0.9), (1, 1, (200, 200, 40, 40), 0.8)]
    assert detection.mean_average_precision(truth, found, resamples=0).ap == pytest.approx(1)
    elsewhere = [*found, (1, 1, (500, 500, 40, 40), 0.95)]
    assert detection.mean_average_precision(truth, elsewhere, resamples=0).ap == pytest.approx(0.5)


def test_the_interval_holds_the_figure_and_narrows_with_more_pictures() -> None:
    widths = []
    for images in (40, 400):
        truth, found = drawn(images)
        figures = detection.mean_average_precision(truth, found)
        low, high = figures.interval
        assert low < figures.ap < high
        assert figures == detection.mean_average_precision(truth, found)
        widths.append(high - low)
    assert widths[1] < widths[0] / 2


def test_the_interval_holds_the_figure_where_categories_have_few_boxes() -> None:
    boxes, found = [], []
    rng = np.random.default_rng(1)
    for image in range(80):
        box = (10.0, 10.0, 80.0, 80.0)
        boxes.append(Labelled(image, image % 40, box, 6400, crowd=False))
        found.append((image, image % 40, box, float(rng.random())))
        found += [(image, int(rng.integers(40)), (200.0, 200.0, 50.0, 50.0), float(rng.random())) for _ in range(9)]
    truth = Truth(dict.fromkeys(range(80), ""), {category: str(category) for category in range(40)}, tuple(boxes))
    figures = detection.mean_average_precision(truth, found)
    assert figures.interval[0] < figures.ap < figures.interval[1]


def test_counting_every_picture_once_gives_the_published_figure() -> None:
    truth, found = drawn(50, seed=4)
    evaluation = detection._evaluated(truth, found)
    once, twice = np.ones(50), np.full(50, 2.0)
    ranked, points = detection._ranked(evaluation), evaluation.params.recThrs
    ap = detection.mean_average_precision(truth, found, resamples=0).ap
    for times in (once, twice):
        assert np.mean([one.average_precision(times, points) for one in ranked]) == pytest.approx(ap)


def test_only_what_the_truth_lists_can_be_found() -> None:
    truth, _ = drawn(3)
    box = (0.0, 0.0, 5.0, 5.0)
    for wrong in ((99, 1, box, 0.5), (1, 99, box, 0.5)):
        with pytest.raises(ValueError, match="does not list"):
            detection.mean_average_precision(truth, [wrong])
    with pytest.raises(ValueError, match="finite"):
        detection.mean_average_precision(truth, [(1, 1, box, math.nan)])


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pycocotools.coco", None)
    with pytest.raises(ModuleNotFoundError, match=r'pip install "overt\[eval\]"'):
        detection.mean_average_precision(drawn(2)[0], [])


def document(**changes: Any) -> dict[str, Any]:
    annotation = {"id": 0, "image_id": 5, "category_id": 7, "bbox": [1, 2, 3.5, 4], "area": 9.5, "iscrowd": 0}
    whole = {
        "images": [{"id": 5, "file_name": "a.jpg"}],
        "categories": [{"id": 7, "name": "dog"}],
        "annotations": [annotation],
    }
    return whole | changes


def saved(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_an_instances_file_is_read(tmp_path: Path) -> None:
    truth = detection.read_coco(saved(tmp_path / "instances.json", document()))
    assert truth == Truth({5: "a.jpg"}, {7: "dog"}, (Labelled(5, 7, (1, 2, 3.5, 4), 9.5, crowd=False),))
    bare = document(annotations=[{"image_id": 5, "category_id": 7, "bbox": [0, 0, 2, 3]}])
    assert detection.read_coco(saved(tmp_path / "bare.json", bare)).boxes[0].area == 6
    # The first annotation of this file has the id 0, which must not be taken for "no match".
    assert detection.mean_average_precision(truth, exact(truth), resamples=0).ap == pytest.approx(1)


def test_a_real_instances_file_is_read(shared_data: Path) -> None:
    truth = detection.read_coco(shared_data / "coco_train_ccby" / "instances.json")
    assert (len(truth.images), len(truth.boxes)) == (12, 67)
    figures = detection.mean_average_precision(truth, exact(truth), resamples=20)
    assert (figures.ap, *figures.interval) == pytest.approx((1, 1, 1))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not a JSON file"),
        ([1], "no lists named"),
        ({"images": []}, "no lists named"),
        (document(images=[{"file_name": "a.jpg"}]), "no id"),
        (document(images=[{"id": 5}]), "no file_name"),
        (document(images=[{"id": 5, "file_name": "a.jpg"}] * 2), "comes twice"),
        (document(categories=[{"id": 7, "name": "dog"}, {"id": 8, "name": "dog"}]), "same name"),
        (document(annotations=[{"id": 1, "image_id": 6, "category_id": 7, "bbox": [0, 0, 1, 1]}]), "does not list"),
        (document(annotations=[{"id": 1, "image_id": 5, "category_id": 7}]), "no bbox"),
        (document(annotations=[{"id": 1, "image_id": 5, "category_id": 7, "bbox": [0, 0, 1]}]), "no bbox"),
        (document(annotations=[{"id": 1, "image_id": 5, "category_id": 7, "bbox": [0, 0, -1, 1]}]), "below 0"),
        (document(annotations=["x"]), "no image_id"),
    ],
)
def test_what_is_no_instances_file_is_refused(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        detection.read_coco(saved(tmp_path / "wrong.json", content))
    assert "wrong.json" in str(caught.value)
