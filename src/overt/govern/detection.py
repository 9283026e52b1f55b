# SPDX-License-Identifier: Apache-2.0
"""How well boxes are found, by COCO's definition, from labelled pictures. Knows boxes and scores, not models.

The figures are those of pycocotools, which the extra `overt[eval]` installs; the interval is ours.
Source: T.-Y. Lin et al., "Microsoft COCO: common objects in context" (2014), and the evaluation code published with it.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float64]
PixelBox = tuple[float, float, float, float]
Found = tuple[int, int, PixelBox, float]
"""image id, category id, (left, top, width, height) in pixels, score: the higher, the surer."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A box somebody drew. box: (left, top, width, height) in pixels. area: of the object, square pixels.

    crowd: it stands for many objects; finding some of them is neither right nor wrong.
    """

    image: int
    category: int
    box: PixelBox
    area: float
    crowd: bool


@dataclass(frozen=True, slots=True)
class Truth:
    """Labelled pictures. images: file name by id. categories: name by id."""

    images: Mapping[int, str]
    categories: Mapping[int, str]
    boxes: tuple[Labelled, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """COCO's figures, 0..1; NaN where the truth holds nothing to find.

    ap: mean over categories and the IoU thresholds 0.50, 0.55 .. 0.95. ap50, ap75: at one threshold. ap_small,
    ap_medium, ap_large: of objects below 32^2, up to 96^2 and from 96^2 square pixels. ar100: mean recall with at
    most 100 boxes a picture (of a category). interval: 95 % of `ap`, from resampled pictures; None when not asked for.
    images, boxes: counted in the truth, crowds aside. categories: AP by name, those with something to find.
    """

    ap: float
    ap50: float
    ap75: float
    ap_small: float
    ap_medium: float
    ap_large: float
    ar100: float
    images: int
    boxes: int
    interval: tuple[float, float] | None = None
    categories: Mapping[str, float] = field(default_factory=dict)


def read_coco(path: Path) -> Truth:
    """The truth in a COCO instances file. Segmentations are not read; an annotation without an area has its box's.

    Raises: OSError. ValueError, saying what is wrong and where, when it is no such file.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        msg = f"{path}: not a JSON file: {error}"
        raise ValueError(msg) from error
    if not isinstance(document, dict) or any(
        not isinstance(document.get(name), list) for name in ("images", "annotations", "categories")
    ):
        msg = f"{path}: not a COCO instances file: it has no lists named images, annotations and categories"
        raise ValueError(msg)
    images = _listed(path, "images", document["images"], "file_name")
    categories = _listed(path, "categories", document["categories"], "name")
    if len(set(categories.values())) < len(categories):
        msg = f"{path}: two of its categories have the same name"
        raise ValueError(msg)
    boxes = []
    for entry in document["annotations"]:
        labelled = _labelled(path, entry)
        if labelled.image not in images or labelled.category not in categories:
            msg = f"{path}: annotation {entry.get('id')} names an image or a category that the file does not list"
            raise ValueError(msg)
        boxes.append(labelled)
    return Truth(images, categories, tuple(boxes))


def mean_average_precision(truth: Truth, detections: Iterable[Found], *, resamples: int = 200) -> Figures:
    """COCO's figures of detections on labelled pictures.

    Every picture of the truth counts: give the detections of all, or a truth of those looked at. Equal input gives an
    equal interval.

    Args: resamples: pictures are drawn with replacement this often for the interval of `ap`; 0: no interval. It says
    how far the figure hangs on which pictures were labelled (sampling error), not how it carries over to others.
    Raises: ValueError for a detection of a picture or a category that the truth does not list, or a score or a box
    that is no finite number. ModuleNotFoundError without pycocotools.
    """
    evaluation = _evaluated(truth, _checked(truth, detections))
    # precision: (threshold, recall point, category, area range, most boxes); -1: nothing to find.
    precision, recall = evaluation.eval["precision"], evaluation.eval["recall"]
    each = {
        truth.categories[int(category)]: _mean(precision[:, :, place, 0, -1])
        for place, category in enumerate(evaluation.params.catIds)
    }
    ap = _mean(precision[:, :, :, 0, -1])
    return Figures(
        ap=ap,
        ap50=_mean(precision[0, :, :, 0, -1]),
        ap75=_mean(precision[5, :, :, 0, -1]),
        ap_small=_mean(precision[:, :, :, 1, -1]),
        ap_medium=_mean(precision[:, :, :, 2, -1]),
        ap_large=_mean(precision[:, :, :, 3, -1]),
        ar100=_mean(recall[:, :, 0, -1]),
        images=len(truth.images),
        boxes=sum(not labelled.crowd for labelled in truth.boxes),
        interval=_interval(evaluation, ap, resamples) if resamples else None,
        categories={name: value for name, value in each.items() if not math.isnan(value)},
    )


def _whole(path: Path, name: str, entry: Any, key: str) -> int:
    value = entry.get(key) if isinstance(entry, dict) else None
    if not isinstance(value, int) or isinstance(value, bool):
        msg = f"{path}: not a COCO instances file: an entry of {name} has no {key} that is a whole number"
        raise ValueError(msg)  # noqa: TRY004 - the file is wrong, not the call
    return value


def _listed(path: Path, name: str, entries: list[Any], key: str) -> dict[int, str]:
    """A text of each entry, by id."""
    listed: dict[int, str] = {}
    for entry in entries:
        number, value = _whole(path, name, entry, "id"), entry.get(key)
        if number in listed or not isinstance(value, str):
            msg = f"{path}: entry {number} of {name} has no {key}, or comes twice"
            raise ValueError(msg)
        listed[number] = value
    return listed


def _labelled(path: Path, entry: Any) -> Labelled:
    image, category = (_whole(path, "annotations", entry, key) for key in ("image_id", "category_id"))
    try:
        left, top, width, height = (float(value) for value in entry["bbox"])
        area = float(entry.get("area", width * height))
    except (KeyError, TypeError, ValueError) as error:
        msg = f"{path}: annotation {entry.get('id')} has no bbox of four numbers, or an area that is no number"
        raise ValueError(msg) from error
    if not all(math.isfinite(value) for value in (left, top, width, height, area)) or min(width, height, area) < 0:
        msg = f"{path}: annotation {entry.get('id')} has a bbox or an area below 0 or without end"
        raise ValueError(msg)
    return Labelled(image, category, (left, top, width, height), area, bool(entry.get("iscrowd", 0)))


def _checked(truth: Truth, detections: Iterable[Found]) -> list[Found]:
    found = list(detections)
    for image, category, box, score in found:
        if image not in truth.images or category not in truth.categories:
            msg = f"a detection names image {image} and category {category}: the truth does not list both"
            raise ValueError(msg)
        if not all(math.isfinite(value) for value in (*box, score)):
            msg = f"a detection in image {image} has a box or a score that is no finite number"
            raise ValueError(msg)
    return found


def _evaluated(truth: Truth, found: list[Found]) -> Any:
    """The evaluation of pycocotools, accumulated."""
    try:
        from pycocotools.coco import COCO  # noqa: PLC0415 - an extra: only evaluations need it
        from pycocotools.cocoeval import COCOeval  # noqa: PLC0415
    except ModuleNotFoundError as error:
        msg = 'measuring detections needs pycocotools: pip install "overt[eval]"'
        raise ModuleNotFoundError(msg, name=error.name) from error

    def indexed(annotations: list[dict[str, Any]]) -> Any:
        coco = COCO()
        dataset: Any = {
            "images": [{"id": image} for image in truth.images],
            "categories": [{"id": category} for category in truth.categories],
            # Ids from 1: a match is kept as the id of what it matched, and 0 means none.
            "annotations": [annotation | {"id": number} for number, annotation in enumerate(annotations, 1)],
        }
        coco.dataset = dataset
        coco.createIndex()
        return coco

    with contextlib.redirect_stdout(io.StringIO()):
        labelled = indexed(
            [
                {
                    "image_id": one.image,
                    "category_id": one.category,
                    "bbox": list(one.box),
                    "area": one.area,
                    "iscrowd": int(one.crowd),
                }
                for one in truth.boxes
            ]
        )
        detected = indexed(
            [
                {
                    "image_id": image,
                    "category_id": category,
                    "bbox": list(box),
                    "area": box[2] * box[3],
                    "iscrowd": 0,
                    "score": score,
                }
                for image, category, box, score in found
            ]
        )
        evaluation = COCOeval(labelled, detected, "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation


def _mean(values: Scores) -> float:
    """Of what there was something to find for; NaN when of nothing."""
    told = values[values > -1]
    return float(told.mean()) if told.size else math.nan


@dataclass(frozen=True, slots=True)
class _Ranked:
    """The detections of one category, surest first, on all pictures, at 100 a picture and all sizes.

    image: (n,) the place of the picture of each. right, wrong: (thresholds, n). labelled: (images,) objects to find.
    """

    image: npt.NDArray[np.intp]
    right: npt.NDArray[np.bool_]
    wrong: npt.NDArray[np.bool_]
    labelled: Scores

    def average_precision(self, times: Scores, points: Scores) -> float:
        """AP when picture i counts times[i] times; NaN when none of those holds anything to find."""
        objects = self.labelled @ times
        if not objects:
            return math.nan
        weights = times[self.image]
        right, wrong = np.cumsum(self.right * weights, axis=1), np.cumsum(self.wrong * weights, axis=1)
        precision = right / np.maximum(right + wrong, 1e-12)
        envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        total = 0.0
        for recalls, heights in zip(right / objects, envelope, strict=True):
            places = np.searchsorted(recalls, points)
            total += float(heights[places[places < len(heights)]].sum())
        return total / (len(points) * len(self.right))


def _interval(evaluation: Any, ap: float, resamples: int) -> tuple[float, float]:
    """95 % of the APs of resampled pictures, less their bias.

    Drawing a picture twice is counting it twice, so matches and ranks are worked out once. A category whose objects
    lie on pictures not drawn is left out of that draw's mean, as an absent one is of the whole. Pictures drawn twice
    rank their right answers together, which lifts AP: the draws are moved back so that their mean is `ap`.
    Source: B. Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7 (1979).
    """
    ranked, points = _ranked(evaluation), evaluation.params.recThrs
    images = len(evaluation.params.imgIds)
    rng = np.random.default_rng(0)
    means = []
    for _ in range(resamples):
        times = np.bincount(rng.integers(0, images, images), minlength=images).astype(np.float64)
        values = [category.average_precision(times, points) for category in ranked]
        told = [value for value in values if not math.isnan(value)]
        if told:
            means.append(sum(told) / len(told))
    if not means:
        return math.nan, math.nan
    low, high = np.clip(np.quantile(means, (0.025, 0.975)) - np.mean(means) + ap, 0, 1)
    return float(low), float(high)


def _ranked(evaluation: Any) -> list[_Ranked]:
    params = evaluation.params
    images, areas = len(params.imgIds), len(params.areaRng)
    made = []
    for place in range(len(params.catIds)):
        # evalImgs: by category, then area range ("all" is the first), then picture; None: nothing there.
        start = place * areas * images
        entries = [(at, entry) for at, entry in enumerate(evaluation.evalImgs[start : start + images]) if entry]
        labelled = np.zeros(images)
        for at, entry in entries:
            labelled[at] = np.count_nonzero(np.asarray(entry["gtIgnore"]) == 0)
        if not labelled.any():
            continue
        scores = np.concatenate([np.asarray(entry["dtScores"], np.float64) for _, entry in entries])
        order = np.argsort(-scores, kind="stable")
        matched, ignored = (
            np.concatenate([entry[name] for _, entry in entries], axis=1)[:, order].astype(np.bool_)
            for name in ("dtMatches", "dtIgnore")
        )
        image = np.repeat([at for at, _ in entries], [len(entry["dtScores"]) for _, entry in entries])[order]
        made.append(_Ranked(image, matched & ~ignored, ~matched & ~ignored, labelled))
    return made
