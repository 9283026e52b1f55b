# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from overt import settings


def test_a_flag_counts_before_a_variable_before_the_file_before_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings.load(home=tmp_path).port == 8750
    (tmp_path / "overt.toml").write_text("port = 1111\nimage_queue = 5\n")
    assert settings.load(home=tmp_path).port == 1111
    monkeypatch.setenv("OVERT_PORT", "2222")
    assert settings.load(home=tmp_path).port == 2222
    assert settings.load(home=tmp_path, port=3333).port == 3333
    assert settings.load(home=tmp_path, port=None).image_queue == 5


def test_the_home_folder_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OVERT_HOME", str(tmp_path))
    (tmp_path / "overt.toml").write_text("port = 1111\n")
    loaded = settings.load()
    assert (loaded.home, loaded.port) == (tmp_path, 1111)
    assert loaded.database.parent == loaded.credentials.parent == loaded.bucket_folder.parent == tmp_path


@pytest.mark.parametrize("text", ["prot = 1\n", "port = 70000\n", 'account = "12"\n', "workers = 0\n"])
def test_an_unknown_key_or_a_bad_value_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "overt.toml").write_text(text)
    with pytest.raises(ValidationError):
        settings.load(home=tmp_path)


def test_every_setting_says_what_it_means() -> None:
    assert all(field.description for field in settings.Settings.model_fields.values())


def test_an_s3_endpoint_means_s3_is_used(tmp_path: Path) -> None:
    assert not settings.load(home=tmp_path).uses_s3
    assert settings.load(home=tmp_path, s3=True).uses_s3
    assert settings.load(home=tmp_path, s3_endpoint="http://127.0.0.1:9000").uses_s3


def test_the_store_is_the_home_folders_own_unless_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.load(home=tmp_path).store_url == f"sqlite:///{tmp_path / 'overt.db'}"
    url = "postgresql://overt:hush@host/overt"
    monkeypatch.setenv("OVERT_STORE", url)
    loaded = settings.load(home=tmp_path)
    assert loaded.store_url == url
    assert "hush" not in f"{loaded!r} {loaded} {loaded.model_dump()} {loaded.model_dump_json()}"
    assert (
        settings.load(home=tmp_path, store="sqlite:////elsewhere/faces.db").store_url == "sqlite:////elsewhere/faces.db"
    )
