# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

from overt.cli import page

EVIL = "<script>alert('1')</script>\" onload=\"x"


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def everything() -> list[page.Part]:
    return [
        page.heading(EVIL),
        page.paragraph(EVIL),
        page.warning(EVIL),
        page.items([EVIL]),
        page.table([EVIL, EVIL], [[EVIL, EVIL]], EVIL),
        page.figure("<svg></svg>", EVIL),
    ]


def test_whatever_a_report_tells_is_shown_as_it_is_and_runs_nothing() -> None:
    reader = Reader()
    reader.feed(page.page(EVIL, everything()))
    assert "script" not in reader.tags
    assert not [name for name in reader.attributes if name.startswith("on")]
    assert "".join(reader.text).count(EVIL) == 12


def test_a_page_fetches_nothing_and_says_so() -> None:
    text = page.page("A report", everything())
    assert "default-src 'none'" in text
    assert not re.search(r"(src|href)=|url\(|@import|https?://", text)
    assert "@media print" in text


def test_the_same_parts_make_the_same_bytes(tmp_path: Path) -> None:
    page.write(tmp_path / "a.html", "A", everything())
    page.write(tmp_path / "b.html", "A", everything())
    page.write(None, "A", everything())
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_an_empty_list_is_nothing() -> None:
    assert page.items([]).html == ""
