# SPDX-License-Identifier: Apache-2.0
"""`overt report card`: a model and system card from records of evaluations. Knows files; `govern.card` knows cards."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from overt.cli import judging, output, page, runs
from overt.govern import card as cards
from overt.govern.card import Section


def card(
    records: Annotated[list[Path], typer.Argument(help="Records written with --record.")],
    operator: Annotated[Path | None, typer.Option(help="TOML file with your own text for each section.")] = None,
    complete: Annotated[bool, typer.Option("--complete", help="Fail when a section is missing.")] = False,
    html: page.HtmlOption = None,
    file: Annotated[Path | None, typer.Option("--file", help="Also write the card as JSON to this file.")] = None,
    as_json: output.JsonOption = False,
) -> None:
    """Make a card from records: the same bytes from the same records, gaps told as such."""
    try:
        sections = cards.build([runs.read(judging.file(path)) for path in records], _written(operator))
    except ValueError as error:
        raise output.CommandError(str(error)) from None
    missing = [section.key for section in sections if section.missing]
    result = {"sections": [asdict(section) for section in sections], "missing": missing}
    if file:
        file.write_text(json.dumps(result, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    page.write(html, "Model and system card", _page(sections))
    output.show(result, lambda: _print(sections), as_json=as_json)
    if complete and missing:
        raise output.CommandError(f"the card lacks {', '.join(missing)}: write them in the file given as --operator")


def _written(path: Path | None) -> Mapping[str, str]:
    if path is None:
        return {}
    try:
        table: dict[str, Any] = tomllib.loads(judging.file(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise output.CommandError(f"{path}: {error}") from None
    for key, text in table.items():
        if not isinstance(text, str):
            raise output.CommandError(f"{path}: {key} must be a text")
    return table


def _print(sections: Sequence[Section]) -> None:
    for section in sections:
        output.line(f"\n{section.title}")
        for paragraph in section.paragraphs:
            output.line(f"  {paragraph}")
        for table in section.tables:
            output.line(f"  {table.caption}")
            output.table(table.headings, table.rows)


def _page(sections: Sequence[Section]) -> list[page.Part]:
    parts: list[page.Part] = []
    for section in sections:
        parts.append(page.heading(section.title))
        parts += [
            page.warning(paragraph) if paragraph == cards.MISSING else page.paragraph(paragraph)
            for paragraph in section.paragraphs
        ]
        parts += [page.table(table.headings, table.rows, table.caption) for table in section.tables]
    return parts
