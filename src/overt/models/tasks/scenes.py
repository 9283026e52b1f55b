# SPDX-License-Identifier: Apache-2.0
"""What a picture shows: objects with boxes and names for the whole, merged through the taxonomy. Knows no wire.

The tagger reads the whole picture and, where that may tell more, its main object or its middle, so that a dog in a
corner still gets its breed. A parent is as sure as its children are together: the tagger's probabilities of
everything below it are summed, for each part read, and the best part counts. Where the detector knows a label too,
the surer of both counts; no parent is less sure than its child.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from overt.models.session import Session
from overt.models.tasks.objects import ObjectDetector
from overt.models.tasks.tags import Classifier
from overt.models.tasks.vocabulary import Vocabulary
from overt.models.taxonomy import Taxonomy
from overt.types import Box, Detection, Floats, Image, Instance, Label, Pixels

Indices = npt.NDArray[np.intp]

PERSON, PRIMATE = "Person", "Primate"
_PERSON_LEAST = 0.04
"""Confidence from which something may be a person: then no ape's or monkey's name is put to the picture. Taggers have
called people so; a missed gorilla beside its keeper is the lesser harm."""
_PANORAMA = 2.0
"""A picture this many times longer than high is read as two halves: squeezed whole it shows the tagger nothing known.
Training squeezed by up to 4:3, so 16:9 is stretching it."""
_MARGIN = 1.15
"""Side of an object's cut-out, in longer sides of its box."""
_SMALL, _WHOLE = 0.02, 0.6
"""Shares of the picture below which an object is too small to read, and above which it is the picture."""
_LEAST_OBJECT = 0.5
"""Confidence of the object that is cut out and read."""
_SURE, _FILLS = 0.6, 0.15
"""Raw score from which one look is enough, and share of the picture from which a person is what it shows: of people the
tagger knows nothing, and looking again costs as much as looking."""


@dataclass(frozen=True, slots=True)
class Scene:
    """All that was seen. scores: every label with its confidence 0..1, parents too."""

    scores: Mapping[str, float]
    objects: tuple[Detection, ...]


class SceneTasks:
    """Objects and labels. Thread-safe; models load when first needed.

    Args: detector, tagger: sessions of `objects` and `tags`; one may be missing. vocabulary: free-text labels, if any.
    """

    def __init__(self, detector: Session | None, tagger: Session | None, vocabulary: Vocabulary | None = None) -> None:
        self.taxonomy = Taxonomy.read()
        self._detector = ObjectDetector(detector) if detector else None
        self._tagger = Classifier(tagger) if tagger else None
        self._vocabulary = vocabulary
        classes = self._tagger.classes if self._tagger else ()
        self._names, self._members = self._speak_for(classes)
        boxed = {self._name(text) for text in (self._detector.labels if self._detector else ())}
        above = {parent for name in boxed for parent in self._ancestors(name)}
        self.object_labels = frozenset(boxed)
        """Every label that `objects` may give."""
        self.tag_labels = frozenset(self._names)
        """Every label that `tags` may give."""
        self.labels = self.tag_labels | boxed | above
        """Every label that a picture may get, free texts aside."""
        apes = {PRIMATE, *self.taxonomy.descendants(PRIMATE)}
        self._apes = np.array([self._name(text) in apes for text in classes], bool)

    def objects(self, image: Image, least: float = 0.0) -> tuple[Detection, ...]:
        """Objects with at least this confidence, surest first; none where no detector is installed."""
        if self._detector is None:
            return ()
        found = self._detector.detect(image, least)
        return tuple(Detection(one.box, self._name(one.label), one.confidence) for one in found)

    def look(self, image: Image, least: float, texts: Sequence[str] = ()) -> Scene:
        """Everything in a picture. Args: least: of objects. texts: free texts to score, where a vocabulary is there."""
        objects = self.objects(image, min(least, _PERSON_LEAST))
        people = any(one.label == PERSON for one in objects)
        scores = self._tagged(image, objects, people=people)  # in which parents are as sure as their children already
        objects = tuple(one for one in objects if one.confidence >= least)
        found = [(one.label, one.confidence) for one in objects]
        if self._vocabulary is not None:
            found += [(self._name(text), sure) for text, sure in self._vocabulary.scores(image, texts).items()]
        for name, confidence in found:
            for label in (name, *self._ancestors(name)):
                scores[label] = max(scores.get(label, 0.0), confidence)
        return Scene(scores, objects)

    def labels_of(self, image: Image, least: float, texts: Sequence[str] = ()) -> tuple[Label, ...]:
        """The labels with at least this confidence, surest first, each with its parents, and instances where known."""
        scene = self.look(image, least, texts)
        places: dict[str, list[Instance]] = {}
        for one in scene.objects:
            places.setdefault(one.label, []).append(Instance(one.box, one.confidence))
        kept = sorted((name for name, sure in scene.scores.items() if sure >= least),
                      key=lambda name: (-scene.scores[name], name))  # fmt: skip
        return tuple(self._label(name, scene.scores[name], places.get(name, ())) for name in kept)

    def tags(self, image: Image) -> dict[str, float]:
        """The tagger's labels alone, with their parents, from the whole picture: cheaper than `look`."""
        return {} if self._tagger is None else self._named(self._tagger.read_parts(_whole(image)).scores)

    def _tagged(self, image: Image, objects: Sequence[Detection], *, people: bool) -> dict[str, float]:
        """Labels of the surest part of a picture."""
        if self._tagger is None:
            return {}
        scores = self._tagger.read_parts(_whole(image)).scores
        detail = _detail(image, objects, sure=float(scores.max()) >= _SURE)
        if detail is not None:
            scores = np.concatenate([scores, self._tagger.read_parts([detail]).scores])
        return self._named(np.where(self._apes, 0, scores) if people else scores)

    def _named(self, scores: Floats) -> dict[str, float]:
        """The confidence of each label. Args: scores: (parts, classes), raw."""
        if self._tagger is None:
            return {}
        # Summed one by one: a matrix product of this size wakes the threads of the linear algebra library, which then
        # spin on every core and take them from other calls (labels of a picture: 154 ms of CPU instead of 77).
        classes, labels = self._members
        sums = [np.bincount(labels, part[classes], len(self._names)) for part in scores]
        confidences = self._tagger.confidences.of(np.max(sums, 0).clip(0, 1)).tolist()
        return dict(zip(self._names, confidences, strict=True))

    def _speak_for(self, classes: Sequence[str]) -> tuple[tuple[str, ...], tuple[Indices, Indices]]:
        """Which classes of the tagger speak for a label: its own, and all below it.

        Returns: labels, and pairs of a class and a label for which it speaks, as two arrays of places.
        """
        places: dict[str, int] = {}
        pairs: list[tuple[int, int]] = []
        for place, text in enumerate(classes):
            name = self._name(text)
            above = (name, *self._ancestors(name)) if name else ()
            pairs += [(place, places.setdefault(label, len(places))) for label in above]
        columns = np.array(pairs, np.intp).reshape(-1, 2)
        return tuple(places), (columns[:, 0], columns[:, 1])

    def _name(self, text: str) -> str:
        """A class or free text as the taxonomy calls it; as it is where the taxonomy does not know it."""
        entry = self.taxonomy.find(text)
        return entry.name if entry else text

    def _ancestors(self, name: str) -> tuple[str, ...]:
        """Every label above one; none of a label that the taxonomy does not know."""
        return self.taxonomy.ancestors(name) if self.taxonomy.find(name) else ()

    def _label(self, name: str, confidence: float, instances: Iterable[Instance]) -> Label:
        entry = self.taxonomy.find(name)
        if entry is None:
            return Label(name, confidence, tuple(instances))
        parents = self._ancestors(name)
        return Label(name, confidence, tuple(instances), parents, entry.aliases, entry.categories)


def _whole(image: Image) -> list[Pixels]:
    """The picture, or a panorama's two halves, squeezed to squares."""
    height, width = image.height, image.width
    if width > _PANORAMA * height:
        return [image.pixels[:, : width // 2], image.pixels[:, width // 2 :]]
    if height > _PANORAMA * width:
        return [image.pixels[: height // 2], image.pixels[height // 2 :]]
    return [image.pixels]


def _detail(image: Image, objects: Sequence[Detection], *, sure: bool) -> Pixels | None:
    """What to read beside the whole: the largest sure object that is no person, nor on one, and not the whole picture.

    Without one, the picture's middle square; or nothing, where the whole is sure, or a person fills the picture.
    """
    people = [one.box for one in objects if one.label == PERSON]
    wanted = [
        one.box
        for one in objects
        if one.label != PERSON
        and one.confidence >= _LEAST_OBJECT
        and _SMALL <= one.box.area <= _WHOLE
        and not any(_holds(box, one.box) for box in people)
    ]
    box = max(wanted, key=lambda box: box.area, default=None)
    if box is not None:
        return _square(image, box, 0)
    if sure or any(box.area >= _FILLS for box in people):
        return None
    return _square(image, Box(0.5, 0.5, 0, 0), min(image.height, image.width))


def _holds(outer: Box, inner: Box) -> bool:
    """Whether the middle of one box lies in another."""
    x, y = inner.left + inner.width / 2, inner.top + inner.height / 2
    return outer.left <= x <= outer.left + outer.width and outer.top <= y <= outer.top + outer.height


def _square(image: Image, box: Box, side: int) -> Pixels:
    """A square around the middle of a box, moved into the picture. Args: side: pixels; 0: as the box needs."""
    height, width = image.height, image.width
    side = side or min(height, width, max(1, round(max(box.width * width, box.height * height) * _MARGIN)))
    left = round((box.left + box.width / 2) * width - side / 2)
    top = round((box.top + box.height / 2) * height - side / 2)
    left, top = min(max(left, 0), width - side), min(max(top, 0), height - side)
    return image.pixels[top : top + side, left : left + side]
