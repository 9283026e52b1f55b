# SPDX-License-Identifier: Apache-2.0
"""How a picture looks: brightness, sharpness, contrast, dominant colours, foreground and background. Knows no model.

The scales are our own: the service publishes none. Brightness is mean luma, contrast twice the standard deviation of
luma, sharpness a monotone map of the variance of the Laplacian, all on the picture shrunk to one size, so that a
picture and its copy at a higher resolution get like numbers.
"""

from __future__ import annotations

import functools
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt
from PIL import ImageColor

from overt.types import Colour, Floats, Look, Pixels

Mask = npt.NDArray[np.bool_]
Weights = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

cv2.setNumThreads(1)  # parallel callers use the cores; threads inside a call only slow them down

_SIDE = 512
"""Longest side that quality is measured on, pixels."""
_PALETTE_SIDE = 96
"""Longest side that colours are counted on: thousands of pixels, enough for shares of a hundredth."""
_GROUND_SIDE = 64
"""Longest side that foreground and background are split on."""
_THINNEST = 16
"""No side is shrunk below this: a panorama keeps an inside and a border."""
_HALF_SHARP = 350.0
"""Variance of the Laplacian that counts as sharpness 0.5; 35 everyday photos have 150 to 11,000, median 860."""
_CLUSTERS = 24
"""Most colours told apart before near ones are merged; the wire asks for 20 at most."""
_ROUNDS = 6
"""Rounds of k-means: the named colours are near the answer already."""
_ALIKE = 12.0
"""Colours nearer than this in Lab are one dominant colour; 2.3 is a just noticeable difference."""
_LEAST_SHARE = 0.01
"""A colour of less than this share of the pixels dominates nothing."""
_PLAIN = 6.0
"""A picture whose colours all lie within this of each other in Lab has no foreground."""
_FEWEST = 10
"""Pixels a side of the split needs, at the size it is made on."""

_FAMILIES = {
    "black": "black",
    "blue": "blue cornflowerblue darkblue deepskyblue dodgerblue lightblue lightskyblue lightsteelblue mediumblue "
    "midnightblue navy powderblue royalblue skyblue steelblue",
    "brown": "bisque blanchedalmond brown burlywood chocolate cornsilk darkgoldenrod goldenrod maroon navajowhite peru "
    "rosybrown saddlebrown sandybrown sienna tan wheat",
    "cyan": "aquamarine cadetblue cyan darkcyan darkturquoise lightcyan lightseagreen mediumturquoise paleturquoise "
    "teal turquoise",
    "green": "chartreuse darkgreen darkolivegreen darkseagreen forestgreen green greenyellow lawngreen lightgreen lime "
    "limegreen mediumaquamarine mediumseagreen mediumspringgreen olive olivedrab palegreen seagreen springgreen "
    "yellowgreen",
    "grey": "darkgrey darkslategrey dimgrey gainsboro gray lightgrey lightslategrey silver slategrey",
    "orange": "coral darkorange lightsalmon orange orangered peachpuff tomato",
    "pink": "deeppink hotpink lightpink mediumvioletred palevioletred pink",
    "purple": "blueviolet darkmagenta darkorchid darkslateblue darkviolet indigo lavender magenta mediumorchid "
    "mediumpurple mediumslateblue orchid plum purple rebeccapurple slateblue thistle violet",
    "red": "crimson darkred darksalmon firebrick indianred lightcoral red salmon",
    "white": "aliceblue antiquewhite azure beige floralwhite ghostwhite honeydew ivory lavenderblush linen mintcream "
    "mistyrose oldlace seashell snow white whitesmoke",
    "yellow": "darkkhaki gold khaki lemonchiffon lightgoldenrodyellow lightyellow moccasin palegoldenrod papayawhip "
    "yellow",
}
"""The named colours of CSS by family. Of names with the same value one is here, spelled as recorded answers of the
service spell it where one is known ("gray", but "dimgrey" and "darkslategrey"). The service says "one of 12" and never
which; recordings show black, green and grey. Ours are the eleven basic colour terms of English and cyan.
Source: CSS Color Module Level 4, 6.1; B. Berlin, P. Kay, "Basic Color Terms" (1969)."""


def look(pixels: Pixels, colours: int = 10) -> Look:
    """How a whole picture looks. Args: pixels: (h, w, 3) uint8 RGB, 1x1 or larger. colours: most to tell, 0..20."""
    pixels = _shrunk(pixels, _SIDE)
    return _look(pixels, *_luma(pixels), None, colours)


def looks(pixels: Pixels, colours: int = 10) -> tuple[Look, Look | None, Look]:
    """How a picture, its foreground and its background look. Args: as `look`.

    A picture of one colour, or too small to have an inside, has no foreground (None): all of it is background.
    """
    pixels = _shrunk(pixels, _SIDE)
    luma, edges = _luma(pixels)
    whole, front = _look(pixels, luma, edges, None, colours), ground(pixels)
    if not front.any():
        return whole, None, whole
    return whole, _look(pixels, luma, edges, front, colours), _look(pixels, luma, edges, ~front, colours)


def dominant_colours(pixels: Pixels, mask: Mask | None = None, limit: int = 10) -> tuple[Colour, ...]:
    """The colours that make up a picture or a part of it, largest share first.

    Pixels are clustered in CIE Lab by k-means, started from the named colours they fall on (so equal pictures get
    equal answers); clusters that look alike or share a name become one. Each has the mean colour of its pixels
    (to within 1 of 255).

    Args: pixels: (h, w, 3) uint8 RGB. mask: (h, w), True where pixels count; None: all. limit: most to return, 0..20.
    Returns: shares of the pixels counted, each at least 0.01, together at most 1; empty when none count.
    """
    if limit < 1:
        return ()
    counted = _counted(pixels, mask)
    if not len(counted):
        return ()
    centres, counts = _merged(*_clustered(*_binned(counted)))
    order = np.argsort(-counts, kind="stable")[:limit]
    shares = counts[order] / counts.sum()
    values = cv2.cvtColor(centres[None, order].astype(np.float32), cv2.COLOR_LAB2RGB)[0]
    rgb = np.rint(values.clip(0, 1) * 255).astype(int)
    names, families, _ = _named()
    return tuple(
        Colour(int(red), int(green), int(blue), names[cell], families[cell], float(share))
        for (red, green, blue), cell, share in zip(rgb, _cells(centres[order]), shares, strict=True)
        if share >= _LEAST_SHARE
    )


def ground(pixels: Pixels) -> Mask:
    """Which pixels are foreground: what differs from the border and lies toward the middle. (h, w); may be all False.

    A guess from colours, no knowledge of things: right for a thing on a plain ground, arbitrary for a cluttered room.
    Source: boundary and centre priors of salient-region detection (W. Zhu et al., "Saliency optimization from robust
    background detection", CVPR 2014), refined by GrabCut (C. Rother et al., SIGGRAPH 2004).
    """
    small = _shrunk(pixels, _GROUND_SIDE)
    front = _front(small).astype(np.uint8)
    return cv2.resize(front, pixels.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0


def _luma(pixels: Pixels) -> tuple[Floats, Floats]:
    """Luma 0..255 and its Laplacian, (h, w) each."""
    luma = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return cast("Floats", luma), cast("Floats", cv2.Laplacian(luma, cv2.CV_32F))


def _look(pixels: Pixels, luma: Floats, edges: Floats, mask: Mask | None, colours: int) -> Look:
    if mask is not None:
        luma, edges = luma[mask], edges[mask]
    variance = float(edges.var())
    return Look(
        brightness=float(luma.mean()) / 255,
        sharpness=variance / (variance + _HALF_SHARP),
        contrast=min(2 * float(luma.std()) / 255, 1.0),
        colours=dominant_colours(pixels, mask, colours),
    )


def _shrunk(pixels: Pixels, side: int) -> Pixels:
    """The picture with no side longer than `side`, at its proportions unless that would make it too thin."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(round(width * scale), min(width, _THINNEST)), max(round(height * scale), min(height, _THINNEST)))
    # By whole numbers first, then by less than 2: as smooth as an area average in one step, at a fraction of its time.
    across, down = width // size[0], height // size[1]
    if max(across, down) > 1:
        whole = pixels[: height // down * down, : width // across * across]
        pixels = cast("Pixels", cv2.resize(whole, None, fx=1 / across, fy=1 / down, interpolation=cv2.INTER_AREA))
    return cast("Pixels", cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR))


def _lab(pixels: Pixels | Floats) -> Floats:
    """CIE L*a*b* (D65) of 0..255 RGB, of the same shape (h, w, 3)."""
    return cast("Floats", cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB))


@functools.cache
def _named() -> tuple[list[str], list[str], Floats]:
    """The named colours: names, families, and (n, 3) Lab."""
    pairs = [(name, family) for family, names in _FAMILIES.items() for name in names.split()]
    values = np.array([[ImageColor.getrgb(name)[:3] for name, _ in pairs]], np.uint8)
    return [name for name, _ in pairs], [family for _, family in pairs], _lab(values)[0]


def _cells(points: Floats | Weights) -> Indices:
    """The place of the nearest named colour of each Lab point (n, 3)."""
    return _nearest(points, _named()[2])


def _nearest(points: Floats | Weights, centres: Floats | Weights) -> Indices:
    """The place of the nearest of centres (k, 3) for each of points (n, 3)."""
    points, centres = points.astype(np.float32), centres.astype(np.float32)
    # |p - c|^2 less |p|^2, which is the same for every c: one product instead of k x n differences. einsum, as a BLAS
    # would start threads for it.
    distances = (centres**2).sum(1)[:, None] - 2 * np.einsum("kc,nc->kn", centres, points)
    return cast("Indices", distances.argmin(0))


def _counted(pixels: Pixels, mask: Mask | None) -> Pixels:
    """(n, 3): the pixels to count, from a picture shrunk around them."""
    if mask is None:
        return _shrunk(pixels, _PALETTE_SIDE).reshape(-1, 3)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return np.empty((0, 3), np.uint8)
    part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    small = _shrunk(pixels[part], _PALETTE_SIDE)
    share = cv2.resize(mask[part].astype(np.float32), small.shape[1::-1], interpolation=cv2.INTER_AREA)
    # A mask of thin lines covers no shrunk pixel by half.
    return small[share > min(0.5, float(share.max()) / 2)]


def _clustered(points: Floats, weights: Weights) -> tuple[Weights, Weights]:
    """Weighted k-means. Args: points: (n, 3) Lab, n > 0. weights: (n,). Returns: centres (k, 3), their weights (k,)."""
    cells = _cells(points)
    found, cells = np.unique(cells, return_inverse=True)
    weight: npt.NDArray[np.number] = np.bincount(cells, weights)
    centres = _named()[2][found[np.sort(np.argsort(-weight, kind="stable")[:_CLUSTERS])]].astype(np.float64)
    labels: Indices = np.full(len(points), -1)
    for _ in range(_ROUNDS):
        nearest = _nearest(points, centres)
        if np.array_equal(nearest, labels):
            break
        labels = np.unique(nearest, return_inverse=True)[1]  # numbered anew: a cluster that lost all is gone
        weight = np.bincount(labels, weights)
        centres = np.stack([np.bincount(labels, weights * points[:, axis]) / weight for axis in range(3)], 1)
    return centres, weight.astype(np.float64)


def _binned(pixels: Pixels) -> tuple[Floats, Weights]:
    """Pixels (n, 3), n > 0, as a few hundred colours: the mean of each cube of 16 levels (m, 3) Lab, its count (m,)."""
    cubes = (pixels >> 4).astype(np.int64) @ (256, 16, 1)
    _, cell, counts = np.unique(cubes, return_inverse=True, return_counts=True)
    means = np.stack([np.bincount(cell, pixels[:, channel]) / counts for channel in range(3)], 1)
    return _lab(means[None].astype(np.float32))[0], counts.astype(np.float64)


def _merged(centres: Weights, counts: Weights) -> tuple[Weights, Weights]:
    """Clusters that look alike made one, nearest first, then those of one name (their mean keeps the name)."""
    while len(centres) > 1:
        distances = np.sqrt(((centres[:, None] - centres) ** 2).sum(2))
        cells = _cells(centres)
        distances[(distances > _ALIKE) & (cells[:, None] != cells)] = np.inf
        np.fill_diagonal(distances, np.inf)
        one, other = np.unravel_index(distances.argmin(), distances.shape)
        if not np.isfinite(distances[one, other]):
            break
        both = counts[one] + counts[other]
        centres[one] = (centres[one] * counts[one] + centres[other] * counts[other]) / both
        counts[one] = both
        centres, counts = np.delete(centres, other, axis=0), np.delete(counts, other)
    return centres, counts


def _front(pixels: Pixels) -> Mask:
    """`ground` of a picture of at most _GROUND_SIDE."""
    nothing = np.zeros(pixels.shape[:2], np.bool_)
    lab = cast("Floats", cv2.GaussianBlur(_lab(pixels), (0, 0), 1))
    if min(nothing.shape) < 4 or float(np.ptp(lab, axis=(0, 1)).max()) < _PLAIN:  # noqa: PLR2004 - border and inside
        return nothing
    salience = _salience(lab)
    least, _ = cv2.threshold(salience, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    likely = salience > least
    if likely.sum() < _FEWEST:
        return nothing
    surely = salience > np.quantile(salience[likely], 0.8)
    mask = np.where(surely, cv2.GC_FGD, np.where(likely, cv2.GC_PR_FGD, cv2.GC_PR_BGD)).astype(np.uint8)
    mask[[0, -1]] = mask[:, [0, -1]] = cv2.GC_BGD
    if min((mask & 1).sum(), (1 - (mask & 1)).sum()) < _FEWEST:
        return nothing
    cv2.setRNGSeed(0)  # of this thread; GrabCut draws its first clusters
    back, fore = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(np.ascontiguousarray(pixels[..., ::-1]), mask, (0, 0, 1, 1), back, fore, 2, cv2.GC_INIT_WITH_MASK)
    return (mask & 1) > 0


def _salience(lab: Floats) -> Pixels:
    """How likely each pixel is foreground, 0..255: colours of the middle that the border lacks, near the middle."""
    height, width = lab.shape[:2]
    y, x = np.ogrid[-0.5 : 0.5 : height * 1j, -0.5 : 0.5 : width * 1j]
    middle = np.exp(-(x**2 + y**2) / (2 * 0.3**2))
    rim = max(1, round(0.06 * min(height, width)))
    border = np.ones((height, width))
    border[rim:-rim, rim:-rim] = 0
    bins = np.floor(lab / (12, 10, 10)).astype(np.int64)
    bins -= bins.min((0, 1))
    _, cell, counts = np.unique((bins @ (4096, 64, 1)).ravel(), return_inverse=True, return_counts=True)
    centres = np.stack([np.bincount(cell, lab[..., axis].ravel()) / counts for axis in range(3)], 1)
    kernel = np.exp(-((centres[:, None] - centres) ** 2).sum(2) / (2 * 12.0**2))
    inside = kernel @ np.bincount(cell, middle.ravel()) / middle.sum()
    outside = kernel @ np.bincount(cell, border.ravel()) / border.sum()
    salience = (inside / (inside + outside))[cell].reshape(height, width) * (0.4 + 0.6 * middle)
    smooth = cv2.GaussianBlur(salience.astype(np.float32), (0, 0), 1.5)
    scaled = 255 * (smooth - smooth.min()) / max(float(np.ptp(smooth)), 1e-6)
    return cast("Pixels", scaled.astype(np.uint8))
