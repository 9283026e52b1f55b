# SPDX-License-Identifier: Apache-2.0
"""`overt eval objects`: are the boxes of objects right? Knows files and names; `govern.detection` measures."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from overt.cli import judging, output
from overt.cli.home import engine
from overt.engine import Engine
from overt.govern import detection
from overt.govern.detection import Found, Truth
from overt.types import Detection, Image

_MEANT = {"mouse": "Computer Mouse"}
"""Names of COCO's that alone mean something else, or nothing. Source: COCO puts it among the electronic things."""


def objects(
    coco: Annotated[Path, typer.Option(help="Instances file in COCO's format.")],
    images: Annotated[Path, typer.Option(help="Folder with the pictures that it names.")],
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Compare objects found with boxes drawn by people: average precision as COCO defines it."""
    judging.folder(images)
    if importlib.util.find_spec("pycocotools") is None:  # told before the pictures are looked at, not after
        raise output.CommandError('measuring objects needs pycocotools: pip install "overt[eval]"')
    try:
        truth = detection.read_coco(judging.file(coco))
    except ValueError as error:
        raise output.CommandError(str(error)) from None
    with engine(home) as opened:
        mapped, unmapped = _categories(opened, truth)
        if not mapped:
            raise output.CommandError(
                f"the detector knows none of the categories of {coco}: {judging.listed(unmapped)}"
            )
        scenes = opened.models.scenes

        def see(image: Image) -> tuple[tuple[Detection, ...], tuple[int, int]]:
            return scenes.objects(image, 0.0), (image.width, image.height)

        paths = {number: images / name for number, name in truth.images.items()}
        looked = judging.look(opened, paths.values(), see, quiet=as_json)
        model = opened.models.session("objects").model
    readable = {number: path for number, path in paths.items() if path in looked.seen}
    found = [one for number, path in readable.items() for one in _found(number, *looked.seen[path], mapped)]
    figures = detection.mean_average_precision(_kept(truth, readable, set(mapped.values())), found)
    result = {
        "model": model.name,
        "images": figures.images,
        "boxes": figures.boxes,
        "ap": judging.number(figures.ap),
        "ap_interval": figures.interval and [judging.number(end) for end in figures.interval],
        "ap50": judging.number(figures.ap50),
        "ap75": judging.number(figures.ap75),
        "ap_small": judging.number(figures.ap_small),
        "ap_medium": judging.number(figures.ap_medium),
        "ap_large": judging.number(figures.ap_large),
        "ar100": judging.number(figures.ar100),
        "categories": dict(figures.categories),
        "unmapped_categories": unmapped,
        "unreadable": looked.unreadable,
        "least_score": model.output.get("score_threshold"),
    }
    output.show(result, lambda: _print(result), as_json=as_json)


def _categories(opened: Engine, truth: Truth) -> tuple[dict[str, int], list[str]]:
    """Ids of the truth's categories by the detector's label, and the names of those it has no label for."""
    find = opened.models.scenes.taxonomy.find
    known = {entry.name if (entry := find(name)) else name for name in opened.models.session("objects").model.classes}
    mapped, unmapped = {}, []
    for number, name in truth.categories.items():
        entry = find(_MEANT.get(name, name))
        label = entry.name if entry else name
        if label in known and label not in mapped:
            mapped[label] = number
        else:
            unmapped.append(name)
    return mapped, unmapped


def _found(image: int, objects: tuple[Detection, ...], size: tuple[int, int], mapped: Mapping[str, int]) -> list[Found]:
    width, height = size
    return [
        (
            image,
            mapped[one.label],
            (one.box.left * width, one.box.top * height, one.box.width * width, one.box.height * height),
            one.confidence,
        )
        for one in objects
        if one.label in mapped
    ]


def _kept(truth: Truth, images: Mapping[int, Path], categories: set[int]) -> Truth:
    """The truth of these pictures and categories."""
    return replace(
        truth,
        images={number: name for number, name in truth.images.items() if number in images},
        categories={number: name for number, name in truth.categories.items() if number in categories},
        boxes=tuple(box for box in truth.boxes if box.image in images and box.category in categories),
    )


def _print(result: dict[str, Any]) -> None:
    output.line(f"{result['images']} pictures, {result['boxes']} boxes; model {result['model']}")
    judging.print_unreadable(result["unreadable"])
    if result["unmapped_categories"]:
        output.line(f"left out, as the detector has no label for it: {', '.join(result['unmapped_categories'])}")
    if result["least_score"]:
        output.line(f"objects that the model scores below {result['least_score']} are never shown, and count as missed")
    rows = [(name, f"{result[key]:.4f}" if result[key] is not None else "-") for key, name in _NAMES.items()]
    output.table(("measure", ""), rows)
    if result["ap_interval"] and None not in result["ap_interval"]:
        low, high = result["ap_interval"]
        output.line(f"95 % interval of AP, from resampled pictures: {low:.4f} .. {high:.4f}")
    output.line()
    worst = sorted(result["categories"].items(), key=lambda item: (item[1], item[0]))
    output.table(("category", "AP"), [(name, f"{value:.4f}") for name, value in worst])


_NAMES = {
    "ap": "AP (IoU 0.50 .. 0.95)",
    "ap50": "AP at IoU 0.50",
    "ap75": "AP at IoU 0.75",
    "ap_small": "AP, small objects",
    "ap_medium": "AP, medium objects",
    "ap_large": "AP, large objects",
    "ar100": "AR, up to 100 boxes",
}
