# SPDX-License-Identifier: Apache-2.0
"""Which ExternalImageId a picture was enrolled under: by a rule over its name, or by a list. Knows no face.

Rekognition does not tell which object a face came from; applications make the ExternalImageId from the object's name
in one of a few ways.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from overt.cli.output import CommandError

PARTS: dict[str, tuple[str, Callable[[str, str], str]]] = {
    "stem": ("the file's name without its ending", lambda key, _: PurePosixPath(key).stem),
    "name": ("the file's name", lambda key, _: PurePosixPath(key).name),
    "folder": ("the folder it lies in", lambda key, _: PurePosixPath(key).parent.name),
    "key": ("the whole key", lambda key, _: key),
    "key-stem": ("the whole key without its ending", lambda key, _: str(PurePosixPath(key).with_suffix(""))),
    "path": ("the key below the prefix", lambda _, below: below),
    "path-stem": (
        "the key below the prefix, without its ending",
        lambda _, below: str(PurePosixPath(below).with_suffix("")),
    ),
}
"""By name: what it is in words, and how it is had from the key and the key below the prefix."""
REPLACEMENTS = ("_", "-", ":", ".", "")
"""What people put for characters that an ExternalImageId may not hold, the likeliest first."""
_FORBIDDEN = re.compile(r"[^a-zA-Z0-9_.\-:]")
_LONGEST = 255


@dataclass(frozen=True, slots=True)
class Rule:
    """A way to make ExternalImageIds. part: of PARTS. replacement: stands for each character not allowed."""

    part: str
    replacement: str = "_"

    def name(self, key: str, below: str) -> str:
        """The ExternalImageId of a key; below: the same without the prefix. "" when nothing is left of it."""
        # A name may start with a slash, or be nothing but an ending.
        part = PARTS[self.part][1](key.strip("/") or "-", below.strip("/") or "-")
        return _FORBIDDEN.sub(self.replacement, part)[:_LONGEST]

    def __str__(self) -> str:
        """In words."""
        return f"{self.part}: {PARTS[self.part][0]}, with {self.replacement!r} for characters that are not allowed"


def explained(rule: Rule, keys: Iterable[tuple[str, str]], enrolled: Mapping[str, int]) -> int:
    """How many enrolled pictures a rule finds a key for.

    Args: keys: (key, the same below the prefix). enrolled: pictures by ExternalImageId.
    """
    named = Counter(rule.name(*key) for key in keys)
    return sum(min(count, named[external]) for external, count in enrolled.items() if external)


def best_rule(keys: Sequence[tuple[str, str]], enrolled: Mapping[str, int]) -> tuple[Rule, int]:
    """The rule that finds a key for most of the enrolled pictures, and for how many; of equals the first."""
    rules = [Rule(part, replacement) for part in PARTS for replacement in REPLACEMENTS]
    counts = {rule: explained(rule, keys, enrolled) for rule in rules}
    chosen = max(rules, key=lambda rule: counts[rule])
    return chosen, counts[chosen]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a list. external, user, face (the source's FaceId): "" where the list does not say."""

    key: str
    external: str = ""
    user: str = ""
    face: str = ""


def read_list(path: Path, bucket: str) -> list[Entry]:
    """A CSV file with a column key, and external_image_id, user_id and face_id where they are known.

    Keys may be written as s3://bucket/key. Raises: CommandError when it is no such file.
    """
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file)
        columns = rows.fieldnames or ()
        if "key" not in columns or not {"external_image_id", "user_id", "face_id"} & set(columns):
            told = "key, and any of external_image_id, user_id, face_id"
            raise CommandError(f"{path} has the columns {', '.join(columns)}; those read are {told}")
        return list(_entries(rows, bucket))


def _entries(rows: Iterable[Mapping[str, str | None]], bucket: str) -> Iterator[Entry]:
    for row in rows:
        key = (row["key"] or "").removeprefix(f"s3://{bucket}/")
        if key:
            yield Entry(key, row.get("external_image_id") or "", row.get("user_id") or "", row.get("face_id") or "")
