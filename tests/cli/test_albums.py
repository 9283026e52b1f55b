# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from overt import settings
from overt.cli.albums import Place
from overt.cli.output import CommandError
from overt.settings import Settings

NAMES = ["staff/a b.jpg", "staff/B.PNG", "staff/deep/c", "staff/notes.txt", "staff/.hidden", "other/d.jpeg"]


@pytest.fixture
def chosen(tmp_path: Path) -> Settings:
    return settings.load(home=tmp_path / "home")


def filled(folder: Path) -> Path:
    for name in NAMES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return folder


def test_a_folder_s_pictures_are_listed_by_their_names(tmp_path: Path, chosen: Settings) -> None:
    folder = filled(tmp_path / "people")
    (folder / "link.jpg").symlink_to(folder / "staff" / "B.PNG")
    place = Place.parse(str(folder))
    found = place.pictures(chosen)
    assert [picture.key for picture in found] == ["other/d.jpeg", "staff/B.PNG", "staff/a b.jpg", "staff/deep/c"]
    assert place.mounts == {"import": folder}
    assert place.image(found[2]) == {"S3Object": {"Bucket": "import", "Name": "staff/a b.jpg"}}
    (folder / "staff" / "B.PNG").write_bytes(b"other")
    again = place.pictures(chosen)
    assert [old == new for old, new in zip(found, again, strict=True)] == [True, False, True, True]


def test_a_bucket_folder_of_this_server_is_listed_below_the_prefix(chosen: Settings) -> None:
    filled(chosen.bucket_folder / "photos")
    place = Place.parse("s3://photos/staff/")
    assert [picture.key for picture in place.pictures(chosen)] == ["staff/B.PNG", "staff/a b.jpg", "staff/deep/c"]
    assert place.below("staff/deep/c") == "deep/c"
    assert place.mounts == {}


def test_another_bucket_is_listed_by_s3(s3: Any, chosen: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(s3.folder / "cloud")
    for name, value in s3.variables.items():
        monkeypatch.setenv(name, value)
    place = Place.parse("s3://cloud/staff")
    assert [picture.key for picture in place.pictures(chosen)] == ["staff/B.PNG", "staff/a b.jpg", "staff/deep/c"]
    assert place.changes == {"s3": True}
    assert all("Credential=AKIDEXAMPLE/" in signature for signature in s3.signed)


@pytest.mark.parametrize(
    ("written", "told"),
    [("s3://", "no bucket"), ("nowhere", "neither a folder"), ("s3://cloud/none/", "no pictures")],
)
def test_what_holds_no_pictures_is_told(
    s3: Any, chosen: Settings, monkeypatch: pytest.MonkeyPatch, written: str, told: str
) -> None:
    filled(s3.folder / "cloud")
    for name, value in s3.variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CommandError, match=re.escape(told)):
        Place.parse(written).pictures(chosen)
