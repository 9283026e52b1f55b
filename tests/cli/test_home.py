# SPDX-License-Identifier: Apache-2.0
"""A command's engine is over the folder it was told, and is closed however the command ends."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from overt import settings
from overt.cli.home import alone, engine, own_store
from overt.cli.output import CommandError
from overt.engine import Engine
from overt.stores.base import StoreError


@pytest.fixture(autouse=True)
def _logs() -> Iterator[None]:
    """Logging as it was, after commands have made it quiet."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def has_ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def is_closed(opened: Engine, pids: tuple[int, ...]) -> bool:
    with pytest.raises(StoreError), opened.stores.read():
        pass
    with pytest.raises(RuntimeError, match="closed"):
        opened.media.decode((b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0\0\0\x64" * 2 + b"\x08\x02\0\0\0").ljust(60, b"\0"))
    return all(map(has_ended, pids))


def test_the_engine_is_closed_when_the_command_is_done(home: Path) -> None:
    with engine(home) as opened:
        opened.media.start()
        pids = opened.media.sandbox.pids
        assert pids
        assert not any(map(has_ended, pids))
    assert is_closed(opened, pids)


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, SystemExit])
def test_the_engine_is_closed_after_an_error_and_the_error_is_told(home: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), engine(home) as opened:  # noqa: PT012
        opened.media.start()
        pids = opened.media.sandbox.pids
        raise error
    assert pids
    assert is_closed(opened, pids)


def test_a_folder_is_usable_again_after_an_error(home: Path) -> None:
    with pytest.raises(ZeroDivisionError), engine(home) as opened, opened.stores.write():
        raise ZeroDivisionError
    with engine(home) as opened, opened.stores.read() as unit:
        assert unit.records.count() == 0


def test_a_mount_is_a_bucket_of_this_command_only(home: Path, photos: Path) -> None:
    picture = {"S3Object": {"Bucket": "import", "Name": "obama2.jpg"}}
    with engine(home, {"import": photos}) as opened:
        assert opened.media.image(picture).width > 0
    with engine(home) as opened, pytest.raises(Exception, match="S3"):
        opened.media.image(picture)
    assert list((home / "buckets").iterdir()) == []


def test_the_folder_given_comes_before_the_variable(overt: Callable[..., Any], home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    done = overt("collections", "create", "people", "--home", home, "--json", OVERT_HOME=str(other))
    assert done.returncode == 0, done.stderr
    assert (home / "overt.db").is_file()
    assert not other.exists()
    listed = json.loads(overt("collections", "list", "--json", OVERT_HOME=str(home)).stdout)
    assert [row["CollectionId"] for row in listed["Collections"]] == ["people"]


def test_a_folder_that_cannot_be_made_is_told_in_words(overt: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = overt("collections", "list", "--home", tmp_path / "file" / "home")
    assert done.returncode == 1
    assert str(tmp_path / "file") in done.stderr
    assert "Traceback" not in done.stderr


def test_a_throw_away_folder_has_its_own_database(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OVERT_STORE", "postgresql://overt:hush@127.0.0.1:1/overt")
    with pytest.raises(StoreError, match=r"127\.0\.0\.1"), engine(home):
        pass
    monkeypatch.setenv("OVERT_RAY", "auto")
    with engine(home, store=own_store(home)) as opened, opened.stores.read() as unit:
        assert unit.records.count() == 0
    assert (home / "overt.db").exists()


def test_a_lock_of_a_home_names_who_holds_it(home: Path) -> None:
    chosen = settings.load(home=home)
    with alone(chosen, "import.lock", "an import"):
        told = rf"an import is at work on {home} already \(process {os.getpid()}\)"
        with pytest.raises(CommandError, match=told), alone(chosen, "import.lock", "an import"):
            pass
        with alone(chosen, "server.lock", "a server"):
            pass
    with alone(chosen, "import.lock", "an import"):
        pass
