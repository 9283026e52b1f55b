# SPDX-License-Identifier: Apache-2.0
"""Scores a picture, or parts of it, against a label map. Knows no hierarchy of labels, and not which parts matter.

decoder = "classes": one row of scores a picture, in the order of `classes`; the manifest's [models.output] says with
`activation` what they are: "softmax" or "sigmoid" of logits, or "none" for probabilities. A second output, if there is
one, is the picture's embedding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from overt.models.calibration import Confidences
from overt.models.inputs import Array, resized
from overt.models.pack import PackError
from overt.models.session import Session
from overt.types import Floats, Pixels


@dataclass(frozen=True, slots=True)
class Read:
    """What a classifier gives for n parts: scores (n, classes), raw, 0..1; embedding (n, d), or None."""

    scores: Floats
    embedding: Floats | None


class Classifier:
    """Reads pictures or parts of them. Thread-safe.

    Args: session: a model with decoder `classes`. Raises: PackError when its manifest lacks what is needed.
    """

    def __init__(self, session: Session) -> None:
        model = session.model
        activation = model.output.get("activation")
        if model.input is None or not model.input.takes_pictures or not any(model.classes):
            raise PackError(f"{model.name}: a classifier needs [models.input] with fit and size, and classes")
        if activation not in _ACTIVATIONS:
            raise PackError(f"{model.name}: activation must be one of {', '.join(_ACTIVATIONS)}, not {activation!r}")
        self._session, self._input, self._activation = session, model.input, activation
        self.classes = model.classes
        self.confidences: Confidences = model.confidences

    @property
    def labels(self) -> frozenset[str]:
        """Every label it can give."""
        return frozenset(filter(None, self.classes))

    def read(self, pixels: Pixels) -> Read:
        """One picture, fitted as the manifest says. Raises: PackError when the outputs are not the decoder's."""
        return self._run(self._input.prepare(pixels)[0])

    def read_parts(self, parts: Sequence[Pixels]) -> Read:
        """Cut-outs of any size, each stretched to the model's input. Raises: PackError."""
        fitted = [resized(part, self._input.size, self._input.resample) for part in parts]
        return self._run(self._input.feed(np.stack(fitted)))

    def _run(self, data: Array) -> Read:
        scores, embeddings = [], []
        for row in data:  # singly: a CPU gains nothing from a batch, and not every model takes one
            outputs = [value for value in self._session.run(row[None]).values() if value.ndim == 2]  # noqa: PLR2004
            found = next((value for value in outputs if value.shape[1] == len(self.classes)), None)
            if found is None:
                model = self._session.model
                raise PackError(f"{model.name}: no output has the {len(self.classes)} classes of its label map")
            scores.append(found[0])
            embeddings += [value[0] for value in outputs if value is not found][:1]
        stacked = np.stack(scores).astype(np.float32)
        return Read(_ACTIVATIONS[self._activation](stacked), np.stack(embeddings) if embeddings else None)


def _softmax(logits: Floats) -> Floats:
    weights = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(weights / weights.sum(1, keepdims=True), np.float32)


def _sigmoid(logits: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-logits)), np.float32)


def _as_they_are(scores: Floats) -> Floats:
    return scores


_ACTIVATIONS = {"softmax": _softmax, "sigmoid": _sigmoid, "none": _as_they_are}
