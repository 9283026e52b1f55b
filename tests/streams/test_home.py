# SPDX-License-Identifier: Apache-2.0
"""Real pictures before the real detector, and a drawn one where no installed model sees what is looked for."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import filming
import numpy as np
import pytest
from PIL import Image as Pillow

from overt.engine import Engine
from overt.media.live import Camera, LiveFrame
from overt.models.additions import Additions
from overt.models.additions import Wanted as Addition
from overt.models.hub import Hub
from overt.models.pack import Pack, PackError
from overt.streams.home import HomeAnalysis, asked, unseen
from overt.streams.sinks import open_sink
from overt.testing import networks
from overt.testing.sinks import surroundings
from overt.types import Box, ConnectedHome, Image, Options, Parcel, Region, Session, Stored, Stream, Wanted

BEGUN = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
TOPIC = "arn:aws:sns:us-east-1:123456789012:door"
CAMERA = "arn:aws:kinesisvideo:us-east-1:123456789012:stream/door/1"
WANTED = Wanted(CAMERA, home=ConnectedHome(("PERSON",)), frames=Stored("home", "seen/here/"), topic=TOPIC)
STEP = 0.2


def stream(seconds: float | None = 60.0, **changes: Any) -> Stream:
    session = Session("session-1", BEGUN, seconds=seconds)
    return Stream("0" * 32, "000000000001", "door", replace(WANTED, **changes), BEGUN, BEGUN, "RUNNING", "", session)


def wall(time: float) -> dt.datetime:
    return BEGUN + dt.timedelta(seconds=time)


def shown(analysis: HomeAnalysis, pictures: Iterable[filming.Rows], since: float = 0.0) -> list[tuple[Parcel, ...]]:
    """What each frame brought."""
    told = []
    for number, pixels in enumerate(pictures):
        time = since + number * STEP
        told.append(analysis.see(LiveFrame(Image(pixels, ""), 100 + time, wall(time)), wall(time)).parcels)
    return told


def person(photos: Path, count: int) -> list[filming.Rows]:
    return list(islice(filming.passing(photos / "obama2.jpg", 8, still=True), count))


def nothing(count: int) -> list[filming.Rows]:
    return list(islice(filming.empty(60), count))


def bodies(told: Iterable[Iterable[Parcel]]) -> list[dict[str, Any]]:
    return [json.loads(parcel.body) for parcels in told for parcel in parcels if parcel.body]


def names(told: Iterable[Iterable[Parcel]]) -> list[str]:
    return [label["name"] for body in bodies(told) for label in body["labels"]]


@pytest.fixture(scope="session")
def hub(engine: Engine) -> Hub:
    return engine.models


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a detector lies that sees packages where cells are red, and dogs where they are blue."""
    folder = tmp_path_factory.mktemp("drawn")
    additions = Additions(folder / "models")
    manifest = networks.detector(folder / "made", ("Package", "Plant", "dog"))
    with additions.fetched(Addition(manifest=str(manifest))) as pack:
        additions.keep(pack)
    return additions.folder


@pytest.fixture(scope="session")
def drawn(place: Path) -> Hub:
    """That detector, and nothing else."""
    return Hub((), [Pack.read(each) for each in place.iterdir()])


def cells(red: bool = False, blue: bool = False) -> filming.Rows:  # noqa: FBT001 - what is in sight
    pixels = np.zeros((128, 128, 3), np.uint8)
    pixels[32:64, 64:96, 0] = 255 * red
    pixels[96:, :32, 2] = 255 * blue
    return pixels


def test_a_person_is_told_once_at_the_second_sight(hub: Hub, photos: Path) -> None:
    analysis = HomeAnalysis(stream(), hub, {"house": "12"})
    told = shown(analysis, [*nothing(2), *person(photos, 6), *nothing(6), *person(photos, 3)])
    assert [number for number, parcels in enumerate(told) if parcels] == [3]
    pictures, message = told[3]
    assert (pictures.target, pictures.kind, pictures.body) == ("s3://home/seen/here", "picture", b"")
    assert (message.target, message.kind) == (f"sns:{TOPIC}", "label")
    assert {parcel.subject for parcel in told[3]} == {"Rekognition Stream Processing Event"}
    assert {parcel.stream for parcel in told[3]} == {"0" * 32}
    assert message.attachments == ()
    (body,) = bodies(told)
    assert body["tags"] == {"house": "12"}
    (label,) = body["labels"]
    assert label["name"] == "PERSON"
    assert 50 <= label["confidence"] <= 100
    box = label["boundingBox"]
    assert 0 <= box["left"] < 0.5 < box["left"] + box["width"] <= 1
    times = label["videoMapping"]["kinesisVideoMapping"]["producerTimestamp"]
    assert times in {round(wall(each * STEP).timestamp() * 1000) for each in (2, 3)}


def test_pictures_lie_where_the_message_says(hub: Hub, photos: Path, tmp_path: Path) -> None:
    frames = Stored("home", "what is seen/50% & more/")
    told = shown(HomeAnalysis(stream(frames=frames), hub), person(photos, 2))
    (body,) = bodies(told)
    (tmp_path / "home").mkdir()
    with closing(surroundings(folder=tmp_path)) as around, closing(open_sink(told[1][0].target, around)) as sink:
        sink.send(told[1][0])
    (label,) = body["labels"]
    assert label["frameImageUri"].startswith("s3://home/what is seen/50% & more/door/session-1/")
    frame, crop = (tmp_path / label[name].removeprefix("s3://") for name in ("frameImageUri", "croppedImageUri"))
    assert sorted(each for each in tmp_path.rglob("*") if each.is_file()) == sorted([frame, crop])
    with Pillow.open(frame) as whole, Pillow.open(crop) as part:
        assert whole.format == part.format == "JPEG"
        assert whole.size == (640, 360)
        assert part.width < whole.width
        assert np.asarray(part).std() > 20  # the man, not the grey beside him


def test_one_sight_is_told_only_if_it_is_the_last(hub: Hub, photos: Path) -> None:
    once = [*nothing(1), *person(photos, 1)]
    analysis = HomeAnalysis(stream(), hub)
    assert names(shown(analysis, [*once, *nothing(6)])) == []
    assert [parcel.kind for parcel in analysis.finish(wall(9), "").parcels] == ["session"]
    analysis = HomeAnalysis(stream(), hub)
    assert names(shown(analysis, [*once, *nothing(6), *once])) == []  # too far apart to speak for each other
    last = analysis.finish(wall(9), "").parcels
    assert [parcel.kind for parcel in last] == ["picture", "label", "session"]
    assert names([last[:2]]) == ["PERSON"]


def test_a_dog_is_a_pet_and_people_are_passed_over_when_pets_are_asked_for(
    hub: Hub, photos: Path, shared_data: Path
) -> None:
    with Pillow.open(shared_data / "azure_vision/images/dog.jpg") as opened:
        dog = np.asarray(opened.convert("RGB"))
    both = [dog, dog, *person(photos, 2)]
    assert names(shown(HomeAnalysis(stream(home=ConnectedHome(("PET",))), hub), both)) == ["PET"]
    assert names(shown(HomeAnalysis(stream(home=ConnectedHome(("ALL",))), hub), both)) == ["PET", "PERSON"]


def test_confidence_is_at_least_what_is_asked_for(hub: Hub, photos: Path) -> None:
    sure = HomeAnalysis(stream(home=ConnectedHome(("PERSON",), 0.9999)), hub)
    assert names(shown(sure, person(photos, 3))) == []


def test_only_regions_count(hub: Hub, photos: Path) -> None:
    corner = HomeAnalysis(stream(regions=(Region(Box(0.0, 0.0, 0.3, 0.5)),)), hub)
    assert names(shown(corner, person(photos, 3))) == []
    middle = (Region(Box(0.0, 0.9, 0.1, 0.1)), Region(polygon=((0.2, 0.0), (0.8, 0.0), (0.8, 1.0), (0.2, 1.0))))
    assert names(shown(HomeAnalysis(stream(regions=middle), hub), person(photos, 3))) == ["PERSON"]


def test_no_installed_model_sees_packages_and_that_is_said(hub: Hub) -> None:
    assert unseen(("PERSON", "PET"), hub) == ()
    assert unseen(("PACKAGE",), hub) == ("PACKAGE",)
    assert unseen(("ALL",), hub) == ("PACKAGE",)
    assert unseen(("PET", "ALL"), Hub(())) == ("PERSON", "PET", "PACKAGE")
    assert asked(("PET", "PERSON")) == ("PERSON", "PET")
    with pytest.raises(PackError):
        HomeAnalysis(stream(), Hub(()))


def test_a_detector_that_knows_packages_needs_no_more(drawn: Hub) -> None:
    assert unseen(("ALL",), drawn) == ("PERSON",)
    analysis = HomeAnalysis(stream(home=ConnectedHome(("ALL",))), drawn)
    told = shown(analysis, [cells(), cells(red=True), cells(red=True, blue=True), cells(blue=True), cells()])
    assert [names([parcels]) for parcels in told] == [[], [], ["PACKAGE"], ["PET"], []]
    (label,) = bodies(told)[0]["labels"]
    assert label["boundingBox"] == {"left": 0.5, "top": 0.25, "width": 0.25, "height": 0.25}


def test_a_pet_is_one_only_if_the_tagger_agrees_where_there_is_one(place: Path, drawn: Hub) -> None:
    home = ConnectedHome(("ALL",))
    both = [cells(red=True, blue=True)] * 2
    assert names(shown(HomeAnalysis(stream(home=home), Hub.discover(place)), both)) == ["PACKAGE"]
    assert names(shown(HomeAnalysis(stream(home=home), drawn), both)) == ["PACKAGE", "PET"]


def test_a_session_lasts_as_long_as_it_is_to(drawn: Hub) -> None:
    analysis = HomeAnalysis(stream(None, home=ConnectedHome(("PET",))), drawn)
    assert analysis.see(None, wall(-30)).is_empty
    assert not analysis.is_over  # it begins with the first frame
    shown(analysis, [cells()] * 50)
    assert not analysis.is_over
    assert shown(analysis, [cells(blue=True)] * 3, since=10.0) == [(), (), ()]
    assert analysis.is_over
    (end,) = bodies([analysis.finish(wall(11), "").parcels])
    assert end["eventNamespace"]["type"] == "STREAM_PROCESSING_COMPLETE"
    assert end["inputInformation"]["kinesisVideo"]["processedVideoDurationMillis"] == 10000
    assert analysis.finish(wall(11), "").is_empty


def test_a_session_ends_in_time_when_the_camera_does_not_come_back(drawn: Hub) -> None:
    analysis = HomeAnalysis(stream(5.0, home=ConnectedHome(("PET",))), drawn)
    shown(analysis, [cells(), cells(blue=True)])
    analysis.see(None, wall(4))
    assert not analysis.is_over
    analysis.see(None, wall(5.1))
    assert analysis.is_over


def test_a_camera_that_never_comes_ends_the_session_after_a_minute(drawn: Hub) -> None:
    analysis = HomeAnalysis(stream(5.0, home=ConnectedHome(("PET",))), drawn)
    analysis.see(None, wall(0))
    analysis.see(None, wall(64))
    assert not analysis.is_over
    analysis.see(None, wall(66))
    assert analysis.is_over


def test_a_session_that_fails_says_why_and_how_far_it_came(drawn: Hub) -> None:
    analysis = HomeAnalysis(stream(home=ConnectedHome(("PET",))), drawn)
    shown(analysis, [cells()] * 6)
    (end,) = bodies([analysis.finish(wall(3), "the camera is away").parcels])
    assert analysis.is_over
    assert end["eventNamespace"]["type"] == "STREAM_PROCESSING_ERROR"
    assert end["streamProcessingResults"] == {"message": "the camera is away"}
    assert end["inputInformation"]["kinesisVideo"]["processedVideoDurationMillis"] == 1000


def test_what_is_wanted_may_change(drawn: Hub) -> None:
    analysis = HomeAnalysis(stream(home=ConnectedHome(("PET",))), drawn)
    assert names(shown(analysis, [cells(red=True)] * 3)) == []
    analysis.change(replace(WANTED, home=ConnectedHome(("PET", "PACKAGE"))))
    assert names(shown(analysis, [cells(red=True, blue=True)] * 2, since=1.0)) == ["PACKAGE", "PET"]
    corner = Region(Box(0, 0, 0.1, 0.1))
    analysis.change(replace(WANTED, home=ConnectedHome(("PACKAGE",)), regions=(corner,)))
    assert names(shown(analysis, [cells(red=True)] * 2, since=2.0)) == []
    with pytest.raises(ValueError, match="looks for no things"):
        analysis.change(replace(WANTED, home=None))


def test_what_was_seen_once_stays_seen_when_another_wish_changes(drawn: Hub) -> None:
    analysis = HomeAnalysis(stream(home=ConnectedHome(("PET", "PACKAGE"))), drawn)
    assert names(shown(analysis, [cells(red=True, blue=True)])) == []
    analysis.change(replace(WANTED, home=ConnectedHome(("PET",))))
    assert names(shown(analysis, [cells(red=True, blue=True)], since=0.2)) == ["PET"]


def test_a_camera_is_watched_for_one_session(hub: Hub, street: Path) -> None:
    analysis = HomeAnalysis(stream(2.0), hub)
    told: list[Parcel] = []
    with closing(Camera(street.as_uri(), 5.0)) as camera:
        while not analysis.is_over:
            told += analysis.see(camera.newest(1.0), dt.datetime.now(dt.UTC)).parcels
    told += analysis.finish(dt.datetime.now(dt.UTC), "").parcels
    assert [parcel.kind for parcel in told] == ["picture", "label", "session"]


def test_every_target_is_told_and_pictures_need_a_place(drawn: Hub) -> None:
    options = Options(targets=("https://hook.example/1", "events:"))
    told = shown(
        HomeAnalysis(stream(home=ConnectedHome(("PET",)), frames=None, options=options), drawn), [cells(blue=True)] * 2
    )
    assert [(parcel.target, parcel.kind) for parcel in told[1]] == [
        (f"sns:{TOPIC}", "label"),
        ("https://hook.example/1", "label"),
        ("events:", "label"),
    ]
    assert len({parcel.body for parcel in told[1]}) == 1
    assert "frameImageUri" not in bodies(told)[0]["labels"][0]


def test_a_stream_without_a_session_or_with_bad_regions_is_refused(drawn: Hub) -> None:
    with pytest.raises(ValueError, match="no session"):
        HomeAnalysis(replace(stream(), session=None), drawn)
    with pytest.raises(ValueError, match="region 1 is of no use"):
        HomeAnalysis(stream(regions=(Region(Box(0.5, 0.5, 0.6, 0.1)),)), drawn)


def test_a_crop_is_a_part_of_the_frame(drawn: Hub) -> None:
    told = shown(HomeAnalysis(stream(home=ConnectedHome(("PET",))), drawn), [cells(blue=True)] * 2)
    frame, crop = (Pillow.open(io.BytesIO(file.data)) for file in told[1][0].attachments)
    assert (frame.size, crop.size) == ((128, 128), (40, 40))
    assert [file.media_type for file in told[1][0].attachments] == ["image/jpeg"] * 2
