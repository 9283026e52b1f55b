# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest
from PIL import Image, ImageDraw, ImageFont

LINES = ["Fire exit", "Keep this door", "closed at all times", "Room 42"]
WORDS = " ".join(LINES).split()
EVERYTHING = {"Left": 0, "Top": 0, "Width": 1, "Height": 1}


def png(sheet: Image.Image) -> dict[str, bytes]:
    encoded = io.BytesIO()
    sheet.save(encoded, "PNG")
    return {"Bytes": encoded.getvalue()}


def drawn(lines: list[str], size: tuple[int, int] = (500, 400), px: int = 40) -> Image.Image:
    sheet = Image.new("RGB", size, "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(px)
    for number, line in enumerate(lines):
        pen.text((px, px * (1 + 1.6 * number)), line, "black", font)
    return sheet


@pytest.fixture(scope="module")
def sign() -> dict[str, bytes]:
    return png(drawn(LINES))


def of(answer: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [item for item in answer["TextDetections"] if item["Type"] == kind]


def said(answer: dict[str, Any], kind: str = "WORD") -> list[str]:
    return [item["DetectedText"] for item in of(answer, kind)]


def within(*regions: dict[str, Any], **word: float) -> dict[str, Any]:
    return {"WordFilter": word, "RegionsOfInterest": list(regions)}


def box(left: float, top: float, width: float, height: float) -> dict[str, Any]:
    return {"BoundingBox": {"Left": left, "Top": top, "Width": width, "Height": height}}


def polygon(*points: tuple[float, float]) -> dict[str, Any]:
    return {"Polygon": [{"X": x, "Y": y} for x, y in points]}


def test_a_sign_is_read_as_lines_and_then_their_words(client: Any, sign: dict[str, bytes]) -> None:
    answer = client.detect_text(Image=sign)
    items = answer["TextDetections"]
    assert said(answer, "LINE") == LINES
    assert said(answer) == WORDS
    assert [item["Type"] for item in items] == ["LINE"] * 4 + ["WORD"] * len(WORDS)
    assert [item["Id"] for item in items] == list(range(len(items)))
    assert answer["TextModelVersion"] == "3.0"


def test_a_word_names_its_line_and_a_line_no_parent(client: Any, sign: dict[str, bytes]) -> None:
    answer = client.detect_text(Image=sign)
    lines = {line["Id"]: line for line in of(answer, "LINE")}
    assert all("ParentId" not in line for line in lines.values())
    for number, line in lines.items():
        words = [word for word in of(answer, "WORD") if word["ParentId"] == number]
        assert " ".join(word["DetectedText"] for word in words) == line["DetectedText"]
        for word in words:
            inner, outer = word["Geometry"]["BoundingBox"], line["Geometry"]["BoundingBox"]
            assert inner["Left"] >= outer["Left"] - 1e-6
            assert inner["Left"] + inner["Width"] <= outer["Left"] + outer["Width"] + 1e-6


def test_geometry_is_a_box_around_four_corners_inside_the_picture(client: Any) -> None:
    turned = drawn(LINES).rotate(20, expand=True, fillcolor="white")
    for item in client.detect_text(Image=png(turned))["TextDetections"]:
        frame, corners = item["Geometry"]["BoundingBox"], item["Geometry"]["Polygon"]
        across, down = [point["X"] for point in corners], [point["Y"] for point in corners]
        assert len(corners) == 4
        assert [frame["Left"], frame["Top"]] == pytest.approx([min(across), min(down)])
        assert [frame["Width"], frame["Height"]] == pytest.approx([max(across) - min(across), max(down) - min(down)])
        assert all(0 <= value <= 1 for value in (*across, *down))
        assert across[0] < across[1]
        assert down[1] < down[0] < down[3], "turned to the left"
        assert 80 <= item["Confidence"] <= 100


def test_a_picture_without_text_has_none(client: Any) -> None:
    answer = client.detect_text(Image=png(Image.new("RGB", (200, 200))))
    assert answer["TextDetections"] == []


def test_up_to_a_hundred_words_are_read(client: Any) -> None:
    rows = [" ".join(f"w{row}x{place}" for place in range(9)) for row in range(20)]
    answer = client.detect_text(Image=png(drawn(rows, (1200, 900), 24)))
    assert len(said(answer)) == 100
    assert len({word["ParentId"] for word in of(answer, "WORD")}) == len(said(answer, "LINE")) == 12


def test_words_read_unsurely_are_left_out_by_default(client: Any) -> None:
    with_noise = drawn(["plain words"], (400, 200))
    blurred = drawn(["hard to tell"], (400, 200), 12).resize((100, 50)).resize((400, 200))
    sheet = Image.new("RGB", (400, 400), "white")
    sheet.paste(with_noise, (0, 0))
    sheet.paste(blurred, (0, 200))
    all_of_it = client.detect_text(Image=png(sheet), Filters={"WordFilter": {"MinConfidence": 0}})
    usual = client.detect_text(Image=png(sheet))
    assert said(usual) == ["plain", "words"] == said(usual, "LINE")[0].split()
    assert all(word["Confidence"] >= 80 for word in of(usual, "WORD"))
    assert len(said(all_of_it)) >= 2


def test_a_minimal_confidence_drops_words_and_lines_left_without_any(client: Any, sign: dict[str, bytes]) -> None:
    words = of(client.detect_text(Image=sign), "WORD")
    least = sorted(word["Confidence"] for word in words)[len(words) // 2]
    kept = client.detect_text(Image=sign, Filters={"WordFilter": {"MinConfidence": least + 0.0001}})
    assert said(kept) == [word["DetectedText"] for word in words if word["Confidence"] > least + 0.0001]
    parents = {word["ParentId"] for word in of(kept, "WORD")}
    assert parents == {line["Id"] for line in of(kept, "LINE")} == set(range(len(parents)))
    assert set(said(kept, "LINE")) <= set(LINES)


def test_a_minimal_width_and_height_drop_small_words(client: Any) -> None:
    sheet = drawn(["LARGE"], (600, 300), 70)
    sheet.paste(drawn(["small print"], (300, 80), 20), (0, 200))
    picture = png(sheet)
    assert said(client.detect_text(Image=picture)) == ["LARGE", "small", "print"]
    tall = client.detect_text(Image=picture, Filters={"WordFilter": {"MinBoundingBoxHeight": 0.15}})
    assert said(tall) == ["LARGE"] == said(tall, "LINE")
    wide = client.detect_text(Image=picture, Filters={"WordFilter": {"MinBoundingBoxWidth": 0.3}})
    assert said(wide) == ["LARGE"]
    assert said(client.detect_text(Image=picture, Filters={"WordFilter": {"MinBoundingBoxWidth": 1}})) == []


@pytest.mark.parametrize(
    ("regions", "words"),
    [
        ([EVERYTHING], WORDS),
        ([{"Left": 0, "Top": 0, "Width": 1, "Height": 0.25}], ["Fire", "exit"]),
        ([{"Left": -1, "Top": -1, "Width": 1.25, "Height": 1.25}], ["Fire"]),
        ([{"Left": 0, "Top": 0.55, "Width": 1, "Height": 9}, {"Left": 0, "Top": 0, "Width": 0.25, "Height": 0.25}],
         ["Fire", "Room", "42"]),
        ([{"Left": 0.9, "Top": 0, "Width": 0.1, "Height": 1}], []),
    ],
)  # fmt: skip
def test_words_in_any_region_of_interest_are_kept(
    client: Any, sign: dict[str, bytes], regions: list[dict[str, float]], words: list[str]
) -> None:
    answer = client.detect_text(Image=sign, Filters=within(*({"BoundingBox": region} for region in regions)))
    assert said(answer) == words


def test_a_word_is_kept_when_more_than_half_of_it_is_inside(client: Any, sign: dict[str, bytes]) -> None:
    word = next(item for item in of(client.detect_text(Image=sign), "WORD") if item["DetectedText"] == "closed")
    frame = word["Geometry"]["BoundingBox"]
    for share, kept in ((0.45, []), (0.55, ["closed"])):
        region = box(frame["Left"], frame["Top"], frame["Width"] * share, frame["Height"])
        assert said(client.detect_text(Image=sign, Filters=within(region))) == kept


def test_a_region_may_be_a_polygon_with_a_notch(client: Any, sign: dict[str, bytes]) -> None:
    """All of the picture but for the upper right, where "exit" is, and a wedge from the left over "Keep this"."""
    notched = polygon((0, 0), (0.22, 0), (0.22, 0.26), (1, 0.26), (1, 1), (0, 1), (0, 0.46), (0.45, 0.36), (0, 0.26))
    words = said(client.detect_text(Image=sign, Filters=within(notched)))
    assert {"Fire", "door", "closed", "at", "all", "times", "Room", "42"} <= set(words)
    assert "exit" not in words
    assert "Keep" not in words
    crossed = polygon((0, 0), (1, 1), (1, 0), (0, 1))
    assert said(client.detect_text(Image=sign, Filters=within(crossed))) != []


def test_the_hundred_words_are_those_of_the_region(client: Any) -> None:
    rows = [" ".join(f"w{row}x{place}" for place in range(9)) for row in range(20)]
    page = png(drawn(rows, (1200, 900), 24))
    answer = client.detect_text(Image=page, Filters=within(box(0, 0.8, 1, 0.2)))
    assert "w19x0" in said(answer)
    assert "w0x0" not in said(answer)


@pytest.mark.parametrize(
    ("region", "told"),
    [
        ({}, "either a BoundingBox or a Polygon"),
        (box(0, 0, 1, 1) | polygon((0, 0), (1, 0), (1, 1)), "either a BoundingBox or a Polygon"),
        ({"BoundingBox": {"Left": 0, "Top": 0, "Width": 1}}, "lacks Height"),
        (box(0, 0, 0, 1), "no area"),
        (box(0.5, 0.5, -0.5, 0.5), "no area"),
        (box(1.2, 0, 0.5, 1), "outside the picture"),
        (box(-0.5, 0, 0.5, 1), "outside the picture"),
        (box(0, 0, 1e300, 1e300), "beyond"),
        (polygon((0, 0), (1, 1)), "3 to 1000 points, not 2"),
        (polygon(*[(0.1, 0.1), (0.9, 0.1), (0.9, 0.9)] * 400), "3 to 1000 points, not 1200"),
        (polygon((0, 0), (0.5, 0.5), (1, 1)), "no area"),
        (polygon((2, 2), (3, 2), (3, 3)), "outside the picture"),
        ({"Polygon": [{"X": 0, "Y": 0}, {"X": 1}, {"X": 1, "Y": 1}]}, "needs X and Y"),
    ],
)
def test_regions_of_no_use_are_refused_and_named(
    client: Any, sign: dict[str, bytes], region: dict[str, Any], told: str
) -> None:
    with pytest.raises(client.exceptions.InvalidParameterException) as refused:
        client.detect_text(Image=sign, Filters=within({"BoundingBox": EVERYTHING}, region))
    detail = refused.value.response["ResponseMetadata"]["HTTPHeaders"]["x-overt-detail"]
    assert detail.startswith("RegionsOfInterest, number 2: ")
    assert told in detail


def test_more_than_ten_regions_are_refused(client: Any, sign: dict[str, bytes]) -> None:
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        client.detect_text(Image=sign, Filters=within(*[{"BoundingBox": EVERYTHING}] * 11))
    assert refused.value.response["Error"]["Code"] in {"ValidationException", "InvalidParameterException"}


def test_empty_filters_are_none(client: Any, sign: dict[str, bytes]) -> None:
    assert said(client.detect_text(Image=sign, Filters={})) == WORDS
    assert said(client.detect_text(Image=sign, Filters={"WordFilter": {}, "RegionsOfInterest": []})) == WORDS


@pytest.mark.parametrize(
    ("name", "word"),
    [("ak", "ALASKA"), ("az", "ARIZONA"), ("il", "ILLINOIS"), ("mi", "MICHIGAN"), ("pa", "PENNSYLVANIA")],
)
def test_the_states_of_number_plates_are_read(client: Any, shared_data: Path, name: str, word: str) -> None:
    raw = (shared_data / "azure_vision" / "images" / f"{name}.jpg").read_bytes()
    assert word in said(client.detect_text(Image={"Bytes": raw}))


def test_a_page_of_ten_thousand_words_is_answered(client: Any) -> None:
    """Its print is too small to read at any scale looked at; its heading is not."""
    sheet = Image.new("RGB", (4200, 2800), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    pen.text((10, 10), "NOTICE", "black", ImageFont.load_default(120))
    for row in range(125):
        pen.text((10, 200 + 20 * row), " ".join(f"{row:03}{column:02}" for column in range(80)), "black", font)
    words = said(client.detect_text(Image=png(sheet)))
    assert words[0] == "NOTICE"
    assert len(words) <= 100
