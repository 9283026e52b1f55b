# SPDX-License-Identifier: Apache-2.0
"""DetectLabels: what a picture shows, filtered as the caller asks, and how it looks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from overt.engine import Engine
from overt.errors import InvalidParameterException
from overt.media import looks
from overt.models.filters import LabelFilter
from overt.ops import show
from overt.ops.registry import OMITTED, operation
from overt.types import Call, Image, Instance, Label

MODEL_VERSION = "3.0"
_LEAST, _MOST, _COLOURS = 55.0, 1000, 10
"""MinConfidence, MaxLabels and MaxDominantColors where a caller gives none. Source: Rekognition's API reference."""
_FEWEST_PIXELS = 64
"""Pixels of an instance below which its colours are not told."""


@operation("DetectLabels")
def detect_labels(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Name what a picture shows, with boxes where a detector saw it, and measure how it looks."""
    features = frozenset(call.get("Features", ())) or {"GENERAL_LABELS"}
    general = "GENERAL_LABELS" in features
    settings = call.get("Settings") or {}
    _refuse_stray(call, features)
    wanted = label_filter(settings.get("GeneralLabels") or {})
    least = call.get("MinConfidence", _LEAST) / 100
    answer: dict[str, Any] = {"LabelModelVersion": MODEL_VERSION}
    scenes = engine.models.scenes if general else None
    with engine.looking_at(call["Image"]) as (image,):
        found: Sequence[Label] = ()
        if scenes is not None:
            free = sorted(wanted.names - scenes.labels)
            found = [label for label in scenes.labels_of(image, least, free) if wanted.passes(label)]
            found = found[: call.get("MaxLabels", _MOST)]
            if free and engine.models.vocabulary is None:
                call.notes[OMITTED] = show.header(free)
        if "IMAGE_PROPERTIES" in features:
            colours = (settings.get("ImageProperties") or {}).get("MaxDominantColors", _COLOURS)
            found = [_coloured(image, label, colours) for label in found]
            answer["ImageProperties"] = _properties(image, colours)
    answer["Labels"] = [show.label(label) for label in found] if general else None
    return answer


def label_filter(settings: Mapping[str, Any]) -> LabelFilter:
    """Read GeneralLabels. Raises: InvalidParameterException when one thing is both wanted and not wanted."""
    wanted = LabelFilter(
        *(
            frozenset(settings.get(f"Label{kind}Filters", ()))
            for kind in ("Inclusion", "CategoryInclusion", "Exclusion", "CategoryExclusion")
        )
    )
    both = sorted((wanted.names & wanted.not_names) | (wanted.categories & wanted.not_categories))
    if both:
        raise InvalidParameterException(detail=f"{', '.join(both)}: both included and excluded")
    return wanted


def _refuse_stray(call: Call, features: Iterable[str]) -> None:
    """Refuse what the contract calls valid only with the feature GENERAL_LABELS. Raises: InvalidParameterException."""
    stray = [name for name in ("MaxLabels", "MinConfidence") if call.get(name) is not None]
    if stray and "GENERAL_LABELS" not in features:
        raise InvalidParameterException(detail=f"{', '.join(stray)}: only with the feature GENERAL_LABELS")


def _coloured(image: Image, label: Label, most: int) -> Label:
    return replace(label, instances=tuple(_coloured_instance(image, one, most) for one in label.instances))


def _coloured_instance(image: Image, instance: Instance, most: int) -> Instance:
    box = instance.box
    left, right = round(box.left * image.width), round((box.left + box.width) * image.width)
    top, bottom = round(box.top * image.height), round((box.top + box.height) * image.height)
    part = image.pixels[top:bottom, left:right]
    if part.shape[0] * part.shape[1] < _FEWEST_PIXELS:
        return instance
    return replace(instance, colours=looks.dominant_colours(part, None, most))


def _properties(image: Image, most: int) -> dict[str, Any]:
    whole, foreground, background = looks.looks(image.pixels, most)
    return {
        "Quality": show.look_quality(whole),
        "DominantColors": [show.colour(colour) for colour in whole.colours],
        "Foreground": None if foreground is None else show.look(foreground),
        "Background": show.look(background),
    }
