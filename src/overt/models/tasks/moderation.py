# SPDX-License-Identifier: Apache-2.0
"""Unsafe content by the contract's taxonomy, scored where an installed model can tell. Knows no wire.

A category that nothing here can score is unsupported, and that is said of each: an answer without it says nothing
about the picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from overt.models.pack import PackError
from overt.models.session import Session
from overt.models.tasks.scenes import SceneTasks
from overt.models.tasks.tags import Classifier
from overt.models.tasks.vocabulary import Vocabulary
from overt.models.taxonomy.unsafe import CONTENT_TYPES, EVIDENCE, ILLUSTRATED, LEVELS, PROMPTS, STYLES, above
from overt.types import Image, Unsafe


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What was found in one picture. labels: every level, surest first. styles: (name, confidence 0..1)."""

    labels: tuple[Unsafe, ...]
    styles: tuple[tuple[str, float], ...]


class Moderator:
    """Finds unsafe content. Thread-safe.

    Args: classifier: a session of `moderation`, whose label map names categories. scenes: whose labels speak for some.
        vocabulary: zero-shot answers for the rest, if any.
    """

    def __init__(self, classifier: Session | None, scenes: SceneTasks, vocabulary: Vocabulary | None = None) -> None:
        self._classifier = Classifier(classifier) if classifier else None
        self._columns = _columns(self._classifier.classes) if self._classifier else {}
        self._scenes, self._vocabulary = scenes, vocabulary
        known = {name: [one for one in labels if one in scenes.tag_labels] for name, labels in EVIDENCE.items()}
        self._evidence = {name: labels for name, labels in known.items() if labels}
        self.support = self._supported(classifier.model.name if classifier else "")
        """Every category and style that can be scored here, with what it rests on, in words."""
        scored = {name for label in self.support for name in (label, *above(label))}
        self.unsupported = tuple(name for name in (*LEVELS, *CONTENT_TYPES) if name not in scored)
        """Categories and styles that nothing here can score, nor any category below them."""

    def _supported(self, classifier: str) -> Mapping[str, str]:
        found = dict.fromkeys(self._columns, classifier)
        for name, labels in self._evidence.items():
            found[name] = ", ".join(filter(None, [found.get(name, ""), *labels]))
        if ILLUSTRATED in self._scenes.tag_labels:
            found["Illustrated"] = ILLUSTRATED
        if self._vocabulary is not None:
            for name in (*PROMPTS, *STYLES):
                found[name] = ", ".join(filter(None, [found.get(name, ""), "open vocabulary"]))
        return {name: found[name] for name in (*LEVELS, *CONTENT_TYPES) if name in found}

    def look(self, image: Image, least: float) -> Verdicts:
        """Unsafe content with at least this confidence, and the style of the picture."""
        scores: dict[str, float] = {}
        if self._classifier is not None:
            read = self._classifier.read(image.pixels).scores[0]
            for name, columns in self._columns.items():
                scores[name] = float(self._classifier.confidences.of(read[columns].sum().clip(0, 1)))
        seen = self._scenes.tags(image)
        for name, labels in self._evidence.items():
            _raise(scores, name, max(seen[label] for label in labels))
        styles = {"Illustrated": seen[ILLUSTRATED]} if ILLUSTRATED in seen else {}
        if self._vocabulary is not None:
            asked = {prompt: name for name, prompt in (*PROMPTS.items(), *STYLES.items())}
            for prompt, confidence in self._vocabulary.scores(image, list(asked)).items():
                if prompt in asked:
                    _raise(styles if asked[prompt] in STYLES else scores, asked[prompt], confidence)
        for name, confidence in list(scores.items()):
            for parent in above(name):
                _raise(scores, parent, confidence)
        labels_found = tuple(
            Unsafe(name, (*above(name), "")[0], LEVELS[name][0], sure)
            for name, sure in sorted(scores.items(), key=lambda item: (-item[1], LEVELS[item[0]][0], item[0]))
            if sure >= least
        )
        return Verdicts(labels_found, tuple((name, sure) for name, sure in styles.items() if sure >= least))


def _raise(scores: dict[str, float], name: str, confidence: float) -> None:
    scores[name] = max(scores.get(name, 0.0), confidence)


def _columns(classes: tuple[str, ...]) -> dict[str, list[int]]:
    """Which classes speak for a category. Raises: PackError for one that is no category."""
    found: dict[str, list[int]] = {}
    for column, name in enumerate(classes):
        if name and name not in LEVELS:
            raise PackError(f"{name!r} in a moderation model's label map is no moderation label")
        if name:
            found.setdefault(name, []).append(column)
    return found
