# SPDX-License-Identifier: Apache-2.0
"""The labels of pictures: their names, parents, categories and aliases, read from labels.tsv beside this file.

Knows no model and no picture; the label maps of the packs name its rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib import resources

_HEADER = "name\tparents\tcategories\taliases"

_GAPS = ("\n\t", "\n;", "\n ", "\t;", "\t ", ";\t", ";\n", ";;", "; ", " \t", " \n", " ;")
"""Where an item is empty, or starts or ends with a space. Lists may be empty, so tabs may follow each other."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One label.

    name: as shown, Title Case. parents: the direct ones, each a label itself; a label may have several or none.
    categories: at least one. aliases: other names of the same thing, no other label's name or alias among them.
    """

    name: str
    parents: tuple[str, ...]
    categories: tuple[str, ...]
    aliases: tuple[str, ...]


class Taxonomy:
    """All labels, and which is a kind of which. Names are found in any case, and by their aliases."""

    def __init__(self, entries: Mapping[int, Entry]) -> None:
        """Entries by line of their file, sorted by name. Raises: ValueError with the line where one breaks a rule."""
        rows = entries.values()
        self._lines = {entry.name: line for line, entry in entries.items()}
        self._named: dict[str, Entry] = {}
        self._parents = {entry.name: entry.parents for entry in rows}
        self._children: dict[str, list[str]] = {entry.name: [] for entry in rows}
        self.names = tuple(self._parents)
        self.categories = frozenset(category for entry in rows for category in entry.categories)
        last = ""
        for line, entry in entries.items():
            if entry.name <= last:
                raise _bad(line, f"{entry.name} does not come after {last}")
            last = entry.name
            self._claim(line, entry)
            for parent in entry.parents:
                if parent not in self._children:
                    raise _bad(line, f"the parent {parent} of {entry.name} is no label")
                self._children[parent].append(entry.name)
        try:
            TopologicalSorter(self._parents).prepare()
        except CycleError as error:
            circle: list[str] = error.args[1]
            raise _bad(self._lines[circle[0]], f"a label is its own ancestor: {', '.join(circle)}") from None

    @classmethod
    @cache
    def read(cls) -> Taxonomy:
        """The taxonomy of this package; the file is read once. Raises: ValueError when the file is bad."""
        return cls.parse(resources.files(__name__).joinpath("labels.tsv").read_text(encoding="utf-8"))

    @classmethod
    def parse(cls, text: str) -> Taxonomy:
        """A taxonomy from the text of such a file: a header, then name, parents, categories and aliases a line.

        Columns stand between tabs, the items of the last three between semicolons. Raises: ValueError with the line.
        """
        header, *rows = text.split("\n")
        if header != _HEADER:
            raise _bad(1, f"the header must be {_HEADER!r}")
        if not rows or rows.pop():
            raise _bad(len(rows) + 2, "the last line must end")
        for gap in _GAPS:
            at = text.find(gap)
            if at >= 0:
                raise _bad(text.count("\n", 0, at + 1) + 1, "an item is empty, or has space around it")
        return cls({line: _entry(line, row) for line, row in enumerate(rows, start=2)})

    def find(self, name: str) -> Entry | None:
        """The label of this name or alias, in any case; None when there is none."""
        return self._named.get(name.casefold())

    def ancestors(self, name: str) -> tuple[str, ...]:
        """All that a label is a kind of, nearest first; equally near ones as listed. Raises: KeyError."""
        return _walk(self._known(name), self._parents)

    def descendants(self, name: str) -> tuple[str, ...]:
        """All kinds of a label, nearest first; equally near ones as listed. Raises: KeyError."""
        return _walk(self._known(name), self._children)

    def _known(self, name: str) -> str:
        return self._named[name.casefold()].name

    def _claim(self, line: int, entry: Entry) -> None:
        for name in (entry.name, *entry.aliases):
            taken = self._named.get(name.casefold())
            if taken:
                raise _bad(line, f"{name} already names {taken.name} of line {self._lines[taken.name]}")
            self._named[name.casefold()] = entry


def _walk(start: str, steps: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Breadth first, without the start."""
    found = {start: None}
    edge = [start]
    while edge:
        edge = [name for name in dict.fromkeys(step for at in edge for step in steps[at]) if name not in found]
        found.update(dict.fromkeys(edge))
    return tuple(found)[1:]


def _entry(line: int, row: str) -> Entry:
    columns = row.split("\t")
    if len(columns) != _HEADER.count("\t") + 1:
        raise _bad(line, f"{len(columns)} columns instead of four")
    name, *lists = columns
    parents, categories, aliases = (tuple(items.split(";")) if items else () for items in lists)
    if not categories:
        raise _bad(line, f"{name!r} has no category")
    return Entry(name, parents, categories, aliases)


def _bad(line: int, what: str) -> ValueError:
    return ValueError(f"labels, line {line}: {what}")
