# SPDX-License-Identifier: Apache-2.0
"""Pictures with boxes and words on them, for people to look at. Knows the wire's boxes, no models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont, ImageOps

from overt.types import Pixels

GREEN, RED, GREY, INK = (22, 128, 60), (200, 30, 30), (110, 110, 110), (20, 20, 20)
BLUE, ORANGE, PURPLE, TEAL = (25, 90, 200), (190, 85, 0), (160, 30, 150), (0, 115, 120)
_PAPER = (245, 245, 245)
_SIDE, _MARGIN, _LINE = 320, 16, 26
_WORDS = 420  # width of the column of words


def framed(path: Path, box: Mapping[str, float] | None, colour: tuple[int, int, int]) -> Image.Image:
    """A photo, upright and fitted into a square, with one BoundingBox of the wire drawn in."""
    with Image.open(path) as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGB")
    picture.thumbnail((_SIDE, _SIDE))
    if box is not None:
        left, top = box["Left"] * picture.width, box["Top"] * picture.height
        corner = (left + box["Width"] * picture.width, top + box["Height"] * picture.height)
        ImageDraw.Draw(picture).rectangle(((left, top), corner), outline=colour, width=4)
    return ImageOps.pad(picture, (_SIDE, _SIDE), color=_PAPER)


def sheet(rows: Sequence[tuple[Sequence[Image.Image], Sequence[tuple[str, Any]]]]) -> Image.Image:
    """One picture of rows; a row is photos side by side and lines of (text, colour) beside them."""
    columns = max(len(photos) for photos, _ in rows)
    width = columns * (_SIDE + _MARGIN) + _WORDS + _MARGIN
    drawn = Image.new("RGB", (width, len(rows) * (_SIDE + _MARGIN) + _MARGIN), "white")
    pen, font = ImageDraw.Draw(drawn), ImageFont.load_default(size=20)
    for number, (photos, words) in enumerate(rows):
        top = _MARGIN + number * (_SIDE + _MARGIN)
        for column, photo in enumerate(photos):
            drawn.paste(photo, (_MARGIN + column * (_SIDE + _MARGIN), top))
        for at, (text, colour) in enumerate(words):
            pen.text((columns * (_SIDE + _MARGIN) + _MARGIN, top + at * _LINE), text, fill=colour, font=font)
    return drawn


# --- one picture with everything found in it ---

Ink = tuple[int, int, int]
Rectangle = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels."""
_SHORTER, _LONGER = 960, 1600
"""Sides of the drawn picture, pixels: smaller ones are enlarged so that captions fit, larger ones shrunk."""
_ROOM = 320  # what a narrow picture is padded to, so that captions fit
_SHY = 8  # heights of a caption below which captions leave what an outline is around to be seen
_SMALLEST_TYPE, _STRIP, _GAP, _PAD = 13, 44, 12, 4
_SHADE = 0.35  # of its light that a picture keeps below a subtitle


@dataclass(frozen=True, slots=True)
class Mark:
    """An outline with a caption. corners: of a polygon, (x, y) in ratios. brackets: draw a box's corners only."""

    corners: tuple[tuple[float, float], ...]
    caption: str
    ink: Ink
    brackets: bool = False

    @classmethod
    def of_box(cls, box: Mapping[str, float], caption: str, ink: Ink, *, brackets: bool = False) -> Mark:
        """A mark around a BoundingBox of the wire."""
        left, top = box["Left"], box["Top"]
        right, bottom = left + box["Width"], top + box["Height"]
        return cls(((left, top), (right, top), (right, bottom), (left, bottom)), caption, ink, brackets)


def annotated(
    pixels: Pixels, marks: Sequence[Mark], notes: Sequence[tuple[str, Ink]], colours: Sequence[tuple[Ink, float]]
) -> Image.Image:
    """A picture with marks, and below it notes in their inks and a strip of its colours, each as wide as its share.

    A caption that has no free place near its outline is left out, rather than drawn over another.
    """
    shown, offset, size = _fitted(pixels)
    draw(shown, marks, offset, size)
    height, width = shown.shape[:2]
    return Image.fromarray(np.concatenate([shown, *_footer(notes, colours, width, lettering(height, width))]))


def lettering(height: int, width: int) -> int:
    """Size of the type, in pixels, that suits a picture of so many."""
    return max(_SMALLEST_TYPE + 2, round(max(height, width) / 64))


def draw(
    shown: Pixels,
    marks: Sequence[Mark],
    offset: npt.NDArray[np.float64] | None = None,
    size: npt.NDArray[np.float64] | None = None,
) -> None:
    """Draw marks into a picture, in place. Args: offset, size: (x, y) of what their ratios are of; default: all."""
    height, width = shown.shape[:2]
    offset = np.zeros(2) if offset is None else offset
    size = np.array([width, height], np.float64) if size is None else size
    type_size = lettering(height, width)
    stroke = max(2, round(max(size) / 500))
    outlines = [np.asarray(mark.corners, np.float64).clip(0, 1) * size + offset for mark in marks]
    for mark, outline in zip(marks, outlines, strict=True):
        _outline(shown, outline, mark, stroke)
    taken: list[Rectangle] = []
    bounds = [_bounds(outline) for outline in outlines]
    for number in sorted(range(len(marks)), key=lambda at: -_area(bounds[at])):
        mark, around = marks[number], bounds[number]
        if mark.caption:
            letters = max(_SMALLEST_TYPE, min(type_size, round((around[3] - around[1]) * 0.6)))
            label = _label(mark.caption, mark.ink, letters, width)
            small = [other for other in bounds if other[3] - other[1] < _SHY * letters]
            shy = [other for other in small if other == around or not _holds(other, around)]
            place = _place(label.shape[1], label.shape[0], around, (width, height), taken, shy)
            if place is not None:
                left, top, right, bottom = place
                shown[top:bottom, left:right] = label
                taken.append(place)


def subtitle(shown: Pixels, lines: Sequence[tuple[str, Ink]]) -> None:
    """Write lines on a darkened strip at the bottom of a picture, in place; words that find no room are left out."""
    height, width = shown.shape[:2]
    type_size = lettering(height, width)
    step = round(type_size * 1.5)
    fitting = [(part, ink) for text, ink in lines for part in _wrapped(text, type_size, width - 2 * _GAP)[:2]]
    top = height - len(fitting) * step - _GAP
    if not fitting or top < height // 2:
        return
    strip = shown[top:]
    strip[:] = (strip * np.float32(_SHADE)).astype(np.uint8)
    for number, (line, ink) in enumerate(fitting):
        _write(strip, line, (_GAP, _GAP // 2 + number * step + type_size), ink, type_size)


def _fitted(pixels: Pixels) -> tuple[Pixels, npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The picture at a good size, padded where it is narrow; where in it the picture begins, and its size (x, y)."""
    height, width = pixels.shape[:2]
    longest = max(height, width)
    ratio = min(max(longest, _SHORTER), _LONGER) / longest
    size = max(1, round(width * ratio)), max(1, round(height * ratio))
    resized = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if ratio < 1 else cv2.INTER_CUBIC)
    room = max(size[0], _ROOM), max(size[1], _ROOM)
    left, top = (room[0] - size[0]) // 2, (room[1] - size[1]) // 2
    canvas = np.full((room[1], room[0], 3), _PAPER, np.uint8)
    canvas[top : top + size[1], left : left + size[0]] = resized
    return canvas, np.array([left, top], np.float64), np.array(size, np.float64)


def _outline(shown: Pixels, outline: npt.NDArray[np.float64], mark: Mark, stroke: int) -> None:
    """Draw an outline, light around it so that it stands out from a picture of its own colour."""
    closed = np.concatenate([outline, outline[:1]])
    if mark.brackets:
        closed = closed + np.sign(closed - outline.mean(0)) * stroke * 1.5  # outside a whole outline of the same box
        arm = min(np.ptp(outline, 0).min() * 0.25, 40.0)
        lines = []
        for one, other in pairwise(closed):
            step = (other - one) / max(float(np.linalg.norm(other - one)), 1.0) * arm
            lines += [np.stack([one, one + step]), np.stack([other - step, other])]
    else:
        lines = [closed]
    drawn = [np.rint(line).astype(np.int32) for line in lines]
    cv2.polylines(shown, drawn, isClosed=False, color=_PAPER, thickness=stroke + 2, lineType=cv2.LINE_AA)
    cv2.polylines(shown, drawn, isClosed=False, color=mark.ink, thickness=stroke, lineType=cv2.LINE_AA)


def _label(text: str, ink: Ink, type_size: int, most: int) -> Pixels:
    """White words on a filled rectangle, at most so wide; words that are too long end in dots."""
    room = most - 2 * _PAD
    if _width(text, type_size) > room:
        while text and _width(f"{text}...", type_size) > room:
            text = text[:-1]
        text += "..."
    label = np.full((round(type_size * 1.3) + 2, min(_width(text, type_size) + 2 * _PAD, most), 3), ink, np.uint8)
    _write(label, text, (_PAD, round(type_size * 1.05)), (255, 255, 255), type_size)
    return label


def _place(
    width: int,
    height: int,
    around: Rectangle,
    room: tuple[int, int],
    taken: Sequence[Rectangle],
    shy: Sequence[Rectangle],
) -> Rectangle | None:
    """A free place for a caption above, below, beside or inside its outline.

    Args: around: the outline's bounds. taken: places of other captions. shy: what to hide as little of as possible.
    """
    left, top, right, bottom = around
    places = [(x, y) for y in (top - height, bottom) for x in (left, right - width, (left + right - width) // 2)]
    places += [(right, top), (left - width, top)]
    places += [(x, y) for y in (top, bottom - height, (top + bottom - height) // 2) for x in (left, right - width)]
    free: list[Rectangle] = []
    for x, y in places:
        x0, y0 = min(max(x, 0), room[0] - width), min(max(y, 0), room[1] - height)
        place = (x0, y0, x0 + width, y0 + height)
        if min(x0, y0) >= 0 and not any(_shared(place, other) for other in taken):
            free.append(place)
    return min(free, key=lambda place: sum(_shared(place, other) for other in shy), default=None)


def _bounds(outline: npt.NDArray[np.float64]) -> Rectangle:
    left, top, right, bottom = np.rint([*outline.min(0), *outline.max(0)]).astype(int).tolist()
    return left, top, right, bottom


def _area(one: Rectangle) -> int:
    return (one[2] - one[0]) * (one[3] - one[1])


def _shared(one: Rectangle, other: Rectangle) -> int:
    """Pixels that lie in both."""
    width, height = min(one[2], other[2]) - max(one[0], other[0]), min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0) * max(height, 0)


def _holds(outer: Rectangle, inner: Rectangle) -> bool:
    return _shared(outer, inner) == _area(inner)


def _footer(
    notes: Sequence[tuple[str, Ink]], colours: Sequence[tuple[Ink, float]], width: int, type_size: int
) -> list[Pixels]:
    """Strips below the picture: lines of notes, and the colours."""
    lines = [(line, ink) for text, ink in notes for line in _wrapped(text, type_size, width - 2 * _GAP)]
    step = round(type_size * 1.5)
    strips = []
    if lines:
        block = np.full((len(lines) * step + 2 * _GAP, width, 3), 255, np.uint8)
        for number, (line, ink) in enumerate(lines):
            _write(block, line, (_GAP, _GAP + number * step + type_size), ink, type_size)
        strips.append(block)
    total = sum(share for _, share in colours)
    if total > 0:
        strip = np.full((_STRIP, width, 3), 255, np.uint8)
        edges = np.rint(np.cumsum([0.0, *(share for _, share in colours)]) / total * width).astype(int)
        for (ink, _), left, right in zip(colours, edges[:-1], edges[1:], strict=True):
            strip[:, left:right] = ink
            name, size = "#{:02x}{:02x}{:02x}".format(*ink), _SMALLEST_TYPE + 2
            if _width(name, size) + 2 * _PAD <= right - left:
                _write(strip, name, (int(left) + _PAD, _STRIP - _GAP), _readable_on(ink), size)
        strips.append(strip)
    return strips


def _wrapped(text: str, type_size: int, most: int) -> list[str]:
    """Lines of whole words, each at most so wide where its words allow that."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _width(longer, type_size) <= most:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _readable_on(ink: Ink) -> Ink:
    """Black or white. Source: luma of ITU-R BT.601."""
    light = 0.299 * ink[0] + 0.587 * ink[1] + 0.114 * ink[2]
    return (0, 0, 0) if light > 140 else (255, 255, 255)  # noqa: PLR2004 - a little above the middle


@cache
def _font() -> cv2.FontFace:
    """The one of OpenCV's own fonts that has Latin, Greek, Cyrillic, Chinese, Japanese and Korean letters."""
    return cv2.FontFace("uni")


def _width(text: str, type_size: int) -> int:
    return int(cv2.getTextSize((0, 0), text, (0, 0), _font(), type_size)[2])


def _write(onto: Pixels, text: str, at: tuple[int, int], ink: Ink, type_size: int) -> None:
    """Args: at: where the line of writing begins, left."""
    cv2.putText(onto, text, at, ink, _font(), type_size)
