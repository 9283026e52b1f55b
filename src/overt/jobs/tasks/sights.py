# SPDX-License-Identifier: Apache-2.0
"""People followed through a video: what tasks on faces and on bodies tell of one sight."""

from __future__ import annotations

from dataclasses import dataclass

from overt.types import Box, Face


@dataclass(frozen=True, slots=True)
class Sight:
    """Somebody in one frame. index: the same for the same person, from 0. body, face: where they were seen."""

    index: int
    body: Box | None
    face: Face | None


def name(index: int) -> str:
    """What sights are ordered by, so that an index comes in the order of its number."""
    return f"{index:09d}"
