# SPDX-License-Identifier: Apache-2.0
"""Compares pictures with words nobody trained for, by two encoders that share a space. Knows no label and no category.

How sure a text is rests on the cosine of picture and text, times the model's `logit_scale`: with `activation` =
"softmax" (CLIP) against the surest of the `neutral` texts, with "sigmoid" (SigLIP) against its `logit_bias`. Both stand
in [models.output] of the image encoder, `template` too; the text encoder's says how many `tokens` it takes, which id
fills them up (`pad`), and its [models.files] names its `tokenizer`, a tokenizer.json.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from overt.models.pack import PackError
from overt.models.session import Session
from overt.types import Floats, Image

_KEPT = 4096
"""Texts whose vectors are kept: 8 MB at 512 numbers each."""
_NEUTRAL = ("something", "a picture", "nothing in particular")
EXTRA = 'pip install "overt[open-vocabulary]"'


class Vocabulary:
    """Free-text labels. Thread-safe.

    Args: image, text: sessions of the two encoders. free_labels: texts that every picture is compared with.
    Raises: PackError when the manifests lack what is needed, or the tokenizer cannot be read.
    """

    def __init__(self, image: Session, text: Session, free_labels: Iterable[str] = ()) -> None:
        output = image.model.output
        if image.model.input is None or not image.model.input.takes_pictures:
            raise PackError(f"{image.model.name}: an image encoder needs [models.input] with fit and size")
        self._image, self._text, self._input = image, text, image.model.input
        self._activation = str(output.get("activation", "softmax"))
        if self._activation not in {"softmax", "sigmoid"}:
            raise PackError(f"{image.model.name}: activation must be softmax or sigmoid, not {self._activation!r}")
        self._scale = _number(image, "logit_scale")
        self._bias = _number(image, "logit_bias") if self._activation == "sigmoid" else 0.0
        self._template = str(output.get("template", "a photo of {}"))
        self._neutral = tuple(map(str, output.get("neutral", _NEUTRAL)))
        self._tokens, self._pad = int(_number(text, "tokens")), int(text.model.output.get("pad", 0))
        self._tokenizer = _tokenizer(text)
        self._free_labels = tuple(free_labels)
        self._vectors: dict[str, Floats] = {}
        self._lock = threading.Lock()

    def scores(self, image: Image, texts: Sequence[str] = ()) -> dict[str, float]:
        """How surely a picture shows each text, and each of the free labels, 0..1. Raises: PackError."""
        wanted = list(dict.fromkeys((*texts, *self._free_labels)))
        if not wanted:
            return {}
        picture = self.embed(image)
        logits = self._scale * np.array([float(self._vector(text) @ picture) for text in wanted])
        if self._activation == "sigmoid":
            raw = 1 / (1 + np.exp(-(logits + self._bias)))
        else:
            neutral = self._scale * max(float(self._vector(text) @ picture) for text in self._neutral)
            raw = 1 / (1 + np.exp(neutral - logits))
        confidences = self._image.model.confidences.of(raw.astype(np.float32))
        return dict(zip(wanted, confidences.tolist(), strict=True))

    def embed(self, image: Image) -> Floats:
        """A picture as a unit vector, (d,) float32. Raises: PackError."""
        return _unit(self._image, self._image.run(self._input.prepare(image.pixels)[0]))

    def _vector(self, text: str) -> Floats:
        """A text as a unit vector, worked out once."""
        with self._lock:
            known = self._vectors.get(text)
        if known is not None:
            return known
        made = self._embed_text(text if text in self._neutral else self._template.format(text))
        with self._lock:
            if len(self._vectors) >= _KEPT:
                self._vectors.clear()
            self._vectors[text] = made
        return made

    def _embed_text(self, text: str) -> Floats:
        ids = self._tokenizer.encode(text).ids
        if len(ids) > self._tokens:  # keep the mark that ends a text, which encoders read their answer from
            ids = [*ids[: self._tokens - 1], ids[-1]]
        padded = np.full((1, self._tokens), self._pad, np.int64)
        padded[0, : len(ids)] = ids
        mask = (np.arange(self._tokens) < len(ids)).astype(np.int64)[None]
        return _unit(self._text, self._text.run_tokens(padded, mask))


def _unit(session: Session, outputs: dict[str, Any]) -> Floats:
    """The first output of one row as a unit vector."""
    rows = next((value for value in outputs.values() if value.ndim == 2 and len(value) == 1), None)  # noqa: PLR2004
    if rows is None:
        raise PackError(f"{session.model.name}: no output is one vector a picture or text")
    vector = np.asarray(rows[0], np.float32)
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float32)


def _number(session: Session, name: str) -> float:
    value = session.model.output.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PackError(f"{session.model.name}: [models.output] needs the number {name}")
    return float(value)


def _tokenizer(session: Session) -> Any:
    file = session.model.files.get("tokenizer")
    if file is None:
        raise PackError(f"{session.model.name}: [models.files] must name a tokenizer")
    try:
        from tokenizers import Tokenizer  # noqa: PLC0415 - an extra, for those who install encoders
    except ImportError:
        raise PackError(f"{session.model.name}: free-text labels need the tokenizers package: {EXTRA}") from None
    try:
        return Tokenizer.from_file(str(file))
    except Exception as error:  # its errors have no common base but this one
        raise PackError(f"{session.model.name}: {file.name} is no tokenizer.json") from error
