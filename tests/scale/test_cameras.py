# SPDX-License-Identifier: Apache-2.0
"""Streams that real camera workers watch on three nodes, for a real server; workers and nodes that are lost."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import os
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import filming
import psycopg
import pytest
import ray
from ray_nodes import RayNodes, wait_until
from watching import alerts, get, put, start

from overt import settings
from overt.engine import Engine
from overt.scale.cameras import KIND, is_too_many
from overt.scale.cluster import Health
from overt.scale.rolling import Rolling
from overt.settings import Settings
from overt.stores.base import NewFace, Unit
from overt.streams.supervisor import Supervisor
from overt.streams.watch import WatchList
from overt.types import FaceSearch, Options, Parcel, Stream

ACCOUNT = "000000000001"
WORDS = "SELECT id, owner FROM streams WHERE owner IS NOT NULL AND leased > extract(epoch FROM now()) * 1000000"


def test_one_that_has_the_most_gives_to_one_that_has_less() -> None:
    assert not is_too_many("camera-worker-0", 5, {})
    assert not is_too_many("camera-worker-0", 2, {"camera-worker-1": 1})
    assert is_too_many("camera-worker-0", 2, {"camera-worker-1": 0})
    assert not is_too_many("camera-worker-0", 2, {"camera-worker-1": 0, "camera-worker-2": 3})
    # Of two that have as many, one gives.
    assert not is_too_many("camera-worker-0", 3, {"camera-worker-1": 0, "camera-worker-2": 3})
    assert is_too_many("camera-worker-2", 3, {"camera-worker-1": 0, "camera-worker-0": 3})


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "master.key").write_bytes(os.urandom(32))
    (folder / "master.key").chmod(0o600)
    return folder


@pytest.fixture
def beside(home: Path, tmp_path: Path, database: str) -> Iterator[Engine]:
    """An engine over the same database, which watches nothing by itself."""
    own = tmp_path / "beside"
    own.mkdir()
    shutil.copy2(home / "master.key", own)
    opened = Engine.open(settings.load(home=own, store=database))
    yield opened
    opened.close()


@pytest.fixture
def listed(beside: Engine, photos: Path) -> WatchList:
    models = beside.models.faces
    image = beside.media.decode((photos / "obama.jpg").read_bytes())
    face = models.detect(image)[0]
    with beside.stores.write() as unit:
        people = unit.collections.create(ACCOUNT, "listed", models.model, dt.datetime.now(dt.UTC))
        unit.faces.add(people, "obama", "obama", [NewFace("f1", face.box, face.confidence, models.embed(image, face))])
    return WatchList(ACCOUNT, "listed", 0.8)


@pytest.fixture(scope="session")
def there(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a camera before which somebody of the list stands all the time."""
    file = tmp_path_factory.mktemp("there") / "there.mp4"
    file.write_bytes(filming.film(filming.passing(photos / "obama2.jpg", 4, still=True)))
    return f"{file.as_uri()}?loop=1"


@pytest.fixture(scope="session")
def passing(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a camera that they pass again and again."""
    file = tmp_path_factory.mktemp("passing") / "passing.mp4"
    parts = filming.passing(photos / "obama2.jpg", 3, still=True), filming.empty(4)
    file.write_bytes(filming.film(itertools.chain(*parts)))
    return f"{file.as_uri()}?loop=1"


def test_managers_that_take_a_stream_from_each_other_never_both_tell(
    beside: Engine, database: str, listed: WatchList, there: str
) -> None:
    """The lease is broken again and again while the one who has it goes on working."""
    stream = put(beside, listed, "torn", there, records="arn:aws:kinesis:us-east-1:000000000001:stream/told")
    wrong: list[str] = []

    def mark(owner: str) -> Callable[[Unit, tuple[Parcel, ...]], None]:
        def put_marked(unit: Any, parcels: tuple[Parcel, ...]) -> None:
            query = "SELECT owner, epoch FROM streams WHERE id = %s"
            has, epoch = unit.streams._connection.exec_driver_sql(query, (stream.id,)).one()
            time.sleep(0.02)  # in which another may want it
            if has != owner:
                wrong.append(f"{owner} told while {has} had it")
            beside.post.put(unit, tuple(replace(parcel, kind=str(epoch)) for parcel in parcels))

        return put_marked

    owners = "one", "two", "three"
    supervisors = [Supervisor(replace(beside.watching(), put=mark(owner)), owner=owner, most=1) for owner in owners]
    start(beside, stream)
    for supervisor in supervisors:
        supervisor.open()
    try:
        with psycopg.connect(database, autocommit=True) as connection:
            for _ in range(15):
                time.sleep(0.7)
                connection.execute("UPDATE streams SET leased = 0")
            told = [int(kind) for (kind,) in connection.execute("SELECT kind FROM parcels ORDER BY number")]
    finally:
        for supervisor in supervisors:
            supervisor.close()
    assert wrong == []
    assert len(set(told)) > 5
    assert all(before <= after for before, after in itertools.pairwise(told))
    assert len(alerts(beside, stream)) == 1  # one visit, whoever looked


class Fleet:
    """A server with two camera workers, and four streams: two of somebody who stays, two of somebody who passes."""

    def __init__(self, engine: Engine, database: str, rolling: Rolling, told: Path) -> None:
        self.engine, self.cluster, self.database, self.told = engine, rolling._cluster, database, told
        self.streams: list[Stream] = []

    def watch(self, listed: WatchList, there: str, passing: str) -> None:
        for number, url in enumerate((there, there, passing, passing)):
            target = f"file://{self.told / f'{number}.jsonl'}"
            # Ten seconds are less than a move takes: it does not count as absence.
            options = Options(quiet=10.0 if url == there else 1.5, targets=(target,))
            stream = put(self.engine, listed, f"s{number}", url, search=FaceSearch("listed", 0.8), options=options)
            start(self.engine, stream)
            self.streams.append(stream)

    def owners(self) -> dict[str, str]:
        """Who watches each stream that somebody watches."""
        with psycopg.connect(self.database) as connection:
            return dict(connection.execute(WORDS).fetchall())

    def health(self, number: int) -> Health | None:
        return self.cluster.health(f"{KIND}-{number}", 1.0)

    def counts(self) -> list[int]:
        """Streams of each worker that answers."""
        return [health.streams for number in (0, 1) if (health := self.health(number)) is not None]

    def is_even(self) -> bool:
        spread = sorted(Counter(self.owners().values()).values())
        return spread == [2, 2] and self.counts() == [2, 2]

    def goes_on(self, since: dt.datetime, *, seconds: float = 90) -> float:
        """Waits until every stream was looked at after a moment and those who pass were told. Returns: seconds."""
        begun = time.monotonic()
        for stream in self.streams:
            wait_until(lambda of=stream: (pulse := get(self.engine, of).pulse) and pulse.told > since, seconds)
        took = time.monotonic() - begun
        for stream in self.streams[2:]:
            wait_until(lambda of=stream: alerts(self.engine, of)[-1].start > since, seconds)
        return took

    def events(self, number: int) -> list[str]:
        """What the targets of a stream were told."""
        file = self.told / f"{number}.jsonl"
        return [json.loads(line)["type"] for line in file.read_text().splitlines()] if file.exists() else []

    def those_who_stay_were_told_once(self) -> bool:
        kept = [alerts(self.engine, stream) for stream in self.streams[:2]]
        told = [self.events(number) for number in (0, 1)]
        return [len(each) for each in kept] == [1, 1] and told == [["alert.begun"]] * 2


@pytest.fixture
def fleet(
    start_own_server: Callable[..., Any],
    home: Path,
    nodes: RayNodes,
    database: str,
    beside: Engine,
    choose: Callable[..., Settings],
    listed: WatchList,
    there: str,
    passing: str,
    tmp_path: Path,
) -> Fleet:
    for number in range(len(nodes.nodes)):
        shutil.copy2(home / "master.key", nodes.home(number))
    start_own_server(home, OVERT_STORE=database, OVERT_RAY=nodes.address, OVERT_CAMERA_WORKERS="2", OVERT_WORKERS="1")
    made = Fleet(beside, database, Rolling(choose()), tmp_path)
    wait_until(lambda: all((health := made.health(number)) and health.ready for number in (0, 1)), 120)
    made.watch(listed, there, passing)
    wait_until(made.is_even, 60)
    wait_until(made.those_who_stay_were_told_once, 60)
    return made


@pytest.mark.slow
def test_what_a_killed_worker_watched_goes_on_with_the_other_and_comes_back(
    fleet: Fleet, overt: Callable[..., Any], home: Path, nodes: RayNodes, database: str
) -> None:
    shown = overt("cluster", "status", "--home", home, "--ray", nodes.address, "--json", OVERT_STORE=database)
    told = {each["name"]: each["streams"] for each in json.loads(shown.stdout)["members"]}
    assert told == {"shard-0": 0, "shard-1": 0, "shard-2": 0, f"{KIND}-0": 2, f"{KIND}-1": 2}
    lost = fleet.health(0)
    assert lost is not None
    assert sorted(fleet.owners().values()).count(lost.life) == 2
    process = ray.get(fleet.cluster.find(f"{KIND}-0").__ray_call__.remote(lambda _: os.getpid()))
    readers = [each for file in Path(f"/proc/{process}/task").glob("*/children") for each in file.read_text().split()]
    assert len(readers) >= 2
    killed = dt.datetime.now(dt.UTC)
    os.kill(process, signal.SIGKILL)
    print(f"all streams were watched {fleet.goes_on(killed):.1f} s after a worker was killed")
    assert lost.life not in fleet.owners().values()
    assert fleet.those_who_stay_were_told_once()
    wait_until(fleet.is_even, 90)  # Ray has made the worker anew, and it has got its share
    evened = dt.datetime.now(dt.UTC)
    print(f"shared evenly after {(evened - killed).total_seconds():.1f} s")
    fleet.goes_on(evened)
    assert fleet.those_who_stay_were_told_once()
    assert not [each for each in readers if Path(f"/proc/{each}").exists()]


@pytest.mark.slow
def test_what_a_lost_node_watched_goes_on_elsewhere_and_workers_restart_without_a_word_twice(
    fleet: Fleet, overt: Callable[..., Any], home: Path, nodes: RayNodes, database: str
) -> None:
    lost = fleet.health(1)
    assert lost is not None
    killed = dt.datetime.now(dt.UTC)
    nodes.kill(lost.node)
    print(f"all streams were watched {fleet.goes_on(killed):.1f} s after a node was killed")
    assert fleet.those_who_stay_were_told_once()
    nodes.add()
    shutil.copy2(home / "master.key", nodes.home(len(nodes.nodes) - 1))
    wait_until(fleet.is_even, 120)
    print(f"shared evenly after {(dt.datetime.now(dt.UTC) - killed).total_seconds():.1f} s")
    lives = set(fleet.owners().values())
    rolled = overt("cluster", "roll", "--home", home, "--ray", nodes.address, OVERT_STORE=database)
    assert rolled.returncode == 0, rolled.stderr
    wait_until(fleet.is_even, 90)
    fleet.goes_on(dt.datetime.now(dt.UTC))
    assert not lives & set(fleet.owners().values())
    assert fleet.those_who_stay_were_told_once()
