# SPDX-License-Identifier: Apache-2.0
"""Tries models on drawn pictures before anybody relies on them. Knows what answers may look like, not what is right.

What a pack's maker states cannot be believed unseen: an input fed wrongly gives answers all the same. This finds what
fails or leaves its units; whether the answers are any good is for `overt eval`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import cv2
import numpy as np

from overt.models.hub import Hub
from overt.models.pack import PackError
from overt.models.tasks.embed import SIDE, Embedder
from overt.models.tasks.equipment import FACE_COVER
from overt.models.tasks.objects import ObjectDetector
from overt.models.tasks.tags import Classifier
from overt.types import Box, Face, Floats, Image, Pixels

_NEAR = 1e-5
"""How far two runs on one picture may differ."""


def problems(hub: Hub, tasks: Iterable[str]) -> list[str]:
    """What is wrong with the answers of the models that fill these tasks, in words; empty when nothing was found."""
    found = []
    for task in tasks:
        try:
            hub.session(task)
            found += [f"{task}: {words}" for words in _TRIALS.get(task, _loads(task))(hub)]
        except PackError as error:
            found.append(f"{task}: {error}")
    return found


def pictures() -> tuple[Image, ...]:
    """Drawn pictures: black, white, noise, shapes with words, a tall strip."""
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)
    return tuple(Image(pixels, "") for pixels in (*_plain(), noise, _sign(), np.full((1200, 90, 3), 90, np.uint8)))


def _plain() -> tuple[Pixels, ...]:
    return np.zeros((480, 640, 3), np.uint8), np.full((80, 80, 3), 255, np.uint8)


def _sign() -> Pixels:
    drawn = np.full((360, 480, 3), 235, np.uint8)
    cv2.circle(drawn, (360, 110), 70, (200, 60, 40), -1)
    cv2.putText(drawn, "OPEN 24", (40, 260), cv2.FONT_HERSHEY_SIMPLEX, 3, (20, 20, 20), 8)
    return drawn


def _objects(hub: Hub) -> Iterable[str]:
    detector = ObjectDetector(hub.session("objects"))
    for image in pictures():
        found = detector.detect(image)
        if found != detector.detect(image):
            yield "the same picture gave two answers"
        for one in found:
            box = one.box
            inside = 0 <= box.left <= box.left + box.width <= 1 + _NEAR
            if not inside or not 0 <= box.top <= box.top + box.height <= 1 + _NEAR or not 0 <= one.confidence <= 1:
                yield f"a box or confidence lies outside 0..1: {one}"
                return


def _classes(task: str) -> Callable[[Hub], Iterable[str]]:
    def trial(hub: Hub) -> Iterable[str]:
        classifier = Classifier(hub.session(task))
        reads = [classifier.read(image.pixels) for image in pictures()]
        scores = np.concatenate([read.scores for read in reads])
        if not np.isfinite(scores).all() or scores.min() < 0 or scores.max() > 1:
            yield f"scores lie between {scores.min():.3g} and {scores.max():.3g}, not in 0..1: is the activation right?"
        if len(np.unique(scores.round(6), axis=0)) == 1:
            yield "every picture gets the same scores: is the input fed as it should be?"
        yield from _same(scores[0], classifier.read(pictures()[0].pixels).scores[0])

    return trial


def _moderation(hub: Hub) -> Iterable[str]:
    _ = hub.moderation.support  # its label map must name moderation labels
    yield from _classes("moderation")(hub)


def _embed(hub: Hub) -> Iterable[str]:
    embedder = Embedder(hub.session("embed"))
    chips = np.random.default_rng(1).integers(0, 256, (3, SIDE, SIDE, 3), np.uint8)
    vectors = embedder.vectors(chips)
    if not np.isfinite(vectors).all() or not np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3):
        yield "the vectors cannot be scaled to length 1"
    yield from _same(vectors[1], embedder.vectors(chips[1:2])[0], "a face in a batch and alone gave two answers")
    if np.allclose(vectors[0], vectors[1], atol=_NEAR):
        yield "every face gets the same vector"
    _ = hub.faces.calibration


def _keypoints(hub: Hub) -> Iterable[str]:
    for image in pictures():
        face = Face(Box(0.4, 0.1, 0.2, 0.2), 0.9, np.full((5, 2), 0.5, np.float32))
        for wearer in hub.equipment.read(image, (), (face,)):
            if not 0 <= wearer.confidence <= 1:
                yield f"a confidence lies outside 0..1: {wearer.confidence}"


def _face_cover(hub: Hub) -> Iterable[str]:
    if FACE_COVER not in hub.equipment.supported:
        yield "it reads the vectors of another model than the one in the slot tags: face covers are not told"
        return
    yield from _keypoints(hub)


def _text(hub: Hub) -> Iterable[str]:
    lines, _ = hub.text.read(Image(_sign(), ""))
    read = " ".join(line.text for line in lines).upper()
    if "OPEN" not in read and "24" not in read:
        yield f"a sign that says OPEN 24 was read as {read!r}"
    if hub.text.read(Image(_plain()[0], ""))[0]:
        yield "text was read on a black picture"


def _vocabulary(hub: Hub) -> Iterable[str]:
    vocabulary = hub.vocabulary
    if vocabulary is None:
        yield "an open vocabulary needs both image_encoder and text_encoder"
        return
    words = ("a red circle", "the letters of a sign", "nothing at all")
    scores = [vocabulary.scores(image, words) for image in pictures()]
    if any(not 0 <= sure <= 1 for score in scores for sure in score.values()):
        yield "a confidence lies outside 0..1"
    vectors = [vocabulary.embed(image) for image in pictures()]
    if all(np.allclose(vectors[0], vector, atol=_NEAR) for vector in vectors):
        yield "every picture gets the same vector: is the input fed as it should be?"


def _loads(task: str) -> Callable[[Hub], Sequence[str]]:
    def trial(hub: Hub) -> Sequence[str]:
        hub.session(task).load()
        return ()

    return trial


def _same(first: Floats, second: Floats, words: str = "the same picture gave two answers") -> Iterable[str]:
    if not np.allclose(first, second, atol=_NEAR):
        yield words


_TRIALS: Mapping[str, Callable[[Hub], Iterable[str]]] = {
    "objects": _objects,
    "tags": _classes("tags"),
    "moderation": _moderation,
    "embed": _embed,
    "keypoints": _keypoints,
    "face_cover": _face_cover,
    "text_detect": _text,
    "text_recognise": _text,
    "image_encoder": _vocabulary,
    "text_encoder": _vocabulary,
}
