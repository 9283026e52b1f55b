# SPDX-License-Identifier: Apache-2.0
"""Draws things on a face: masks worn rightly or below the nose, and what is no mask. Knows the face's mesh and no model.

Everything takes pixels (h, w, 3) uint8 RGB, the face's 468 points in pixels and a random generator, and returns new pixels.
"""

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.floating]
Random = np.random.Generator

JAW = (93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323)
"""Points of the mesh from the subject's right ear along the chin to the left ear."""
RIGHT_CHEEK, LEFT_CHEEK, UNDER_NOSE, BRIDGE, TIP, CHIN, LIPS = (50, 101), (330, 280), 164, 6, 1, 152, (61, 0, 291, 17)
CLINICAL = ((150, 190, 215), (120, 170, 205), (235, 238, 240), (160, 205, 190), (42, 42, 46), (225, 180, 195))


def chance(random: Random, share: float) -> bool:
    """Yes, in this share of the times."""
    return bool(random.random() < share)


def mask(pixels: Pixels, mesh: Floats, random: Random, *, below_nose: bool) -> Pixels:
    """A surgical, cloth or FFP mask. below_nose: worn so that the nose is bare."""
    points, side = mesh[:, :2], float(np.ptp(mesh[:, 1]))
    jaw = _around(points[list(JAW)], points[[TIP, CHIN]].mean(0), random.uniform(1.0, 1.1))
    if below_nose:
        lip = points[UNDER_NOSE] + random.uniform(-0.02, 0.05) * (points[CHIN] - points[UNDER_NOSE])
        across = 0.12 * (jaw[-1] - jaw[0])
        upper = np.array([lip - across, lip, lip + across])
    else:
        middle = points[TIP] + random.uniform(0.35, 1.0) * (points[BRIDGE] - points[TIP])
        upper = np.array([*points[list(RIGHT_CHEEK)], middle, *points[list(LEFT_CHEEK)]])
    alpha = _filled(pixels, np.concatenate([_smooth(jaw), _smooth(np.array([jaw[-1], *upper[::-1], jaw[0]]))]), 0.008 * side)
    along, down = _directions(pixels, jaw[0], jaw[-1], upper[len(upper) // 2], points[CHIN])
    out = pixels.astype(np.float32)
    if chance(random, 0.7):  # loops around the ears
        for end, ear in ((jaw[0], 127), (jaw[3], 132), (jaw[-1], 356), (jaw[-4], 361)):
            out = _stroke(out, end, points[ear] + 0.12 * (points[ear] - points[TIP]), (235.0, 235.0, 235.0), 0.012 * side)
    out *= 1 - random.uniform(0.1, 0.3) * (cv2.GaussianBlur(alpha, (0, 0), 0.03 * side) - alpha).clip(0, 1)[..., None]
    return _laid(out, _lit(out, _fabric(along, down, random), alpha, side), alpha)


def beard(pixels: Pixels, mesh: Floats, random: Random) -> Pixels:
    """A beard with the lips left out: dark, grey or red strands."""
    points, side = mesh[:, :2], float(np.ptp(mesh[:, 1]))
    jaw = _around(points[list(JAW)], points[[TIP, CHIN]].mean(0), random.uniform(0.98, 1.12))
    upper = np.array([points[323], points[425], points[164], points[205], points[93]])
    alpha = _filled(pixels, np.concatenate([_smooth(jaw), _smooth(upper)]), random.uniform(0.015, 0.04) * side)
    alpha *= 1 - _filled(pixels, _around(points[list(LIPS)], points[list(LIPS)].mean(0), 1.1), 0.015 * side)
    strands = random.normal(0, 1, pixels.shape[:2]).astype(np.float32)
    strands = np.asarray(cv2.GaussianBlur(strands, (0, 0), 0.6, sigmaY=random.uniform(2, 5)), np.float32)
    colour = np.array(((35, 28, 24), (70, 50, 38), (120, 112, 105), (110, 62, 35))[random.integers(4)], np.float32)
    hair = colour * (1 + 0.5 * strands / strands.std())[..., None].clip(0.3, 2.2)
    out = pixels.astype(np.float32)
    return _laid(out, _lit(out, hair, alpha, side), alpha * random.uniform(0.55, 0.95))


def scarf(pixels: Pixels, mesh: Floats, random: Random) -> Pixels:
    """Cloth around the neck, or a mask pulled down: up to the chin and no further."""
    points, side = mesh[:, :2], float(np.ptp(mesh[:, 1]))
    shift = random.uniform(-0.06, 0.12) * (points[CHIN] - points[TIP])
    jaw = _smooth(points[list(JAW[3:-3])] + shift)
    reach = points[CHIN] - points[BRIDGE]
    far = np.array([jaw[-1] + reach + [0.3 * side, 0], jaw[0] + reach - [0.3 * side, 0]])
    alpha = _filled(pixels, np.concatenate([jaw, far]), 0.01 * side)
    along, down = _directions(pixels, jaw[0], jaw[-1], points[CHIN], points[CHIN] + reach)
    out = pixels.astype(np.float32)
    return _laid(out, _lit(out, _fabric(along, down, random), alpha, side), alpha)


def hand(pixels: Pixels, mesh: Floats, random: Random) -> Pixels:
    """Fingers of the face's own colour over the mouth, or a bare patch of it."""
    points, side = mesh[:, :2], float(np.ptp(mesh[:, 1]))
    skin = np.median(pixels[tuple(_inside(pixels, points[[50, 280, 205, 425, 151, 9]]).T[::-1])], axis=0)
    skin = np.clip(skin * random.uniform(0.8, 1.2) + random.normal(0, 5, 3), 0, 255)
    start = points[random.choice([58, 288])] + random.normal(0, 0.06, 2) * side
    towards = points[[TIP, 0, 17][random.integers(3)]] - start
    towards *= random.uniform(1.1, 2.0)
    apart = np.array([-towards[1], towards[0]]) / np.hypot(*towards) * random.uniform(0.1, 0.16) * side
    out = pixels.astype(np.float32)
    for finger in range(-2, 3):
        ends = start + finger * apart, start + finger * apart + towards * random.uniform(0.8, 1.0)
        width = random.uniform(0.13, 0.18) * side
        out = _stroke(out, *ends, tuple(float(c) for c in skin * 0.6), width)
        out = _stroke(out, *ends, tuple(float(c) for c in skin * random.uniform(0.92, 1.05)), width * 0.86)
    return np.asarray(out, np.uint8)


def thing(pixels: Pixels, mesh: Floats, random: Random) -> Pixels:
    """A telephone, cup or microphone before a part of the lower face: straight edges or a ball, not a face's outline."""
    points, side = mesh[:, :2], float(np.ptp(mesh[:, 1]))
    middle = points[[0, 61, 291, 17][random.integers(4)]] + random.normal(0, 0.12, 2) * side
    colour = tuple(float(c) for c in random.integers(5, 250, 3) * random.choice([0.2, 1.0]))
    out = pixels.astype(np.float32)
    if chance(random, 0.3):
        out = _stroke(out, middle, middle + random.normal((0, 0.8), 0.1) * side, colour, 0.1 * side)
        return np.asarray(_stroke(out, middle, middle + 1, tuple(0.7 * c for c in colour), random.uniform(0.2, 0.35) * side), np.uint8)
    shape = tuple(float(s) for s in random.uniform((0.22, 0.4), (0.45, 0.8)) * side)
    corners = cv2.boxPoints(((float(middle[0]), float(middle[1] + 0.15 * side)), shape, float(random.uniform(-60, 60))))
    alpha = _filled(pixels, np.asarray(corners, np.float32), 0.006 * side)
    paint = np.full(out.shape, colour, np.float32) + np.linspace(-25, 25, out.shape[1], dtype=np.float32)[:, None]
    return _laid(out, paint, alpha)


def glasses(pixels: Pixels, mesh: Floats, random: Random) -> Pixels:
    """Spectacles or sunglasses."""
    points, side = mesh[:, :2], float(np.ptp(mesh[:, 1]))
    out, dark = pixels.astype(np.float32), chance(random, 0.5)
    lenses = [points[list(corners)].mean(0) for corners in ((33, 133), (362, 263))]
    for lens in lenses:
        axes = tuple(int(a) for a in random.uniform((0.13, 0.09), (0.17, 0.13)) * side)
        place = int(lens[0]), int(lens[1])
        cv2.ellipse(out, place, axes, 0, 0, 360, (25, 25, 28), -1 if dark else max(1, int(0.015 * side)), cv2.LINE_AA)
    return np.asarray(_stroke(out, lenses[0], lenses[1], (30.0, 30.0, 30.0), 0.012 * side), np.uint8)


def _fabric(along: Floats, down: Floats, random: Random) -> Floats:
    """(h, w, 3) colours of a mask. Args: along, down: (h, w) 0..1 from ear to ear and from its upper edge to the chin."""
    kind = random.integers(4)
    base = np.array(CLINICAL[random.integers(len(CLINICAL))] if kind < 2 else random.integers(10, 250, 3), np.float32)  # noqa: PLR2004
    paint = np.full((*along.shape, 3), (base + random.normal(0, 10, 3)).clip(0, 255), np.float32)
    if kind == 0:  # pleats
        fold = (down * random.uniform(3, 5)) % 1
        paint *= (1 - 0.14 * np.exp(-(((fold - 0.5) / 0.1) ** 2)) + 0.06 * np.exp(-(((fold - 0.7) / 0.1) ** 2)))[..., None]
    elif kind == 1:  # a shell with a seam
        paint *= (1.06 - 0.35 * np.abs(along - 0.5) ** 1.5 - 0.1 * np.abs(down - 0.45))[..., None]
        paint *= (1 - 0.12 * np.exp(-(((along - 0.5) / 0.015) ** 2)))[..., None]
    elif kind == 2:  # noqa: PLR2004 - printed cloth
        waves, other = random.uniform(35, 140), np.array(random.integers(10, 250, 3), np.float32)
        one, two = np.sin(along * waves), np.sin((down + random.choice([0, 1]) * along) * waves)
        printed = (one > 0, two > 0.2, one * two > 0.3)[random.integers(3)]  # noqa: PLR2004
        paint = np.where(printed[..., None], other, paint)
    paint *= (1.05 - 0.5 * (along - 0.5) ** 2)[..., None]
    grain = cv2.GaussianBlur(random.normal(0, 9, paint.shape[:2]).astype(np.float32), (0, 0), 1.0)
    return np.asarray(paint + grain[..., None], np.float32)


def _lit(out: Floats, paint: Floats, alpha: Floats, side: float) -> Floats:
    """Paint under the light that falls on what it covers: by the blurred brightness of the face."""
    light = cv2.GaussianBlur(np.asarray(out.mean(2), np.float32), (0, 0), 0.12 * side)
    usual = float(np.median(light[alpha > 0.5])) if (alpha > 0.5).any() else 128.0  # noqa: PLR2004
    strength = float(np.clip(usual / 150, 0.25, 1.25))
    return np.asarray(paint * (light / max(usual, 1.0)).clip(0.35, 1.6)[..., None] * strength)


def _laid(out: Floats, paint: Floats, alpha: Floats) -> Pixels:
    return np.asarray((out * (1 - alpha[..., None]) + paint * alpha[..., None]).clip(0, 255), np.uint8)


def _filled(pixels: Pixels, outline: Floats, blur: float) -> Floats:
    """(h, w) 0..1: inside an outline (n, 2), with a soft edge."""
    alpha = np.zeros(pixels.shape[:2], np.float32)
    cv2.fillPoly(alpha, [np.round(outline * 16).astype(np.int32)], 1.0, cv2.LINE_AA, 4)
    return np.asarray(cv2.GaussianBlur(alpha, (0, 0), max(0.6, blur)), np.float32)


def _directions(pixels: Pixels, left: Floats, right: Floats, top: Floats, bottom: Floats) -> tuple[Floats, Floats]:
    """For every pixel how far it lies from left to right and from top to bottom: two (h, w), 0..1 between them."""
    rows, columns = np.mgrid[: pixels.shape[0], : pixels.shape[1]].astype(np.float32)
    made = []
    for start, end in ((left, right), (top, bottom)):
        way = (end - start) / max(float(((end - start) ** 2).sum()), 1.0)
        made.append(np.asarray((columns - start[0]) * way[0] + (rows - start[1]) * way[1], np.float32))
    return made[0], made[1]


def _stroke(out: Floats, start: Floats, end: Floats, colour: tuple[float, ...], width: float) -> Floats:
    one, other = ((int(x), int(y)) for x, y in (start, end))
    return np.asarray(cv2.line(np.ascontiguousarray(out, np.float32), one, other, colour, max(1, int(width)), cv2.LINE_AA))


def _around(points: Floats, middle: Floats, scale: float) -> Floats:
    return np.asarray(middle + (points - middle) * scale)


def _smooth(points: Floats, count: int = 60) -> Floats:
    """A polyline (n, 2) with `count` points and round corners, its ends kept."""
    places, steps = np.linspace(0, 1, len(points)), np.linspace(0, 1, count)
    dense = np.stack([np.interp(steps, places, column) for column in points.T], 1)
    padded = np.pad(dense, ((3, 3), (0, 0)), mode="edge")
    round_ = np.stack([np.convolve(column, np.full(7, 1 / 7), "valid") for column in padded.T], 1)
    round_[[0, -1]] = dense[[0, -1]]
    return round_


def _inside(pixels: Pixels, points: Floats) -> npt.NDArray[np.int64]:
    return np.asarray(points.round().clip(0, np.array(pixels.shape[1::-1]) - 1), np.int64)
