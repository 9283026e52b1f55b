# SPDX-License-Identifier: Apache-2.0
"""Labelled pictures of people as vectors, for evaluations: a folder for each person, or a list. Keeps nothing on disk.

Knows no measure.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from overt.cli import judging, runs
from overt.cli.output import CommandError
from overt.engine import Engine
from overt.govern.identification import Labelled
from overt.types import Embedding, Face, Image


@dataclass(frozen=True, slots=True)
class Sample:
    """Pictures that were looked at. labelled: their vectors; rows are as `pictures`. unreadable: files, and why."""

    pictures: tuple[Path, ...]
    labelled: Labelled
    unreadable: Mapping[str, str]

    @property
    def faceless(self) -> int:
        """How many pictures could be read and show no face."""
        return int((~self.labelled.present).sum()) - len(self.unreadable)

    def data(self, name: str) -> runs.Data:
        """The same for a record."""
        digest = runs.digest(path for path in self.pictures if path.is_file())
        return runs.Data(name, len(self.pictures), len(self.labelled.people), digest)


def by_person(source: Path) -> dict[str, list[Path]]:
    """Pictures by person, from a folder of folders, or from a CSV file with the columns file and person.

    Files are named as from the list's own folder. Raises: CommandError when there are none.
    """
    if source.is_dir():
        return judging.by_folder(source)
    people: dict[str, list[Path]] = {}
    for row in rows(source, ("file", "person")):
        people.setdefault(row["person"], []).append(source.parent / row["file"])
    if not people:
        raise CommandError(f"{source} names no picture")
    return people


def rows(path: Path, needed: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a CSV file with a heading. Raises: CommandError when a column is missing or a row is short."""
    with judging.file(path).open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        missing = [name for name in needed if name not in (reader.fieldnames or ())]
        if missing:
            raise CommandError(
                f"{path} lacks the column {missing[0]}; it has {', '.join(reader.fieldnames or ()) or 'none'}"
            )
        found = []
        for row in reader:
            if any(not row[name] for name in needed):
                raise CommandError(f"{path}, line {reader.line_num}: {', '.join(needed)} must all be there")
            found.append({name: value or "" for name, value in row.items() if name is not None})
    return found


def look(opened: Engine, people: Mapping[str, Sequence[Path]], *, quiet: bool) -> Sample:
    """The face nearest the centre of each picture, as that is who is meant. Raises: CommandError, PackError."""
    pictures = tuple(path for paths in people.values() for path in paths)
    faces = opened.models.faces

    def see(image: Image) -> Embedding | None:
        found = faces.detect(image)
        return faces.embed(image, min(found, key=off_centre)) if found else None

    looked = judging.look(opened, pictures, see, quiet=quiet)
    known = [looked.seen.get(path) for path in pictures]
    dimension = next((len(one.vector) for one in known if one), 0)
    if not dimension:
        raise CommandError(f"no face was found in any of {len(pictures)} pictures")
    vectors = np.stack([one.vector if one else np.zeros(dimension, np.float32) for one in known])
    ends = np.cumsum([0, *(len(paths) for paths in people.values())])
    owned = [range(start, end) for start, end in itertools.pairwise(ends)]
    labelled = Labelled(vectors.astype(np.float32), np.array([one is not None for one in known]), owned)
    return Sample(pictures, labelled, looked.unreadable)


def off_centre(face: Face) -> float:
    """How far a face is from the centre; pictures of one person are mostly centred on that person."""
    x, y = face.box.left + face.box.width / 2, face.box.top + face.box.height / 2
    return (x - 0.5) ** 2 + (y - 0.5) ** 2
