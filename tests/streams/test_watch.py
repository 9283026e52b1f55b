# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import filming
import pytest

from overt.engine import Engine
from overt.models.tasks.faces import FaceTasks
from overt.stores.base import NewFace, NotFoundError
from overt.streams.watch import Sight, Watch, WatchList
from overt.types import Embedding, Face, Image


def seen(watch: Watch, pixels: Iterator[filming.Rows], since: float = 0.0) -> list[tuple[Sight, ...]]:
    return [watch.see(Image(one, ""), since + k / 25) for k, one in enumerate(pixels) if k % 5 == 0]


def test_a_listed_person_is_known_and_embedded_a_few_times_only(
    engine: Engine, listed: WatchList, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded: list[Face] = []
    embed = FaceTasks.embed

    def count(models: FaceTasks, image: Image, face: Face) -> Embedding:
        embedded.append(face)
        return embed(models, image, face)

    monkeypatch.setattr(FaceTasks, "embed", count)
    watch = Watch(engine.models.faces, engine.stores, listed)
    frames = seen(watch, filming.passing(photos / "obama2.jpg", 3))
    assert [len(sights) for sights in frames] == [1] * 15
    assert {sights[0].index for sights in frames} == {0}
    assert [sights[0].matches[0].subject.external_image_id for sights in frames[1:]] == ["obama"] * 14
    assert [sights[0].is_confirmed for sights in frames] == [False] + [True] * 14
    assert len(embedded) == sum(sights[0].embedding is not None for sights in frames) < 5


def test_a_stranger_has_no_match(engine: Engine, listed: WatchList, photos: Path) -> None:
    watch = Watch(engine.models.faces, engine.stores, WatchList(listed.account, listed.collection, 0.999999))
    assert {sights[0].matches for sights in seen(watch, filming.passing(photos / "biden.jpg", 1))} == {()}


def test_who_is_enrolled_while_we_watch_is_known_when_next_embedded(
    engine: Engine, listed: WatchList, photos: Path
) -> None:
    watch = Watch(engine.models.faces, engine.stores, listed)
    seen(watch, filming.passing(photos / "biden.jpg", 1))
    smaller = filming.passing(photos / "biden.jpg", 1, size=(320, 180))
    assert all(sights[0].matches for sights in seen(watch, smaller, 2.0) if sights)


def test_who_is_enrolled_or_deleted_while_standing_there_counts(engine: Engine, photos: Path) -> None:
    models, account = engine.models.faces, "000000000002"
    with engine.stores.write() as unit:
        people = unit.collections.create(account, "door", models.model, dt.datetime.now(dt.UTC))
    watch = Watch(models, engine.stores, WatchList(account, "door", 0.8))
    image = engine.media.decode((photos / "biden.jpg").read_bytes())
    assert not watch.see(image, 0.0)[0].matches
    with engine.stores.write() as unit:
        face = models.detect(image)[0]
        unit.faces.add(people, "picture", "biden", [NewFace("one", face.box, 1.0, models.embed(image, face))])
    assert watch.see(image, 2.0)[0].matches[0].subject.id == "one"
    assert watch.list_size == 1
    with engine.stores.write() as unit:
        unit.faces.delete(people, ["one"])
    assert not watch.see(image, 4.0)[0].matches


def test_a_list_that_is_gone_is_an_error(engine: Engine, listed: WatchList, photos: Path) -> None:
    watch = Watch(engine.models.faces, engine.stores, WatchList(listed.account, "gone", 0.8))
    with pytest.raises(NotFoundError):
        seen(watch, filming.passing(photos / "biden.jpg", 1))
