# SPDX-License-Identifier: Apache-2.0
"""Reading signs that are drawn here, so that what they say and where is known, and pictures of the shared data."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont, ImageOps

from overt.models.hub import Hub
from overt.models.pack import Model, PackError, digest
from overt.models.session import Session
from overt.models.tasks import text
from overt.models.tasks.text import SCRIPTS, TextReader
from overt.types import Image, Text

LINES = ["Fire exit", "Keep this door", "closed at all times", "Room 42"]
WORDS = " ".join(LINES).split()


@pytest.fixture(scope="module")
def models() -> tuple[Model, Model, Model]:
    hub = Hub.discover()
    detector, recogniser, angle = (hub.session(task).model for task in ("text_detect", "text_recognise", "text_angle"))
    return detector, recogniser, angle


def reader_of(*models: Model) -> TextReader:
    return TextReader(*map(Session, models))


@pytest.fixture(scope="module")
def reader(models: tuple[Model, Model, Model]) -> TextReader:
    return reader_of(*models)


@pytest.fixture(scope="module")
def shown(shared_data: Path) -> Callable[[str], Image]:
    def shown(name: str) -> Image:
        with Pillow.open(shared_data / name) as file:
            return picture(ImageOps.exif_transpose(file))

    return shown


def picture(drawn: Pillow.Image) -> Image:
    return Image(np.asarray(drawn.convert("RGB")), "")


def sign(lines: list[str], size: tuple[int, int] = (500, 500), px: int = 40) -> Pillow.Image:
    sheet = Pillow.new("RGB", size, "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(px)
    for number, line in enumerate(lines):
        pen.text((px, px * (1 + 1.6 * number)), line, "black", font)
    return sheet


def page(words: int, size: tuple[int, int] = (1200, 1200), px: int = 22) -> Pillow.Image:
    """word0 word1 word2 ..."""
    font, lines = ImageFont.load_default(px), [""]
    for number in range(words):
        longer = f"{lines[-1]} word{number}".strip()
        if font.getlength(longer) > size[0] - 2 * px:
            lines.append(f"word{number}")
        else:
            lines[-1] = longer
    assert px * (1 + 1.6 * len(lines)) < size[1]
    return sign(lines, size, px)


def said(texts: tuple[Text, ...]) -> list[str]:
    return [item.text for item in texts]


def test_a_sign_is_read_from_top_to_bottom(reader: TextReader) -> None:
    lines, words = reader.read(picture(sign(LINES)))
    assert said(lines) == LINES
    assert said(words) == WORDS
    assert [lines[word.line].text.split().count(word.text) for word in words] == [1] * len(WORDS)
    assert [line.line for line in lines] == [None] * 4
    assert all(0.9 < item.confidence <= 1 for item in (*lines, *words))


def test_words_lie_where_they_are_drawn(reader: TextReader) -> None:
    _, words = reader.read(picture(sign(["The quick brown fox jumps"], (640, 120))))
    font = ImageFont.load_default(40)
    for word in words:
        before = "The quick brown fox jumps".partition(word.text)[0]
        left = 40 + font.getlength(before)
        right = left + font.getlength(word.text)
        low, high = word.corners[:, 0].min() * 640, word.corners[:, 0].max() * 640
        assert (min(right, high) - max(left, low)) / (max(right, high) - min(left, low)) > 0.7, word
        assert word.corners[:, 1].min() * 120 < 52
        assert word.corners[:, 1].max() * 120 > 70


@pytest.mark.parametrize("degrees", [20, -30, 60, 90, -90, 180])
def test_turned_text_is_read_in_its_own_order(reader: TextReader, degrees: int) -> None:
    turned = sign(LINES).rotate(degrees, expand=True, fillcolor="white")
    lines, words = reader.read(picture(turned))
    assert said(words) == WORDS
    assert said(lines) == LINES
    for item in (*lines, *words):
        corners = item.corners * [turned.width, turned.height]
        along, down = corners[1] - corners[0], corners[3] - corners[0]
        lean = np.degrees(np.arctan2(along[1], along[0]))
        assert abs((lean + degrees + 180) % 360 - 180) < 8, item
        assert along[0] * down[1] - along[1] * down[0] > 0, "clockwise"
        assert item.corners.shape == (4, 2)
        assert item.corners.dtype == np.float32


def test_without_an_angle_model_upside_down_text_is_misread(models: tuple[Model, Model, Model]) -> None:
    reader = reader_of(*models[:2])
    assert said(reader.read(picture(sign(LINES)))[0]) == LINES
    assert "closed at all times" not in said(reader.read(picture(sign(LINES).rotate(180)))[0])


def test_columns_are_read_row_by_row(reader: TextReader) -> None:
    sheet = Pillow.new("RGB", (1000, 300), "white")
    sheet.paste(sign(["left one", "left two", "left three"], (400, 300)), (0, 3))
    sheet.paste(sign(["right one", "right two", "right three"], (400, 300)), (600, 0))
    lines, _ = reader.read(picture(sheet))
    assert said(lines) == ["left one", "right one", "left two", "right two", "left three", "right three"]


def test_a_full_page_is_read_up_to_a_hundred_words(reader: TextReader, monkeypatch: pytest.MonkeyPatch) -> None:
    crops: list[int] = []
    read = text._Recogniser.read
    monkeypatch.setattr(text._Recogniser, "read", lambda self, crop: crops.append(1) or read(self, crop))
    lines, words = reader.read(picture(page(350)))
    assert len(words) == 100
    right = sum(word.text == f"word{number}" for number, word in enumerate(words))
    assert right >= 95
    assert len(crops) <= len(lines) + 1, "the rest of the page costs nothing"


def test_a_line_is_cut_where_the_room_ends(reader: TextReader) -> None:
    lines, words = reader.read(picture(sign(LINES)), limit=4)
    assert said(words) == ["Fire", "exit", "Keep", "this"]
    assert said(lines) == ["Fire exit", "Keep this"]
    assert lines[1].corners[:, 0].max() == pytest.approx(words[3].corners[:, 0].max())


def test_lines_without_spaces_do_not_take_for_ever(reader: TextReader) -> None:
    lines, _ = reader.read(picture(sign(["x" * 40] * 12, (1000, 800), 30)), limit=4)
    assert 1 <= len(lines) <= 3


def test_small_print_below_a_large_title_is_read_too(reader: TextReader) -> None:
    poster = Pillow.new("RGB", (2400, 1800), "white")
    pen = ImageDraw.Draw(poster)
    pen.text((120, 180), "BIG TITLE", "black", ImageFont.load_default(360))
    pen.text((120, 1200), "and the small print below it", "black", ImageFont.load_default(24))
    lines, _ = reader.read(picture(poster))
    assert said(lines) == ["BIG TITLE", "and the small print below it"]


def test_lines_that_are_not_wanted_take_no_room(reader: TextReader) -> None:
    lines, words = reader.read(picture(page(350)), where=lambda corners: bool(corners[:, 1].min() > 0.6))
    assert len(words) == 100
    assert int(re.sub(r"\D", "", words[0].text)) > 150
    assert all(line.corners[:, 1].min() > 0.6 for line in lines)


@pytest.mark.parametrize("size", [(500, 500), (80, 80), (1, 500), (500, 1), (1, 1), (10000, 80)])
@pytest.mark.parametrize("colour", ["black", "white"])
def test_nothing_is_read_where_nothing_is_written(reader: TextReader, size: tuple[int, int], colour: str) -> None:
    assert reader.read(picture(Pillow.new("RGB", size, colour))) == ((), ())


def test_patterns_and_noise_are_no_text(reader: TextReader) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (400, 400, 3), np.uint8)
    dots = np.full((1300, 1300, 3), 255, np.uint8)
    dots[4::9, 4::9] = 0
    for pixels in (noise, dots):
        assert [line for line in reader.read(Image(pixels, ""))[0] if line.confidence >= 0.8] == []


def test_many_threads_read_the_same(models: tuple[Model, Model, Model]) -> None:
    reader, signs = reader_of(*models), [picture(sign([line], (400, 120))) for line in LINES * 3]
    with ThreadPoolExecutor(4) as pool:
        assert [said(lines) for lines, _ in pool.map(reader.read, signs)] == [[line] for line in LINES * 3]


def test_its_alphabet_holds_the_scripts_it_names(reader: TextReader) -> None:
    reader._recogniser.load()
    alphabet = set(reader._recogniser._alphabet)
    samples = {"Latin": "aZéñßåøłžğőțœ", "Chinese": "正品促销臺灣", "Japanese": "あのカタ々"}
    assert set(samples) == set(SCRIPTS)
    assert all(set(letters) <= alphabet for letters in samples.values())
    assert not alphabet & set("жпبش한글ไทยकखதமి")


@pytest.fixture
def bare(models: tuple[Model, Model, Model], tmp_path: Path) -> Model:
    """The recogniser without the alphabet in its file."""
    network = onnx.load(models[1].path)
    del network.metadata_props[:]
    path = tmp_path / "bare.onnx"
    onnx.save(network, path)
    return replace(models[1], path=path, size=path.stat().st_size, sha256=digest(path))


def test_a_recogniser_without_an_alphabet_takes_a_dictionary(
    models: tuple[Model, Model, Model], reader: TextReader, bare: Model, tmp_path: Path
) -> None:
    with pytest.raises(PackError, match="holds no alphabet"):
        reader_of(models[0], bare).read(picture(sign(LINES)))
    reader.read(picture(sign(LINES)))
    dictionary = tmp_path / "letters.txt"
    dictionary.write_text("\n".join(reader._recogniser._alphabet[1:-1]) + "\n", encoding="utf-8")
    given = replace(bare, files={"dictionary": dictionary})
    assert said(reader_of(models[0], given, models[2]).read(picture(sign(LINES)))[0]) == LINES
    dictionary.write_text("a\nb\n", encoding="utf-8")
    with pytest.raises(PackError, match="18710 letters, its alphabet has 4"):
        reader_of(models[0], given, models[2]).read(picture(sign(LINES)))
    dictionary.unlink()
    with pytest.raises(PackError, match=r"letters\.txt is missing"):
        reader_of(models[0], given, models[2]).read(picture(sign(LINES)))


def test_inputs_are_fed_as_the_manifest_states(models: tuple[Model, Model, Model]) -> None:
    dark = [replace(model, input=replace(model.input, mean=(1e6,) * 3)) for model in models]
    assert reader_of(*dark).read(picture(sign(LINES))) == ((), ())
    grey = replace(models[0], input=replace(models[0].input, colour="grey"))
    with pytest.raises(PackError, match="RGB or BGR"):
        reader_of(grey, *models[1:]).read(picture(sign(LINES)))


def test_weights_that_are_not_the_packs_are_refused(models: tuple[Model, Model, Model]) -> None:
    spoilt = replace(models[2], sha256="0" * 64)
    with pytest.raises(PackError, match="sha256"):
        reader_of(models[0], models[1], spoilt).read(picture(sign(LINES)))


OFFLINE = """
import sys

def refuse(event, arguments):
    if event.startswith("socket."):
        raise RuntimeError(event)

sys.addaudithook(refuse)
import numpy as np
from PIL import Image as Pillow
from overt.models.hub import Hub
from overt.types import Image

with Pillow.open(sys.argv[1]) as file:
    lines, _ = Hub.discover().text.read(Image(np.asarray(file.convert("RGB")), ""))
print("|".join(line.text for line in lines))
print(sorted({"rapidocr", "requests", "urllib3"} & set(sys.modules)))
"""


def test_reading_opens_no_socket(tmp_path: Path) -> None:
    sign(LINES).save(tmp_path / "sign.png")
    command = [sys.executable, "-c", OFFLINE, str(tmp_path / "sign.png")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.splitlines() == ["|".join(LINES), "[]"], done.stderr


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("azure_vision/images/ak.jpg", ["ALASKA", "MOOSE COUNTRY"]),
        ("azure_vision/images/az.jpg", ["ARIZONA", "ARIZONA HIGHWAYS MAGAZINE"]),
        ("azure_vision/images/il.jpg", ["ILLINOIS", "AU73671", "LAND OF LINCOLN"]),
        ("azure_vision/images/mi.jpg", ["MICHIGAN", "CFA 7360", "www.Michigan.gov"]),
        ("azure_vision/images/pa.jpg", ["PENNSYLVANIA", "L0503U"]),
        ("azure_vision/images/printed_text.jpg", ["Nutrition Facts", "Serving size: 1 bar (40g)", "Sodium 20mg"]),
        (
            "azure_vision/images/MultiLingual.png",
            [
                "French: combien est-ce que ça coûte?",
                "Portuguese: Quanto é isso? Quanto custa?",
                "Spanish: ¿cuánto cuesta esto?",
            ],
        ),
        ("azure_vision/images/handwritten_text.jpg", ["You must be the change", "you want to see in the world!"]),
        ("ocr_multilang/images/ch_en_num.jpg", ["正品促销", "大桶装更划算", "强力去污符合国标"]),
        ("ocr_multilang/images/en.jpg", ["MovieShots Dataset", "of this dataset are specified as follows."]),
        (
            "ocr_multilang/images/latin.jpg",
            ["Alphabetum in mundo hodie frequentissime adhibitum est alphabetum Latinum."],
        ),
        ("ocr_multilang/images/japan.jpg", ["三星堆の文化財レプリカが大阪・関西万博で展示へ"]),
        ("ocr_multilang/images/img_exif_orientation.jpg", ["我是中国人"]),
        ("ocr_multilang/scenetext/scenetext01.jpg", ["NOTICE", "DOUBLE", "PARKING", "PROHIBITED", "AT ALL TIMES"]),
        ("ocr_multilang/scenetext/scenetext02.jpg", ["Sports Centre", "Conference Centre", "Car Parks"]),
        ("ocr_multilang/scenetext/scenetext06.jpg", ["galleries", "the ship"]),
    ],
)
def test_real_pictures_are_read(
    reader: TextReader, shown: Callable[[str], Image], name: str, wanted: list[str]
) -> None:
    lines, words = reader.read(shown(name))
    assert [line for line in said(lines) if line in wanted] == wanted
    assert sum(" ".join(said(words)).count(line) for line in wanted) >= len(wanted)


@pytest.mark.parametrize("name", ["dog", "house", "landmark", "celebrities"])
def test_pictures_without_text_have_none(reader: TextReader, shown: Callable[[str], Image], name: str) -> None:
    assert reader.read(shown(f"azure_vision/images/{name}.jpg")) == ((), ())


@pytest.mark.parametrize("name", ["arabic.png", "devanagari.jpg", "korean.jpg", "ta.png", "th_rec.jpg"])
def test_scripts_it_cannot_read_do_not_come_as_sure_words(
    reader: TextReader, shown: Callable[[str], Image], name: str
) -> None:
    _, words = reader.read(shown(f"ocr_multilang/images/{name}"))
    assert [word for word in words if word.confidence >= 0.9 and word.text.isalnum() and len(word.text) > 2] == []
