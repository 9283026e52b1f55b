# SPDX-License-Identifier: Apache-2.0
"""The postman: nothing lost, order kept, nobody held up by another's outage, also when the process is killed."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from takers import Web

from overt import settings
from overt.stores.sql import SqlStores
from overt.stores.vault import Vault
from overt.streams import postman
from overt.streams.events import Hub
from overt.streams.postman import Limits, Postman
from overt.streams.sinks.base import Surroundings, TargetError
from overt.testing.sinks import parcel, surroundings


def until(is_so: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it does not come to be"
        time.sleep(0.01)


def put(post: Postman, stores: SqlStores, *numbers: int, target: str, stream: str = "gate") -> None:
    with stores.write() as unit:
        post.put(unit, [parcel(number, target, stream=stream) for number in numbers])
    post.wake()


def told(web: Web) -> list[int]:
    return [json.loads(body)["number"] for _, _, body in list(web.posts)]


def lines(path: Path) -> list[int]:
    return [json.loads(line)["number"] for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits are as long as ever in proportion to each other."""
    monkeypatch.setattr(postman, "_FIRST", 0.02)
    monkeypatch.setattr(postman, "_LONGEST", 0.2)
    monkeypatch.setattr(postman, "_POLL", 0.02)


@pytest.fixture
def around() -> Iterator[Surroundings]:
    given = surroundings()
    yield given
    given.close()


@pytest.fixture
def web() -> Iterator[Web]:
    web = Web()
    yield web
    web.stop()


@pytest.fixture
def hook(web: Web) -> str:
    return f"http://127.0.0.1:{web.port}/a-token"


@pytest.fixture
def post(stores: SqlStores, around: Surroundings) -> Iterator[Postman]:
    with closing(Postman(stores, around, Limits(), owner="one")) as post:
        post.open()
        yield post


def test_every_target_gets_all_in_order(post: Postman, stores: SqlStores, web: Web, hook: str, tmp_path: Path) -> None:
    file = tmp_path / "alerts.jsonl"
    for number in range(20):
        with stores.write() as unit:
            post.put(unit, [parcel(number, target) for target in (hook, file.as_uri())])
        post.wake()
    until(lambda: len(web.posts) == 20 and len(lines(file)) == 20)
    assert told(web) == lines(file) == list(range(20))
    until(lambda: all(each.waiting == 0 for each in post.health()))
    assert [(each.sent, each.age, each.error) for each in post.health()] == [(20, 0.0, "")] * 2


def test_an_outage_loses_nothing_keeps_the_order_and_holds_nobody_up(
    post: Postman, stores: SqlStores, web: Web, hook: str, tmp_path: Path
) -> None:
    file = tmp_path / "alerts.jsonl"
    put(post, stores, 0, target=hook)
    until(lambda: told(web) == [0])
    web.stop()
    for number in range(1, 10):
        put(post, stores, number, target=hook)
        put(post, stores, number, target=file.as_uri())
        put(post, stores, number, target=file.with_name("door").as_uri(), stream="door")
    until(lambda: lines(file) == lines(file.with_name("door")) == list(range(1, 10)))
    until(lambda: post.health()[0].attempts >= 2)
    broken = post.health("gate")[0]
    assert (broken.waiting, broken.dead, broken.sent) == (9, 0, 1)
    assert broken.age > 0
    assert "127.0.0.1" in broken.error
    assert "a-token" not in broken.error + broken.target
    web.start()
    until(lambda: told(web) == list(range(10)))


def test_an_answer_of_trouble_is_an_outage_too(post: Postman, stores: SqlStores, web: Web, hook: str) -> None:
    web.status = 503
    put(post, stores, 1, 2, target=hook)
    until(lambda: web.tries >= 3)
    assert told(web) == []
    web.status = 204
    until(lambda: told(web) == [1, 2])


def test_an_attempt_more_has_the_same_id(post: Postman, stores: SqlStores, web: Web, hook: str) -> None:
    with stores.write() as unit:
        new = parcel(1, hook)
        post.put(unit, [new])
    post.wake()
    until(lambda: told(web) == [1])
    assert web.posts[0][1]["webhook-id"] == new.id


def test_what_is_refused_for_good_makes_way(post: Postman, stores: SqlStores, web: Web, hook: str) -> None:
    web.status = 422
    put(post, stores, 1, target=hook)
    until(lambda: post.health()[0].dead == 1)
    web.status = 204
    put(post, stores, 2, target=hook)
    until(lambda: told(web) == [2])
    with stores.read() as unit:
        (letter,) = unit.parcels.dead(None, 0, 10)
    assert letter.reason == f"http://127.0.0.1:{web.port} answered 422"
    with stores.write() as unit:
        unit.parcels.resend([letter.number])
    post.wake()
    until(lambda: told(web) == [2, 1])


def test_what_has_no_room_is_a_dead_letter(stores: SqlStores, around: Surroundings, web: Web, hook: str) -> None:
    web.stop()
    with closing(Postman(stores, around, Limits(size=3000), owner="one")) as post:
        for number in range(15):
            put(post, stores, number, target=hook)
        post.open()
        until(lambda: post.health()[0].attempts >= 1)
        web.start()
        until(lambda: len(web.posts) > 0 and post.health()[0].waiting == 0)
        (health,) = post.health()
    assert told(web) == list(range(15 - health.sent, 15))
    assert health.sent + health.dead + health.lost == 15
    assert 0 < health.sent < 15
    assert health.dead > 0
    assert health.lost > 0


def test_what_waits_too_long_is_a_dead_letter(
    stores: SqlStores, around: Surroundings, web: Web, hook: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postman, "_SWEEP", 0.05)
    web.stop()
    limits = Limits(waiting=dt.timedelta(seconds=0.2), dead=dt.timedelta(days=1))
    with closing(Postman(stores, around, limits, owner="one")) as post:
        put(post, stores, 1, target=hook)
        post.open()
        until(lambda: post.health()[0].dead == 1)
        assert post.health()[0].waiting == 0


def test_targets_that_do_not_answer_leave_carriers_for_others(
    stores: SqlStores, around: Surroundings, web: Web, hook: str, tmp_path: Path
) -> None:
    web.drip = True  # each attempt takes ten seconds
    with closing(Postman(stores, around, Limits(), owner="one", at_once=4)) as post:
        with stores.write() as unit:
            post.put(unit, [parcel(number, f"{hook}/{number}") for number in range(8)])
            for lane in range(1, 9):
                turn = unit.parcels.claim(lane, "one", 1)
                unit.parcels.failed(turn, "down", 0)
        post.open()
        until(lambda: web.tries == 2)
        file = tmp_path / "alerts.jsonl"
        put(post, stores, 1, target=file.as_uri())
        until(lambda: lines(file) == [1])
        assert web.tries == 2
        web.drip = False


def test_it_ends_promptly_while_a_target_keeps_it_waiting(
    stores: SqlStores, around: Surroundings, web: Web, hook: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postman, "_FAREWELL", 0.1)
    web.drip = True
    post = Postman(stores, around, Limits(), owner="one")
    put(post, stores, 1, target=hook)
    post.open()
    until(lambda: web.tries == 1)
    post.close()
    assert [each.waiting for each in post.health()] == [1]
    web.drip = False
    until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("postman")])


def test_another_server_takes_over(stores: SqlStores, around: Surroundings, web: Web, hook: str) -> None:
    web.status = 503
    with closing(Postman(stores, around, Limits(), owner="one")) as first:
        first.open()
        put(first, stores, 1, 2, target=hook)
        until(lambda: web.tries >= 1)
    web.status = 204
    with closing(Postman(stores, around, Limits(), owner="two")) as second:
        second.open()
        until(lambda: told(web) == [1, 2])


def test_two_servers_keep_the_order_between_them(
    stores: SqlStores, around: Surroundings, web: Web, hook: str, tmp_path: Path
) -> None:
    with (
        closing(Postman(stores, around, Limits(), owner="one")) as first,
        closing(Postman(stores, around, Limits(), owner="two")) as second,
    ):
        first.open()
        second.open()
        for number in range(30):
            put(first if number % 2 else second, stores, number, target=hook)
        until(lambda: len(web.posts) == 30)
    assert told(web) == list(range(30))


def test_servers_that_share_a_postgresql_keep_the_order(
    postgresql_url: str, around: Surroundings, web: Web, hook: str, tmp_path: Path
) -> None:
    vault = Vault.open(tmp_path / "master.key")
    with (
        closing(SqlStores.open(postgresql_url, vault)) as here,
        closing(SqlStores.open(postgresql_url, vault)) as there,
        closing(Postman(here, around, Limits(), owner="one")) as first,
        closing(Postman(there, around, Limits(), owner="two")) as second,
    ):
        first.open()
        second.open()
        for number in range(30):
            put(first, here, number, target=hook) if number % 2 else put(second, there, number, target=hook)
        until(lambda: len(web.posts) == 30)
        until(lambda: first.health()[0].waiting == 0)
    assert told(web) == list(range(30))


def test_a_sink_that_breaks_is_tried_again_and_tells_nothing_of_what_it_said(
    post: Postman, stores: SqlStores, around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(hub: Hub, _parcel: Any) -> None:
        raise ZeroDivisionError("hunter2")

    with monkeypatch.context() as patch:
        patch.setattr(Hub, "tell", break_down)
        put(post, stores, 1, target="events:")
        until(lambda: bool(post.health()) and post.health()[0].attempts >= 1)
        assert post.health()[0].error == "an error within the sink: ZeroDivisionError"
    with around.hub.listen(after="the start") as listener:
        got = listener.next(30)
    assert got is not None


def test_a_target_that_cannot_be_opened_is_told(post: Postman, stores: SqlStores) -> None:
    put(post, stores, 1, target="pigeon:loft")
    until(lambda: bool(post.health()) and post.health()[0].attempts >= 1)
    assert "begins with one of" in post.health()[0].error
    assert post.health()[0].target == "pigeon:"


def test_targets_are_checked_beforehand(around: Surroundings) -> None:
    postman.check(["events:", "https://example.org/hook"], around)
    with pytest.raises(TargetError):
        postman.check(["events:", "pigeon:loft"], around)


def test_connections_that_are_not_used_are_closed(
    post: Postman, stores: SqlStores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(post, stores, 1, target=(tmp_path / "x").as_uri())
    until(lambda: len(post._lines) == 1)
    monkeypatch.setattr(postman, "_SWEEP", 0.0)
    monkeypatch.setattr(postman, "_IDLE", 0.0)
    until(lambda: len(post._lines) == 0)


def test_settings_give_limits_and_surroundings(tmp_path: Path) -> None:
    given = settings.load(home=tmp_path, parcel_megabytes=1, parcel_days=0.5, sns_endpoint="http://127.0.0.1:1")
    assert Limits.of(given) == Limits(1_000_000, dt.timedelta(hours=12), dt.timedelta(days=14))
    (tmp_path / "buckets" / "inside").mkdir(parents=True)
    with closing(Surroundings.of(given, b"p" * 32, {"mounted": tmp_path})) as around:
        assert around.folder("inside") == tmp_path / "buckets" / "inside"
        assert around.folder("mounted") == tmp_path
        assert around.folder("elsewhere") is None


CARRIER = """
import sys
from pathlib import Path
from overt.stores.sql import SqlStores
from overt.stores.vault import Vault
from overt.streams.postman import Limits, Postman
from overt.testing.sinks import surroundings
home = Path(sys.argv[1])
stores = SqlStores.open(f"sqlite:///{home / 'overt.db'}", Vault.open(home / "master.key"))
Postman(stores, surroundings(), Limits(), owner="one").open()
print("open", flush=True)
sys.stdin.read()
"""


def test_a_kill_loses_nothing(stores: SqlStores, tmp_path: Path, web: Web, hook: str) -> None:
    """Killed again and again while it carries; each one got something through."""
    count = 60
    with stores.write() as unit:
        unit.parcels.put([parcel(number, hook) for number in range(count)], 1 << 30)
    seen = 0
    for _ in range(3):
        before = seen
        command = [sys.executable, "-c", CARRIER, str(tmp_path)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            until(lambda start=before: len(web.posts) >= start + 10)  # type: ignore[misc]
            os.kill(process.pid, signal.SIGKILL)
            assert process.wait(10) == -signal.SIGKILL
        seen = len(web.posts)
    with closing(Postman(stores, surroundings(), Limits(), owner="one")) as post:
        post.open()
        until(lambda: post.health()[0].waiting == 0)
    numbers = told(web)
    # Each kill may have one more come a second time, right after the first; else all come in order.
    assert sorted(set(numbers)) == list(range(count))
    assert numbers == sorted(numbers)
    assert len(numbers) <= count + 3


def test_what_one_vault_sealed_another_cannot_carry(tmp_path: Path, stores: SqlStores, around: Surroundings) -> None:
    """The postman says so and goes on, as the store it is given cannot be read."""
    with stores.write() as unit:
        unit.parcels.put([parcel(1, "events:")], 1 << 30)
    other = SqlStores.open(f"sqlite:///{tmp_path / 'overt.db'}", Vault(b"x" * 32))
    with closing(Postman(other, around, Limits(), owner="two")) as post:
        post.open()
        time.sleep(0.1)
        assert post._clerk.is_alive()
    other.close()
