# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import filming
import pytest

from overt.jobs.task import FRAMES, MATCHES, Tools
from overt.jobs.tasks.search import Search
from overt.jobs.tasks.sights import Sight
from overt.models.tasks.faces import FaceTasks
from overt.stores import plain
from overt.stores.base import NotFoundError
from overt.types import Embedding, Face, Finding, Footage, Frame, Image, Match, StoredFace

FOOTAGE = Footage("h264", "MP4", 4.0, 25.0, 640, 360, is_full_range=False)


def frames(*parts: Iterator[filming.Rows]) -> list[Frame]:
    pixels = itertools.chain(*parts)
    return [Frame(Image(one, ""), k / 25) for k, one in enumerate(pixels) if k % 5 == 0]


def look(gallery: Tools, task: Search, seen: list[Frame]) -> list[Finding]:
    watch = task.begin(gallery, FOOTAGE, None)
    return [*itertools.chain.from_iterable(filming.seen(watch, frame) for frame in seen), *watch.finish()]


def test_a_person_is_searched_for_once_by_the_best_sight(
    gallery: Tools, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded: list[Face] = []
    embed = FaceTasks.embed

    def count(models: FaceTasks, image: Image, face: Face) -> Embedding:
        embedded.append(face)
        return embed(models, image, face)

    monkeypatch.setattr(FaceTasks, "embed", count)
    found = look(gallery, Search("000000000001", "people", 0.8), frames(filming.passing(photos / "obama2.jpg", 3)))
    sights = [plain.read(Sight, each.body) for each in found if each.view == FRAMES]
    assert len(sights) == 15
    assert {sight.index for sight in sights} == {0}
    (known,) = [plain.read(tuple[Match[StoredFace], ...], each.body) for each in found if each.view == MATCHES]
    assert [match.subject.external_image_id for match in known] == ["obama"]
    assert len(embedded) < 5


def test_whoever_is_away_for_long_is_told_before_the_end(gallery: Tools, photos: Path) -> None:
    seen = frames(filming.passing(photos / "obama2.jpg", 1), filming.empty(4), filming.passing(photos / "biden.jpg", 1))
    watch = Search("000000000001", "people", 0.8).begin(gallery, FOOTAGE, None)
    found = list(itertools.chain.from_iterable(filming.seen(watch, frame) for frame in seen))
    assert [each.name for each in found if each.view == MATCHES] == ["000000000"]
    assert [each.name for each in watch.finish()] == ["000000001"]


def test_a_stranger_matches_nobody(gallery: Tools, photos: Path) -> None:
    found = look(gallery, Search("000000000001", "people", 1.0), frames(filming.passing(photos / "biden.jpg", 1)))
    assert [each.body for each in found if each.view == MATCHES] == ["[]"]


def test_a_collection_that_is_gone_is_an_error(gallery: Tools, photos: Path) -> None:
    with pytest.raises(NotFoundError):
        look(gallery, Search("000000000001", "gone", 0.8), frames(filming.passing(photos / "biden.jpg", 1)))
