# SPDX-License-Identifier: Apache-2.0
"""Every pair of photos of a labelled set of real people, alone and beside a gallery of 5,000 others."""

from __future__ import annotations

import csv
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from overt import settings
from overt.engine import Engine
from overt.stores.base import NewFace
from overt.types import Box, Embedding
from overt.wire import local

STRANGERS = 5_000
GROUPS = {"test-image-person-group.jpg": {"man2", "lady2"}, "detection6.jpg": {"man3", "lady3"}}


@dataclass(frozen=True)
class People:
    """Photos by file name, and who is on them; a name of its own for each unnamed person."""

    folder: Path
    shown: dict[str, frozenset[str]]

    def image(self, name: str) -> dict[str, Any]:
        return {"Bytes": (self.folder / name).read_bytes()}

    @property
    def single(self) -> dict[str, str]:
        return {name: next(iter(who)) for name, who in self.shown.items() if len(who) == 1}


@pytest.fixture(scope="module")
def people(shared_data: Path) -> People:
    folder = shared_data / "azure_faces"
    with (folder / "labels.csv").open() as file:
        labels = {row["file"]: row["person"] for row in csv.DictReader(file)}
    shown = {
        name: frozenset(GROUPS.get(name) or {name if person.startswith("other") else person})
        for name, person in labels.items()
    }
    return People(folder / "images", shown)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    opened = Engine.open(settings.load(home=tmp_path_factory.mktemp("people")))
    yield opened
    opened.close()


def test_compare_faces_is_right_for_every_pair(engine: Engine, people: People) -> None:
    wrong = []
    for source, person in people.single.items():
        for target, shown in people.shown.items():
            answer = local.call(
                engine, "CompareFaces", SourceImage=people.image(source), TargetImage=people.image(target)
            )
            if len(answer["FaceMatches"]) != (person in shown):
                wrong.append((source, target, [match["Similarity"] for match in answer["FaceMatches"]]))
    assert wrong == []


@pytest.fixture(scope="module")
def gallery(engine: Engine, people: People) -> str:
    """Every single portrait, enrolled under the person's name."""
    local.call(engine, "CreateCollection", CollectionId="people")
    for name, person in people.single.items():
        answer = local.call(
            engine,
            "IndexFaces",
            CollectionId="people",
            Image=people.image(name),
            ExternalImageId=f"{person}:{name}",
            MaxFaces=1,
        )
        assert len(answer["FaceRecords"]) == 1, name
    return "people"


def search(engine: Engine, people: People, name: str) -> list[tuple[str, float]]:
    answer = local.call(engine, "SearchFacesByImage", CollectionId="people", Image=people.image(name))
    return [(match["Face"].get("ExternalImageId", ""), match["Similarity"]) for match in answer["FaceMatches"]]


def test_search_is_right_for_every_photo_and_strangers_change_nothing(
    engine: Engine, people: People, gallery: str, shared_data: Path, tmp_path: Path
) -> None:
    alone = {name: search(engine, people, name) for name in people.single}
    for name, person in people.single.items():
        same = {f"{other}:{file}" for file, other in people.single.items() if other == person}
        assert {external for external, _ in alone[name]} == same, name

    add_strangers(engine, gallery, shared_data, tmp_path)
    false_matches = 0
    for name in people.single:
        beside = search(engine, people, name)
        assert beside[: len(alone[name])] == alone[name], "the same people first, with the same similarity"
        strangers = beside[len(alone[name]) :]
        assert all(similarity < 95 for _, similarity in strangers)
        false_matches += len(strangers)
    # Similarity 80 means a false-match rate of 1e-3: up to 5 strangers for each search of 5,000.
    assert false_matches / (STRANGERS * len(people.single)) < 1e-3


def add_strangers(engine: Engine, gallery: str, shared_data: Path, scratch: Path) -> None:
    file = scratch / "strangers.npy"
    script = shared_data / "synth_gallery" / "synth_gallery.py"
    subprocess.run([sys.executable, script, str(STRANGERS), file], check=True)
    model, place = engine.models.faces.model, Box(0.2, 0.2, 0.5, 0.5)
    vectors = np.load(file)
    with engine.stores.write() as unit:
        collection = unit.collections.get(engine.settings.account, gallery)
        faces = [NewFace(str(uuid.uuid4()), place, 0.9, Embedding(vector, model)) for vector in vectors]
        unit.faces.add(collection, str(uuid.uuid4()), None, faces)
