# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import filming
import PIL.Image
import pytest

from overt.engine import Engine
from overt.media.live import LiveFrame
from overt.stores.base import NotFoundError
from overt.streams.analysis import Told
from overt.streams.searching import SearchAnalysis
from overt.streams.watch import WatchList
from overt.types import Box, ConnectedHome, FaceSearch, Image, Options, Region, Session, Stream, Wanted

NOON = dt.datetime(2026, 1, 2, 12, 0, tzinfo=dt.UTC)
ARN = "arn:aws:kinesisvideo:eu-west-1:123456789012:stream/gate/1"
DATA = "arn:aws:kinesis:eu-west-1:123456789012:stream/records"


def stream(listed: WatchList, key: str = "key", **wanted: Any) -> Stream:
    search = FaceSearch(listed.collection, 0.8)
    asked = Wanted(ARN, **{"search": search, "options": Options(quiet=1.0), **wanted})
    return Stream(key, listed.account, "gate", asked, NOON, NOON, session=Session("session", NOON))


def seen(analysis: SearchAnalysis, pixels: Iterable[filming.Rows], since: float = 0.0) -> list[Told]:
    told = []
    for number, rows in enumerate(pixels):
        if number % 5 == 0:
            time = since + number / filming.RATE
            wall = NOON + dt.timedelta(seconds=time)
            told.append(analysis.see(LiveFrame(Image(rows, ""), time, wall), wall))
    return told


def test_a_visit_is_one_alert_with_all_its_evidence(engine: Engine, listed: WatchList, photos: Path) -> None:
    analysis = SearchAnalysis(stream(listed), engine.models, engine.stores)
    told = seen(analysis, filming.passing(photos / "obama2.jpg", 3))
    told += seen(analysis, filming.empty(2), 3.0)
    (alert,) = [alert for each in told for alert in each.alerts]
    assert alert.match is not None
    assert alert.match.subject.external_image_id == "obama"
    assert (alert.collection, alert.list_size, alert.threshold) == (listed.collection, 2, 0.8)
    assert (alert.model, alert.source, alert.session) == (engine.models.faces.model, ARN, "session")
    assert alert.start == NOON + dt.timedelta(seconds=alert.time)
    assert alert.review == "none"
    with PIL.Image.open(io.BytesIO(alert.picture or b"")) as picture:
        found = engine.models.faces.detect(engine.media.decode(alert.picture or b""))
        assert max(picture.size) <= 640
    assert len(found) == 1
    over = told[-1].extended or [each for one in told for each in one.extended]
    assert over[-1].end is not None
    assert dt.timedelta(seconds=2) < over[-1].end - alert.start < dt.timedelta(seconds=3.1)
    kinds = [json.loads(parcel.body)["type"] for each in told for parcel in each.parcels]
    assert kinds == ["alert.begun", "alert.over"]
    assert sum(each.faces for each in told) == 1


def test_each_frame_is_a_record_where_they_are_wanted(engine: Engine, listed: WatchList, photos: Path) -> None:
    analysis = SearchAnalysis(stream(listed, records=DATA), engine.models, engine.stores)
    told = seen(analysis, filming.passing(photos / "biden.jpg", 1))
    records = [json.loads(parcel.body) for each in told for parcel in each.parcels if parcel.kind == "record"]
    assert len(records) == len(told)
    (face,) = records[-1]["FaceSearchResponse"]
    assert face["MatchedFaces"][0]["Face"]["ExternalImageId"] == "biden"


def test_faces_outside_the_regions_are_not_seen_and_regions_may_move(
    engine: Engine, listed: WatchList, photos: Path
) -> None:
    far = stream(listed, regions=(Region(Box(0.9, 0.9, 0.1, 0.1)),))
    analysis = SearchAnalysis(far, engine.models, engine.stores)
    assert not any(each.alerts for each in seen(analysis, filming.passing(photos / "biden.jpg", 1, still=True)))
    analysis.change(replace(far.wanted, regions=(Region(Box(0.0, 0.0, 1.0, 1.0)),)))
    assert any(each.alerts for each in seen(analysis, filming.passing(photos / "biden.jpg", 1, still=True), 1.0))


def test_nobody_is_told_what_is_to_be_reviewed(engine: Engine, listed: WatchList, photos: Path) -> None:
    asked = stream(listed, options=Options(quiet=1.0, reviews=True))
    analysis = SearchAnalysis(asked, engine.models, engine.stores)
    told = seen(analysis, filming.passing(photos / "biden.jpg", 1))
    (alert,) = [alert for each in told for alert in each.alerts]
    assert alert.review == "pending"
    assert not any(each.parcels for each in told)


def test_strangers_leave_nothing_unless_that_is_wanted(engine: Engine, listed: WatchList, photos: Path) -> None:
    nobody = FaceSearch(listed.collection, 0.9999999)
    analysis = SearchAnalysis(stream(listed, search=nobody), engine.models, engine.stores)
    told = seen(analysis, filming.passing(photos / "biden.jpg", 3))
    told.append(analysis.finish(NOON, ""))
    assert all(each.is_empty for each in told)
    options = Options(quiet=1.0, tells_unknown=True, sightings="seen")
    analysis = SearchAnalysis(stream(listed, search=nobody, options=options), engine.models, engine.stores)
    told = seen(analysis, filming.passing(photos / "biden.jpg", 3))
    told.append(analysis.finish(NOON, ""))
    (alert,) = [alert for each in told for alert in each.alerts]
    assert (alert.match, alert.picture is not None) == (None, True)
    (sighting,) = [sighting for each in told for sighting in each.sightings]
    with engine.stores.read() as unit:
        people = unit.collections.get(listed.account, listed.collection)
        ((face, cosine), *_) = unit.faces.search(people, sighting.embedding, 1, -1.0)
    assert (face.external_image_id, cosine > 0.5) == ("biden", True)


def test_a_visit_goes_on_with_the_next_worker(engine: Engine, listed: WatchList, photos: Path) -> None:
    asked = stream(listed, "interrupted")
    first = seen(SearchAnalysis(asked, engine.models, engine.stores), filming.passing(photos / "biden.jpg", 1))
    (alert,) = [alert for each in first for alert in each.alerts]
    with engine.stores.write() as unit:
        unit.alerts.add(alert)
    analysis = SearchAnalysis(asked, engine.models, engine.stores)
    told = seen(analysis, filming.passing(photos / "biden.jpg", 1))
    assert not any(each.alerts for each in told)
    (over,) = analysis.finish(NOON + dt.timedelta(seconds=9), "").extended
    assert (over.id, over.end is not None) == (alert.id, True)


def test_a_list_that_is_gone_and_a_stream_for_things_are_errors(
    engine: Engine, listed: WatchList, photos: Path
) -> None:
    gone = SearchAnalysis(stream(listed, search=FaceSearch("gone", 0.8)), engine.models, engine.stores)
    with pytest.raises(NotFoundError):
        seen(gone, filming.passing(photos / "biden.jpg", 1))
    with pytest.raises(ValueError, match="looks for no faces"):
        SearchAnalysis(stream(listed, search=None, home=ConnectedHome(("PERSON",))), engine.models, engine.stores)
