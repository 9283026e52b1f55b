# SPDX-License-Identifier: Apache-2.0
"""DetectLabels: what a picture shows, filtered as the caller asks, and how it looks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from overt.engine import Engine
from overt.errors import InvalidParameterException
from overt.media import looks
from overt.ops import show
from overt.ops.registry import OMITTED, operation
from overt.types import Call, Image, Instance, Label

MODEL_VERSION = "3.0"
_LEAST, _MOST, _COLOURS = 55.0, 1000, 10
"""MinConfidence, MaxLabels and MaxDominantColors where a caller gives none. Source: Rekognition's API reference."""
_FEWEST_PIXELS = 64
"""Pixels of an instance below which its colours are not told."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which labels a caller wants: of any name or category included, where there are some, and of none excluded."""

    names: frozenset[str]
    categories: frozenset[str]
    not_names: frozenset[str]
    not_categories: frozenset[str]

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Filters:
        """Read GeneralLabels. Raises: InvalidParameterException when one thing is both wanted and not wanted."""
        made = cls(
            *(
                frozenset(settings.get(f"Label{kind}Filters", ()))
                for kind in ("Inclusion", "CategoryInclusion", "Exclusion", "CategoryExclusion")
            )
        )
        both = sorted((made.names & made.not_names) | (made.categories & made.not_categories))
        if both:
            raise InvalidParameterException(detail=f"{', '.join(both)}: both included and excluded")
        return made

    def passes(self, label: Label) -> bool:
        """Whether a caller wants this label."""
        categories = self.categories.intersection(label.categories)
        wanted = not (self.names or self.categories) or label.name in self.names or bool(categories)
        return wanted and label.name not in self.not_names and not self.not_categories.intersection(label.categories)


@operation("DetectLabels")
def detect_labels(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Name what a picture shows, with boxes where a detector saw it, and measure how it looks."""
    features = frozenset(call.get("Features", ())) or {"GENERAL_LABELS"}
    general = "GENERAL_LABELS" in features
    settings = call.get("Settings") or {}
    _refuse_stray(call, features)
    filters = Filters.of(settings.get("GeneralLabels") or {})
    least = call.get("MinConfidence", _LEAST) / 100
    answer: dict[str, Any] = {"LabelModelVersion": MODEL_VERSION}
    scenes = engine.models.scenes if general else None
    with engine.looking_at(call["Image"]) as (image,):
        found: Sequence[Label] = ()
        if scenes is not None:
            free = sorted(filters.names - scenes.labels)
            found = [label for label in scenes.labels_of(image, least, free) if filters.passes(label)]
            found = found[: call.get("MaxLabels", _MOST)]
            if free and engine.models.vocabulary is None:
                call.notes[OMITTED] = show.header(free)
        if "IMAGE_PROPERTIES" in features:
            colours = (settings.get("ImageProperties") or {}).get("MaxDominantColors", _COLOURS)
            found = [_coloured(image, label, colours) for label in found]
            answer["ImageProperties"] = _properties(image, colours)
    answer["Labels"] = [show.label(label) for label in found] if general else None
    return answer


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
