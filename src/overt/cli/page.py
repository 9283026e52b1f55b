# SPDX-License-Identifier: Apache-2.0
"""Reports as one HTML file: to read, to print and to keep. Nothing in it is fetched and nothing runs; all is escaped.

Knows no figure and no report.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

HtmlOption = Annotated[Path | None, typer.Option("--html", help="Also write the report to this HTML file.")]

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#111;background:#fff;max-width:62rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;line-height:1.2}h2{font-size:1.2rem;margin-top:2rem}
table{border-collapse:collapse;margin:1rem 0;font-size:.9rem}caption{text-align:left;font-weight:600;padding:.3rem 0}
th,td{border-bottom:1px solid #999;padding:.25rem .7rem .25rem 0;text-align:left;vertical-align:top}
td{font-variant-numeric:tabular-nums}figure{margin:1rem 0}figcaption{font-size:.9rem}svg{max-width:100%;height:auto}
.warn{border-left:4px solid #a00;padding-left:.8rem}
@media print{body{margin:0;max-width:none;font-size:11px}tr,figure{break-inside:avoid}h2{break-after:avoid}}
"""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a page, as HTML that is safe to show."""

    html: str


def heading(text: str) -> Part:
    """The heading of a section."""
    return Part(f"<h2>{html.escape(text)}</h2>")


def paragraph(text: str) -> Part:
    """A paragraph."""
    return Part(f"<p>{html.escape(text)}</p>")


def warning(text: str) -> Part:
    """A paragraph that must not be overlooked."""
    return Part(f'<p class="warn"><strong>{html.escape(text)}</strong></p>')


def items(texts: Iterable[str]) -> Part:
    """A list; nothing when there is nothing to list."""
    told = "".join(f"<li>{html.escape(text)}</li>" for text in texts)
    return Part(f"<ul>{told}</ul>" if told else "")


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]], caption: str = "") -> Part:
    """A table whose first column names its rows."""
    head = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in headings)
    body = "".join(f"<tr>{_row([html.escape(str(cell)) for cell in row])}</tr>" for row in rows)
    title = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    return Part(f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def _row(cells: Sequence[str]) -> str:
    first, *others = cells
    return f'<th scope="row">{first}</th>' + "".join(f"<td>{cell}</td>" for cell in others)


def figure(drawing: str, caption: str) -> Part:
    """A drawing of `curves`, which escapes what it writes."""
    return Part(f"<figure>{drawing}<figcaption>{html.escape(caption)}</figcaption></figure>")


def page(title: str, parts: Iterable[Part]) -> str:
    """A whole document, the same for the same parts."""
    # The policy holds even where an escape should have been forgotten.
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style>"
    )
    body = "\n".join(part.html for part in parts)
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}</head>\n'
        f"<body><main>\n<h1>{html.escape(title)}</h1>\n{body}\n</main></body></html>\n"
    )


def write(path: Path | None, title: str, parts: Iterable[Part]) -> None:
    """Write a page, if there is a file to write it to."""
    if path:
        path.write_text(page(title, parts), encoding="utf-8")
