# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import filming
import pytest
from watching import alerts, claim, get, put, start, stop, stop_all, until

from overt import settings
from overt.engine import Engine
from overt.stores.base import NewFace, UnavailableError
from overt.streams.analysis import Told
from overt.streams.watch import WatchList
from overt.streams.worker import Tools, Worker
from overt.types import Box, Options, Region, Stream


@pytest.fixture(scope="module")
def short(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film in which two people pass, one after the other."""
    file = tmp_path_factory.mktemp("short") / "short.mp4"
    parts = (
        filming.passing(photos / "obama2.jpg", 2),
        filming.empty(2),
        filming.passing(photos / "biden.jpg", 2),
        filming.empty(0.5),
    )
    file.write_bytes(filming.film(itertools.chain(*parts)))
    return file


@pytest.fixture(autouse=True)
def _stopped(engine: Engine) -> Iterator[None]:
    yield
    stop_all(engine)


def whom(engine: Engine, stream: Stream) -> list[str]:
    return [alert.match.subject.external_image_id or "" for alert in alerts(engine, stream) if alert.match]


@contextmanager
def worker(engine: Engine, stream: Stream, tools: Tools | None = None) -> Iterator[Worker]:
    start(engine, stream)
    opened = Worker(claim(engine, stream), tools or engine.watching())
    try:
        yield opened
    finally:
        opened.close()
        opened.join(20)
        assert not opened.is_alive


def test_it_watches_until_the_source_ends(engine: Engine, listed: WatchList, short: Path) -> None:
    stream = put(engine, listed, "ends", short.as_uri())
    with worker(engine, stream):
        until(lambda: get(engine, stream).status == "RUNNING")
        until(lambda: get(engine, stream).is_over)
    done = get(engine, stream)
    assert (done.status, done.message) == ("STOPPED", "the source came to its end")
    assert whom(engine, stream) == ["obama", "biden"]
    assert all(alert.end is not None for alert in alerts(engine, stream))
    assert done.pulse is not None
    assert (done.pulse.alerts, done.pulse.looked > 20) == (2, True)
    with engine.stores.read() as unit:
        (lane,) = unit.parcels.lanes(stream.id)
    assert (lane.target, lane.waiting) == ("events:", 4)


def test_a_stop_ends_it_and_its_visits(engine: Engine, listed: WatchList, short: Path) -> None:
    stream = put(engine, listed, "stops", f"{short.as_uri()}?loop=1")
    with worker(engine, stream) as watching:
        until(lambda: alerts(engine, stream))
        stop(engine, stream)
        watching.poke()
        until(lambda: get(engine, stream).is_over)
    assert get(engine, stream).status == "STOPPED"
    assert all(alert.end is not None for alert in alerts(engine, stream))


def test_a_worker_that_is_closed_leaves_the_stream_and_its_visits_to_the_next(
    engine: Engine, listed: WatchList, short: Path
) -> None:
    stream = put(engine, listed, "left", f"{short.as_uri()}?loop=1")
    with worker(engine, stream):
        until(lambda: alerts(engine, stream))
    assert get(engine, stream).status == "RUNNING"
    assert [alert.end for alert in alerts(engine, stream)] == [None]
    with engine.stores.read() as unit:
        assert stream.id in unit.streams.due("another")


def test_whoever_lost_the_stream_tells_nothing_more(engine: Engine, listed: WatchList, short: Path) -> None:
    stream = put(engine, listed, "lost", f"{short.as_uri()}?loop=1")
    with worker(engine, stream) as watching:
        until(lambda: get(engine, stream).status == "RUNNING")
        with engine.stores.write() as unit:
            unit.streams.claim(stream.id, "one", 15)
        watching.poke()
        until(lambda: not watching.is_alive)
    assert not watching.failed
    assert get(engine, stream).status == "RUNNING"


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("list", {"collection": "gone"}, "no collection gone"),
        ("source", {"url": "gopher://camera"}, "no source reads"),
        ("sightings", {"sightings": "gone"}, "no collection gone"),
    ],
)
def test_what_somebody_has_to_mend_fails_in_words(
    engine: Engine, listed: WatchList, short: Path, name: str, changes: dict[str, str], words: str
) -> None:
    stream = put(
        engine,
        replace(listed, collection=changes.get("collection", listed.collection)),
        f"fails-{name}",
        changes.get("url", short.as_uri()),
        options=Options(quiet=1.0, sightings=changes.get("sightings")),
    )
    with worker(engine, stream):
        until(lambda: get(engine, stream).is_over)
    done = get(engine, stream)
    assert done.status == "FAILED"
    assert words in done.message


def test_a_camera_that_is_away_is_told_and_waited_for(engine: Engine, listed: WatchList) -> None:
    stream = put(engine, listed, "away", "rtsp://127.0.0.1:9/cam")
    with worker(engine, stream):
        until(lambda: get(engine, stream).message)
    done = get(engine, stream)
    assert done.status == "STARTING"
    assert done.message.startswith(("waiting", "connecting"))


def test_regions_change_in_flight_and_other_options_by_a_new_worker(
    engine: Engine, listed: WatchList, short: Path
) -> None:
    corner = (Region(Box(0.9, 0.9, 0.1, 0.1)),)
    stream = put(engine, listed, "changes", f"{short.as_uri()}?loop=1", regions=corner)
    with worker(engine, stream) as watching:
        until(lambda: (pulse := get(engine, stream).pulse) and pulse.looked)
        with engine.stores.write() as unit:
            unit.streams.want(stream.account, stream.name, replace(stream.wanted, regions=()))
        watching.poke()
        until(lambda: alerts(engine, stream))
        with engine.stores.write() as unit:
            wanted = replace(stream.wanted, regions=(), options=Options(quiet=9.0))
            unit.streams.want(stream.account, stream.name, wanted)
        watching.poke()
        until(lambda: not watching.is_alive)
    assert not get(engine, stream).is_over


def test_nothing_is_lost_while_the_store_takes_nothing(engine: Engine, listed: WatchList, short: Path) -> None:
    stream = put(engine, listed, "patient", short.as_uri())
    refused: list[int] = []

    def put_parcels(unit: Any, parcels: Any) -> None:
        if len(refused) < 5:
            refused.append(1)
            raise UnavailableError("the database is away")
        engine.post.put(unit, parcels)

    with worker(engine, stream, replace(engine.watching(), put=put_parcels)):
        until(lambda: get(engine, stream).is_over)
    assert len(refused) == 5
    assert whom(engine, stream) == ["obama", "biden"]


def test_of_a_face_that_was_erased_a_moment_ago_nothing_is_told(
    engine: Engine, listed: WatchList, short: Path, photos: Path
) -> None:
    models = engine.models.faces
    with engine.stores.write() as unit:
        people = unit.collections.create(listed.account, "erased", models.model, dt.datetime.now(dt.UTC))
        image = engine.media.decode((photos / "biden.jpg").read_bytes())
        face = models.detect(image)[0]
        unit.faces.add(people, "picture", "biden", [NewFace("one", face.box, 1.0, models.embed(image, face))])
    stream = put(engine, replace(listed, collection="erased"), "erased", short.as_uri())
    tools = engine.watching()

    class Late:
        """An analysis during which the face is erased."""

        def __init__(self, found: Stream) -> None:
            self._analysis = tools.analyse(found)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._analysis, name)

        def see(self, frame: Any, wall: dt.datetime) -> Told:
            told: Told = self._analysis.see(frame, wall)
            if told.alerts:
                engine.stores.erase(people, ["one"])
            return told

    with worker(engine, stream, replace(tools, analyse=Late)):
        until(lambda: get(engine, stream).is_over)
    assert alerts(engine, stream) == []
    with engine.stores.read() as unit:
        assert unit.parcels.lanes(stream.id) == []


def test_an_error_of_ours_leaves_the_stream_to_be_watched(engine: Engine, listed: WatchList, short: Path) -> None:
    stream = put(engine, listed, "broken", short.as_uri())

    def broken(_stream: Stream) -> Any:
        raise RuntimeError("a bug")

    with worker(engine, stream, replace(engine.watching(), analyse=broken)) as watching:
        until(lambda: not watching.is_alive)
    assert watching.failed
    assert get(engine, stream).status == "STARTING"


def test_sightings_let_a_new_photo_search_the_past(
    engine: Engine, listed: WatchList, short: Path, photos: Path
) -> None:
    models = engine.models.faces
    with engine.stores.write() as unit:
        seen = unit.collections.create(listed.account, "seen", models.model, dt.datetime.now(dt.UTC))
    options = Options(quiet=1.0, sightings="seen", sighting_days=2)
    stream = put(engine, listed, "sightings", short.as_uri(), options=options)
    with worker(engine, stream):
        until(lambda: get(engine, stream).is_over)
    image = engine.media.decode((photos / "biden.jpg").read_bytes())
    probe = models.embed(image, models.detect(image)[0])
    with engine.stores.read() as unit:
        faces = unit.faces.page(seen, 0, 100)
        ((found, cosine), *_) = unit.faces.search(seen, probe, 1, -1.0)
        ends = unit.expiries.of(seen, [found.id])
    assert len(faces) == 2
    assert cosine > 0.5
    assert (found.external_image_id or "").startswith("sightings:20")
    assert len(ends) == 1


def test_settings_name_how_many_frames_are_looked_at_at_once(tmp_path: Path) -> None:
    opened = Engine.open(settings.load(home=tmp_path / "home", workers=3))
    places = opened.watching().places
    with places, places, places:
        assert not places.acquire(blocking=False)  # type: ignore[attr-defined]  # a semaphore
    opened.close()
