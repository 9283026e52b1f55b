# SPDX-License-Identifier: Apache-2.0
"""Reads the text in a picture: where its lines are, then what they say. Pixels in, lines and words out; no language.

One network marks the pixels of text, each marked patch is boxed and the box grown; a second one reads what the box
holds, cut out level. Both are PP-OCRv6 "small" as rapidocr 3.10 ships them, with the thresholds it uses. The steps
around them are written here because that library boxes the lowest thousand patches of a page, where reading must begin
at the top and stop; scales every picture up; gives a word the confidence of one letter; breaks words at wide letters;
and can download. Source: M. Liao et al., "Real-time scene text detection with differentiable binarization" (AAAI 2020);
A. Graves et al., "Connectionist temporal classification" (ICML 2006), decoded greedily.

Rather than boxes, the marks of overlapping tiles are put together, so that no line is cut at the edge of a tile.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from overt.models.pack import Model, PackError
from overt.models.session import Session
from overt.models.tasks.detect import shrink
from overt.types import Floats, Image, Pixels, Text

SCRIPTS: tuple[str, ...] = ("Latin", "Chinese", "Japanese")
"""What the default recogniser reads: some 45 languages in Latin letters, simplified and traditional Chinese, Japanese.

Not Vietnamese, whose letters it lacks; not Arabic, Cyrillic, Devanagari, Hebrew, Korean, Tamil, Telugu, Thai or other
scripts, nor running text in Greek, of which it has single letters only: such lines are left out, or come back as
look-alike letters and points, mostly with low confidence.
"""
LIMIT = 100
"""Most words read in one picture. Source: Rekognition's DetectText."""
FIRST, FINEST = 960, 1920
"""Long sides at which a picture is looked at, in pixels; a picture is never enlarged."""
_GAIN, _SMALL, _LARGE = 1.25, 14.0, 32.0
"""The second look is taken where it shows _GAIN times more pixels a side, or more, and the first found a patch thinner
than _SMALL pixels. Patches thicker than _LARGE are the first look's: finely, large letters fall apart."""
_TILE, _SHARED, _STEP = 960, 64, 32
"""Largest side that the detector is fed, in pixels; how much neighbours share; and what sides are multiples of."""
_MARKED, _SURE, _GROWTH = 0.3, 0.5, 1.6
"""Least mark of a pixel of text, least mean mark of a patch, and growth by area over perimeter, as marks are shrunk."""
_THINNEST, _PATCHES = 3.0, 5000
"""Pixels of the thinnest patch, and the most patches looked at in one picture, topmost first."""
_TALL, _LETTER = 1.5, 2.5
"""Height over width from which a box holds text that runs downwards or upwards, and up to which perhaps one letter."""
_HEIGHT, _NARROWEST, _WIDEST = 48, 160, 3200
"""Height of what the recogniser is fed, and bounds of its width, pixels. Narrower crops are filled up with its mean: at
160 our pictures are read as well as at the 320 of the library, for a tenth less time; unfilled, a label is misread.
"""
_BUDGET = 320
"""Pixels of such width that may be read for each word allowed, so that time is bounded where words are long or none."""
_READ, _CERTAIN = 0.5, 0.9
"""Least confidence of a line; and that from which it is not tried turned otherwise."""
_ANGLE_WIDTH = 192
"""Pixels; longer crops are squeezed into them."""
_CHANNELS = {"RGB": (0, 1, 2), "BGR": (2, 1, 0)}
_EARLY = 0.25
"""A column's letter lies so many columns behind its left edge: measured on some 600 drawn letters."""
_ALIGNED = 0.8
"""Directions whose mean is longer than this agree, so that lines are ordered along them."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """Letters, how sure of each (0..1), and the middle of each (0..1 along the crop)."""

    letters: str
    scores: Floats
    middles: Floats

    def confidence(self, start: int = 0, end: int | None = None) -> float:
        """The mean over letters that are no spaces; 0 without any."""
        kept = [at for at in range(len(self.letters))[start:end] if not self.letters[at].isspace()]
        return float(self.scores[kept].mean()) if kept else 0.0

    def words(self) -> Iterator[tuple[int, int, float, float]]:
        """First letter, letter behind the last, and where the word begins and ends, 0..1 along the crop."""
        pitch = float(np.ptp(self.middles)) / (len(self.letters) - 1) if len(self.letters) > 1 else 1.0
        for word in re.finditer(r"\S+", self.letters):
            start, end = word.span()
            left, right = float(self.middles[start]) - pitch / 2, float(self.middles[end - 1]) + pitch / 2
            yield start, end, max(left, 0.0), min(right, 1.0)


class _Recogniser:
    """The second network, and the alphabet that its scores are of.

    Args: session: whose file holds the alphabet under `character`, or whose manifest names it as `dictionary`.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._alphabet: tuple[str, ...] = ()

    def load(self) -> None:
        """Load the model and its alphabet, unless done. Raises: PackError also where no alphabet is given."""
        self._session.load()
        if self._alphabet:
            return
        model = self._session.model
        listed, dictionary = self._session.metadata.get("character"), model.files.get("dictionary")
        if listed is None and dictionary is not None:
            try:
                listed = dictionary.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                msg = f"{model.name}: the dictionary {dictionary.name} cannot be read"
                raise PackError(msg) from error
        if listed is None:
            msg = f"{model.name}: {model.path.name} holds no alphabet, and its manifest names no dictionary"
            raise PackError(msg)
        self._alphabet = ("", *listed.splitlines(), " ")

    def read(self, crop: Pixels) -> _Reading:
        """Read a level crop, 48 pixels high. Raises: PackError."""
        self.load()
        model = self._session.model
        data = _feed(model, crop, _HEIGHT, max(crop.shape[1], _NARROWEST))
        (scores,) = self._session.run(data).values()
        if scores.shape[2] != len(self._alphabet):
            msg = f"{model.name}: it scores {scores.shape[2]} letters, its alphabet has {len(self._alphabet)}"
            raise PackError(msg)
        best = scores[0].argmax(1)
        fresh = np.flatnonzero((best > 0) & (np.r_[0, best[:-1]] != best))
        middles = (fresh + _EARLY) * (data.shape[3] / len(best) / crop.shape[1])
        return _Reading(
            "".join(self._alphabet[letter] for letter in best[fresh]),
            np.asarray(scores[0, fresh, best[fresh]], np.float32),
            np.asarray(middles.clip(0, 1), np.float32),
        )


class TextReader:
    """Reads pictures. Thread-safe; models are loaded when first needed and shared by all threads.

    Args: detector: marks text. recogniser: reads crops. angle: tells crops that stand on their head; without it such
    text is misread. Colours, mean and deviation of the models' inputs are their manifests'; crops are 48 pixels high
    for all models.
    """

    def __init__(self, detector: Session, recogniser: Session, angle: Session | None = None) -> None:
        self._detector = detector
        self._recogniser = _Recogniser(recogniser)
        self._angle = angle

    def read(
        self, image: Image, limit: int = LIMIT, where: Callable[[Floats], bool] | None = None
    ) -> tuple[tuple[Text, ...], tuple[Text, ...]]:
        """The lines of a picture and their words, each in reading order: from the top, then from the left.

        Text may lean by any angle; then the order is that of the text, if all of it leans alike. A word is what stands
        between spaces, so a line of Chinese or Japanese is one word.
        Args: limit: most words, 1 or more. A line is cut behind the last word there is room for. where: asked of the
        corners (4, 2) of each line found, in ratios, whether to read it; lines passed over take no room.
        Returns: lines, words; a word's `line` is its line's place. Raises: PackError on the first call.
        """
        found: list[tuple[_Reading, Floats]] = []
        room, budget = limit, limit * _BUDGET
        boxes = self._find(image.pixels)
        if where is not None:
            boxes = boxes[np.array([where(corners) for corners in _ratios(boxes, image)], bool)]
        for at in _order(boxes, _axes(boxes), 2):
            if room <= 0 or budget <= 0:
                break
            reading, box, cost = self._read(image.pixels, boxes[at])
            budget -= cost
            if reading.confidence() >= _READ:
                found.append((reading, box))
                room -= len(reading.letters.split())
        boxes = np.array([box for _, box in found], np.float32).reshape(-1, 4, 2)
        return _texts([found[at] for at in _order(boxes, boxes[:, 1] - boxes[:, 0], 1)], image, limit)

    def _find(self, pixels: Pixels) -> Floats:
        """(n, 4, 2) boxes of lines, in pixels, clockwise from the corner whose edge leads most to the right."""
        patches = self._patches(pixels, FIRST)
        longest = max(pixels.shape[:2])
        unit = max(1.0, longest / FIRST)
        if longest > FIRST * _GAIN and (patches[:, 2:4].min(1) < _SMALL * unit).any():
            fine = self._patches(pixels, FINEST)
            large, small = patches[:, 2:4].min(1) > _LARGE * unit, fine[:, 2:4].min(1) <= _LARGE * unit
            patches = np.concatenate([patches[large], fine[small & ~_inside(fine, patches[large])]])
        boxes = np.array([_box(patch, _GROWTH) for patch in patches], np.float32)
        return boxes.reshape(-1, 4, 2)

    def _patches(self, pixels: Pixels, size: int) -> Floats:
        """(n, 5) leaning rectangles around marked pixels: middle x, y, width, height in pixels, degrees clockwise."""
        small, scale = shrink(pixels, size)
        marks = self._marks(small)
        mask = cv2.dilate((marks > _MARKED).astype(np.uint8), np.ones((2, 2), np.uint8))
        contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
        patches = []
        for contour in sorted(contours, key=lambda contour: int(contour[0, 0, 1]))[:_PATCHES]:
            (x, y), (width, height), angle = cv2.minAreaRect(contour)
            patch = np.array([x, y, width, height, angle], np.float32)
            if min(width, height) >= _THINNEST and _mean(marks, _box(patch, 0.0)) >= _SURE:
                patches.append(patch * [1 / scale, 1 / scale, 1 / scale, 1 / scale, 1])
        return np.array(patches, np.float32).reshape(-1, 5)

    def _marks(self, pixels: Pixels) -> Floats:
        """(h, w) how surely each pixel belongs to text, 0..1."""
        height, width = pixels.shape[:2]
        marks = np.zeros((height, width), np.float32)
        for top, bottom, first, last in _tiles(height):
            for left, right, start, end in _tiles(width):
                tile = pixels[top:bottom, left:right]
                rows, columns = (-(-side // _STEP) * _STEP for side in tile.shape[:2])
                (found,) = self._detector.run(_feed(self._detector.model, tile, rows, columns)).values()
                marks[first:last, start:end] = found[0, 0, first - top : last - top, start - left : end - left]
        return marks

    def _read(self, pixels: Pixels, box: Floats) -> tuple[_Reading, Floats, int]:
        """The surest reading of a box, its corners as it is read, and the pixels of width that this took."""
        width, height = np.linalg.norm(box[[1, 3]] - box[0], axis=1)
        tall = height > width * _TALL
        turned = np.roll(box, -1 if tall else 0, 0)
        crop = _crop(pixels, turned)
        tries = [turned, np.roll(turned, 2, 0)]
        flipped = self._flipped(crop)
        tries = tries[::-1] if flipped > _CERTAIN else tries[: 2 if flipped > 0.5 else 1]  # noqa: PLR2004 - even odds
        if tall and height < width * _LETTER:
            tries.insert(0, box)
        readings, cost = [], 0
        for corners in tries:
            crop = _crop(pixels, corners)
            cost += max(crop.shape[1], _NARROWEST)
            readings.append((self._recogniser.read(crop), corners))
            if readings[-1][0].confidence() >= _CERTAIN:
                break
        reading, corners = max(readings, key=lambda pair: pair[0].confidence())
        return reading, corners, cost

    def _flipped(self, crop: Pixels) -> float:
        """How surely a crop stands on its head, 0..1."""
        if self._angle is None:
            return 0.0
        if crop.shape[1] > _ANGLE_WIDTH:
            crop = np.asarray(cv2.resize(crop, (_ANGLE_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)
        (scores,) = self._angle.run(_feed(self._angle.model, crop, _HEIGHT, _ANGLE_WIDTH)).values()
        return float(scores[0, 1])


def _texts(found: list[tuple[_Reading, Floats]], image: Image, limit: int) -> tuple[tuple[Text, ...], tuple[Text, ...]]:
    """Readings and their boxes in pixels as lines and words."""
    lines: list[Text] = []
    words: list[Text] = []
    for reading, box in found:
        spans = list(reading.words())
        kept = spans[: limit - len(words)]
        if not kept:
            break
        for start, end, left, right in kept:
            corners = _ratios(_part(box, left, right), image)
            words.append(Text(reading.letters[start:end], reading.confidence(start, end), corners, len(lines)))
        text = " ".join(reading.letters[start:end] for start, end, _, _ in kept)
        whole = box if len(kept) == len(spans) else _part(box, 0.0, kept[-1][3])
        lines.append(Text(text, reading.confidence(0, kept[-1][1]), _ratios(whole, image)))
    return tuple(lines), tuple(words)


def _ratios(boxes: Floats, image: Image) -> Floats:
    """Corners in pixels as ratios of the picture, none outside it."""
    return np.asarray((boxes / np.array([image.width, image.height], np.float32)).clip(0, 1), np.float32)


def _part(box: Floats, left: float, right: float) -> Floats:
    """The part of a box from `left` to `right`, 0..1 along its upper and lower edges."""
    along = np.array([left, right, right, left], np.float32)[:, None]
    return np.asarray(box[[0, 0, 3, 3]] * (1 - along) + box[[1, 1, 2, 2]] * along, np.float32)


def _box(patch: Floats, growth: float) -> Floats:
    """(4, 2) corners of a patch (5,), clockwise from the corner whose edge leads most to the right."""
    x, y, width, height, angle = (float(value) for value in patch)
    more = growth * width * height / (width + height)
    corners = cv2.boxPoints(((x, y), (width + more, height + more), angle))
    edges = np.roll(corners, -1, 0) - corners
    return np.asarray(np.roll(corners, -int(np.argmax(edges[:, 0] / np.linalg.norm(edges, axis=1))), 0), np.float32)


def _inside(fine: Floats, large: Floats) -> np.ndarray:
    """(n,) whether the middle of each patch of `fine` (n, 5) lies in one of `large` (m, 5)."""
    inside = np.zeros(len(fine), bool)
    for x, y, width, height, angle in large:
        cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        across, down = fine[:, 0] - x, fine[:, 1] - y
        inside |= (abs(across * cos + down * sin) < width / 2) & (abs(down * cos - across * sin) < height / 2)
    return inside


def _axes(boxes: Floats) -> Floats:
    """(n, 2) the longer edge of each box."""
    edges = boxes[:, [1, 3]] - boxes[:, :1]
    return np.asarray(edges[np.arange(len(boxes)), np.linalg.norm(edges, axis=2).argmax(1)], np.float32)


def _order(boxes: Floats, along: Floats, symmetry: int) -> list[int]:
    """The reading order of boxes (n, 4, 2): rows from the top, each from the left.

    Top and left are those of the text, if the boxes' directions, `along` (n, 2), agree; else of the picture.
    Args: symmetry: 2 when a direction may be meant backwards too, else 1.
    """
    if not len(boxes):
        return []
    directions = along @ np.array([1, 1j])
    mean = (np.abs(directions) ** (1 - symmetry) * directions**symmetry).sum() / np.abs(directions).sum()
    tilt = np.angle(mean) / symmetry if abs(mean) > _ALIGNED else 0.0
    middles = boxes.mean(1) @ np.array([1, 1j]) * np.exp(-1j * tilt)
    thickness = np.linalg.norm(boxes[:, [1, 3]] - boxes[:, :1], axis=2).min(1)
    rows: list[list[int]] = []
    for at in np.argsort(middles.imag, kind="stable").tolist():
        last = rows[-1][-1] if rows else at
        if rows and middles[at].imag - middles[last].imag < min(thickness[at], thickness[last]) / 2:
            rows[-1].append(at)
        else:
            rows.append([at])
    return [at for row in rows for at in sorted(row, key=lambda at: float(middles[at].real))]


def _mean(marks: Floats, box: Floats) -> float:
    """The mean mark inside a box."""
    height, width = marks.shape
    left, top = np.floor(box.min(0)).astype(int).clip(0, [width - 1, height - 1])
    right, bottom = np.ceil(box.max(0)).astype(int).clip(0, [width - 1, height - 1]) + 1
    mask = np.zeros((bottom - top, right - left), np.uint8)
    cv2.fillConvexPoly(mask, (box - [left, top]).astype(np.int32), (1,))
    return float(cv2.mean(marks[top:bottom, left:right], mask)[0])


def _crop(pixels: Pixels, box: Floats) -> Pixels:
    """A box cut out level, 48 pixels high; from a shrunk copy where it is much higher, so that no pixel is skipped."""
    height, width = pixels.shape[:2]
    left, top = np.floor(box.min(0)).astype(int).clip(0, [width - 1, height - 1])
    right, bottom = np.ceil(box.max(0)).astype(int).clip(1, [width, height])
    part = pixels[top : max(bottom, top + 1), left : max(right, left + 1)]
    across, down = (float(length) for length in np.linalg.norm(box[[1, 3]] - box[0], axis=1))
    small, scale = shrink(part, max(2, round(max(part.shape[:2]) * min(1.0, 1.5 * _HEIGHT / down))))
    columns = int(np.clip(np.ceil(_HEIGHT * across / down), _HEIGHT // 3, _WIDEST))
    corners = ((box - [left, top]) * scale)[[0, 1, 3]].astype(np.float32)
    matrix = cv2.getAffineTransform(corners, np.array([[0, 0], [columns, 0], [0, _HEIGHT]], np.float32))
    return np.asarray(cv2.warpAffine(small, matrix, (columns, _HEIGHT), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _feed(model: Model, pixels: Pixels, height: int, width: int) -> Floats:
    """(1, 3, height, width) with the pixels in the upper left, as the model takes them, and its mean beside them.

    Raises: PackError when the manifest does not say how, or a way that is not known here.
    """
    taken = model.input
    if taken is None or taken.colour not in _CHANNELS or taken.layout != "NCHW":
        msg = f"{model.name}: the manifest must say that it takes RGB or BGR, NCHW"
        raise PackError(msg)
    data = np.zeros((1, 3, height, width), np.float32)
    part = data[0, :, : pixels.shape[0], : pixels.shape[1]]
    for channel in range(3):
        part[channel] = pixels[:, :, _CHANNELS[taken.colour][channel]]
        part[channel] -= np.float32(taken.mean[channel])
        part[channel] *= np.float32(1 / taken.std[channel])
    return data


def _tiles(length: int) -> Iterator[tuple[int, int, int, int]]:
    """Spans that cover 0..length, neighbours sharing _SHARED or more; of each, begin, end, and the part to use."""
    count = max(1, -(-(length - _SHARED) // (_TILE - _SHARED)))
    span = min(length, -(-(length + (count - 1) * _SHARED) // count))
    begins = [round(at * (length - span) / max(1, count - 1)) for at in range(count)]
    cuts = [0, *((begin + span + following) // 2 for begin, following in itertools.pairwise(begins)), length]
    for at, begin in enumerate(begins):
        yield begin, begin + span, cuts[at], cuts[at + 1]
