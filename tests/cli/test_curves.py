# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from overt.cli.curves import Axis, Curve, draw

SVG = "{http://www.w3.org/2000/svg}"


def test_curves_are_drawn_where_their_points_lie() -> None:
    x, y = Axis("FPIR", 1e-3, 1, logarithmic=True), Axis("FNIR", 0, 1)
    drawn = ET.fromstring(draw(x, y, [Curve("100 <b>", [(1e-3, 0), (1, 1)]), Curve("200", [])], "DET & more"))
    first, second = drawn.findall(f"{SVG}polyline")
    ends = [tuple(map(float, point.split(","))) for point in first.get("points").split()]
    assert ends == [(70, 350), (490, 15)]
    assert second.get("points") == ""
    texts = [text.text for text in drawn.findall(f"{SVG}text")]
    assert {"FPIR", "FNIR", "100 <b>", "0.001", "1", "0.2"} <= set(texts)
    assert drawn.find(f"{SVG}title").text == "DET & more"


def test_values_beyond_an_axis_are_drawn_at_its_end() -> None:
    axis = Axis("", 1e-3, 1, logarithmic=True)
    assert (axis.place(0), axis.place(1e-9), axis.place(5)) == (0, 0, 1)
    assert axis.place(10**-1.5) == pytest.approx(0.5)
    assert list(axis.ticks()) == pytest.approx([0.001, 0.01, 0.1, 1])


def test_many_curves_are_told_apart() -> None:
    curves = [Curve(str(number), [(0, 0), (1, 1)]) for number in range(5)]
    drawn = ET.fromstring(draw(Axis("", 0, 1), Axis("", 0, 1), curves, ""))
    looks = {(line.get("stroke"), line.get("stroke-dasharray")) for line in drawn.findall(f"{SVG}polyline")}
    assert len(looks) == 5
