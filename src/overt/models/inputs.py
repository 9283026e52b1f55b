# SPDX-License-Identifier: Apache-2.0
"""From a picture to the array a model was trained on, as its pack's manifest states it. Knows no model by name.

A manifest's `[models.input]` says: `shape`, `layout` (NCHW or NHWC), `dtype`, `colour` (RGB, BGR or grey), `mean` and
`std` (of values 0..255, in the model's colour order), and how a picture is fitted to the shape:
  fit = "stretch"      the whole picture, its sides scaled apart;
  fit = "letterbox"    the whole picture, its shape kept, the rest filled with `fill`, `place` = "centre" or "top-left";
  fit = "centre crop"  the short side becomes `resize` pixels, of which the middle is cut out;
  fit = "none"         whoever calls the model cuts the pixels to its size.
`resample` is bilinear, bicubic or area. With "stretch", `resize` = n makes n x n pixels, of which the middle is cut
out; `recode` = "jpeg" saves and reads the fitted picture once, for models that were trained on files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from overt.types import Floats, Pixels

Array = npt.NDArray[Any]

_FITS = ("none", "stretch", "letterbox", "centre crop")
_RESAMPLES = {"bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC, "area": cv2.INTER_AREA}
_CHANNELS = {"RGB": (0, 1, 2), "BGR": (2, 1, 0)}
_DTYPES = ("float32", "int32", "uint8")
_CHOICES = {
    "layout": ("NCHW", "NHWC"),
    "dtype": _DTYPES,
    "colour": ("RGB", "BGR", "grey"),
    "fit": _FITS,
    "place": ("centre", "top-left"),
    "resample": tuple(_RESAMPLES),
    "recode": ("", "jpeg"),
}
_DEFAULTS = {"fit": "none", "place": "centre", "resample": "bilinear", "recode": "", "dtype": "float32"}
_COARSE = 2
"""A picture more than this many times too large is first averaged down, or pixels between the samples would be lost."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a picture lies in a model's input: input pixel = picture pixel * scale + offset, for x and y."""

    scale: tuple[float, float]
    offset: tuple[float, float]
    size: tuple[int, int]  # of the picture: width, height

    def ratios(self, points: Floats) -> Floats:
        """Points (..., 2) x, y in input pixels as ratios of the picture, not clipped."""
        whole = np.asarray(self.scale, np.float32) * np.asarray(self.size, np.float32)
        return np.asarray((points - np.asarray(self.offset, np.float32)) / whole, np.float32)


@dataclass(frozen=True, slots=True)
class Input:
    """What `[models.input]` of a manifest states; see the module. shape: whole numbers, or names where it is free."""

    shape: tuple[int | str, ...]
    layout: str
    dtype: str
    colour: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    fit: str
    place: str
    fill: int
    resample: str
    resize: int | None
    recode: str

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Input:
        """Check a manifest's table. Raises: ValueError naming the key that is wrong."""
        words = {name: _choice(entry, name, choices) for name, choices in _CHOICES.items()}
        channels = 1 if words["colour"] == "grey" else 3
        resize, fill = entry.get("resize"), entry.get("fill", 0)
        if resize is not None and (not isinstance(resize, int) or not 0 < resize <= 4096):  # noqa: PLR2004
            raise ValueError(f"resize must be a number of pixels, not {resize!r}")
        if type(fill) not in (int, float) or not 0 <= fill <= 255:  # noqa: PLR2004 - a byte
            raise ValueError(f"fill must be 0..255, not {fill!r}")
        made = cls(
            shape=_shape(entry["shape"]),
            mean=_numbers(entry, "mean", channels),
            std=_numbers(entry, "std", channels),
            resize=resize,
            fill=round(fill),
            **words,
        )
        if 0 in made.std:
            raise ValueError("std must not be 0")
        return made

    @property
    def takes_pictures(self) -> bool:
        """Whether `prepare` works: the manifest says how a picture is fitted, and to which size."""
        return self.fit != "none" and all(isinstance(side, int) for side in self._sides)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels. Raises: ValueError when the manifest leaves them free."""
        height, width = self._sides
        if not isinstance(height, int) or not isinstance(width, int):
            raise ValueError("shape must give height and width as numbers")  # noqa: TRY004 - of a manifest's value
        return height, width

    @property
    def _sides(self) -> tuple[int | str, ...]:
        return self.shape[2:] if self.layout == "NCHW" else self.shape[1:3]

    def prepare(self, pixels: Pixels) -> tuple[Array, Placement]:
        """One picture as the model's input (1, ...), and where it lies in there."""
        height, width = self.size
        cuts = self.fit == "stretch" and self.resize
        fitted, placement = self._fit(pixels, (cuts, cuts) if cuts else (height, width))
        if self.recode == "jpeg":
            fitted = _recoded(fitted)
        if cuts:
            top, left = (fitted.shape[0] - height) // 2, (fitted.shape[1] - width) // 2
            fitted = fitted[top : top + height, left : left + width]
            x, y = placement.offset
            placement = Placement(placement.scale, (x - left, y - top), placement.size)
        return self.feed(fitted[None]), placement

    def feed(self, pictures: Pixels) -> Array:
        """Pictures of the model's own size, (n, h, w, 3) uint8 RGB, as its input: colour order, mean, std, layout."""
        if self.colour == "grey":
            grey = np.stack([cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in pictures])
            planes = [grey]
        else:
            planes = [pictures[..., channel] for channel in _CHANNELS[self.colour]]
        count, height, width = pictures.shape[:3]
        first = self.layout == "NCHW"
        shape = (count, len(planes), height, width) if first else (count, height, width, len(planes))
        made = np.empty(shape, self.dtype)
        for channel, (plane, mean, std) in enumerate(zip(planes, self.mean, self.std, strict=True)):
            there = made[:, channel] if first else made[..., channel]
            if mean == 0 and std == 1:
                there[...] = plane
            else:
                np.multiply(plane, np.float32(1 / std), out=there, dtype=np.float32, casting="unsafe")
                there -= np.asarray(mean / std, made.dtype)
        return made

    def _fit(self, pixels: Pixels, size: tuple[int, int]) -> tuple[Pixels, Placement]:
        height, width = pixels.shape[:2]
        if self.fit == "letterbox":
            return self._letterboxed(pixels, size)
        left = top = 0
        if self.fit == "centre crop":
            side = max(1, int(min(height, width) * min(1.0, max(size) / (self.resize or 1))))
            left, top = (width - side) // 2, (height - side) // 2
            pixels = pixels[top : top + side, left : left + side]
        scale = size[1] / pixels.shape[1], size[0] / pixels.shape[0]
        placement = Placement(scale, (-left * scale[0], -top * scale[1]), (width, height))
        return resized(pixels, size, self.resample), placement

    def _letterboxed(self, pixels: Pixels, size: tuple[int, int]) -> tuple[Pixels, Placement]:
        height, width = pixels.shape[:2]
        scale = min(size[0] / height, size[1] / width)
        inner = max(1, round(height * scale)), max(1, round(width * scale))
        top, left = ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2) if self.place == "centre" else (0, 0)
        framed = np.full((*size, 3), self.fill, np.uint8)
        framed[top : top + inner[0], left : left + inner[1]] = resized(pixels, inner, self.resample)
        return framed, Placement((inner[1] / width, inner[0] / height), (left, top), (width, height))


def resized(pixels: Pixels, size: tuple[int, int], resample: str = "bilinear") -> Pixels:
    """A picture at another height and width. Args: resample: bilinear, bicubic or area."""
    height, width = size
    coarse = min(pixels.shape[0], height * _COARSE), min(pixels.shape[1], width * _COARSE)
    if coarse != pixels.shape[:2]:
        pixels = np.asarray(cv2.resize(pixels, coarse[::-1], interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=_RESAMPLES[resample]), np.uint8)


def _recoded(pixels: Pixels) -> Pixels:
    encoded = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 75])[1]
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)[..., ::-1]


def _choice(entry: Mapping[str, Any], name: str, choices: tuple[str, ...]) -> str:
    value = entry.get(name, _DEFAULTS.get(name))
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(filter(None, choices))}, not {value!r}")
    return str(value)


def _shape(value: Any) -> tuple[int | str, ...]:
    fits = isinstance(value, list) and len(value) == 4  # noqa: PLR2004 - pictures, rows, columns, channels
    if not fits or not all(isinstance(side, str) or (type(side) is int and side > 0) for side in value):
        raise ValueError(f"shape must list four lengths, not {value!r}")
    return tuple(value)


def _numbers(entry: Mapping[str, Any], name: str, channels: int) -> tuple[float, ...]:
    values = entry[name]
    if not isinstance(values, list) or not all(type(value) in (int, float) for value in values):
        raise ValueError(f"{name} must be a list of numbers, not {values!r}")
    if len(values) != channels or not np.isfinite(values).all():
        raise ValueError(f"{name} must have {channels} finite numbers, not {values!r}")
    return tuple(float(value) for value in values)
