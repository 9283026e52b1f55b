# SPDX-License-Identifier: Apache-2.0
"""Calls through real replicas on three nodes, from a real server; restarts and losses under load."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import ray
from botocore.exceptions import ClientError
from postgresql_server import PASSWORD
from ray_nodes import RayNodes, wait_until

from overt.scale.replicas import KIND
from overt.scale.rolling import Rolling
from overt.settings import Settings

pytestmark = pytest.mark.slow


@pytest.fixture
def variables(nodes: RayNodes, database: str) -> dict[str, str]:
    return {
        "OVERT_STORE": database,
        "OVERT_RAY": nodes.address,
        "OVERT_SHARDS": "3",
        "OVERT_SHARDED_FROM": "1",
        "OVERT_REPLICAS": "2",
        "OVERT_CALLS_IN_FLIGHT": "16",
        "OVERT_WORKERS": "1",
    }


@pytest.fixture
def home(tmp_path: Path, nodes: RayNodes) -> Path:
    """The server's home folder, whose key every node has too."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "master.key").write_bytes(os.urandom(32))
    (folder / "master.key").chmod(0o600)
    for number in range(len(nodes.nodes)):
        shutil.copy2(folder / "master.key", nodes.home(number))
    return folder


class Load:
    """Threads that call without a pause until they are told to end; what they got that they should not is kept."""

    def __init__(self, *acts: Callable[[], None]) -> None:
        self.wrong: list[str] = []
        self.done = [0] * len(acts)
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=each) for each in enumerate(acts)]
        for thread in self._threads:
            thread.start()

    def _work(self, number: int, act: Callable[[], None]) -> None:
        while not self._ended.is_set():
            try:
                act()
                self.done[number] += 1
            except Exception as error:  # noqa: BLE001 - the test looks at it
                self.wrong.append(f"{act.__name__}: {error!r}")

    def end(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(120)


def test_calls_go_on_while_everything_is_restarted(
    start_own_server: Callable[..., Any],
    variables: dict[str, str],
    home: Path,
    nodes: RayNodes,
    choose: Callable[..., Settings],
    photos: Path,
    overt: Callable[..., Any],
) -> None:
    server = start_own_server(home, **variables)
    client, picture = server.client(), {"Bytes": (photos / "obama.jpg").read_bytes()}
    client.create_collection(CollectionId="people")
    (record,) = client.index_faces(CollectionId="people", Image=picture, MaxFaces=1)["FaceRecords"]
    face = record["Face"]["FaceId"]
    names = iter(range(1_000_000))

    def search() -> None:
        found = server.client().search_faces_by_image(CollectionId="people", Image=picture)["FaceMatches"]
        assert [match["Face"]["FaceId"] for match in found] == [face]

    def write() -> None:
        name = f"collection-{next(names)}"
        mine = server.client()
        mine.create_collection(CollectionId=name)
        mine.delete_collection(CollectionId=name)

    load = Load(search, search, write)
    try:
        wait_until(lambda: all(done > 2 for done in load.done))
        before = {member.name: member.health.life for member in Rolling(choose()).members()}
        rolled = overt("cluster", "roll", "--home", home, "--json", **variables)
        assert rolled.returncode == 0, rolled.stderr
        after = {member.name: member.health.life for member in Rolling(choose()).members()}
        assert before.keys() == after.keys() == {"shard-0", "shard-1", "shard-2", "replica-0", "replica-1"}
        assert not set(before.values()) & set(after.values())
        reached = list(load.done)
        wait_until(lambda: all(now > then for now, then in zip(load.done, reached, strict=True)))
    finally:
        load.end()
    assert load.wrong == []
    shown = overt("cluster", "status", "--home", home, **variables)
    assert shown.returncode == 0
    assert shown.stdout.count("ready") == 5
    log = (home.parent / f"{home.name}.log").read_text()
    assert PASSWORD not in rolled.stdout + rolled.stderr + shown.stdout + shown.stderr + log


def test_a_lost_replica_costs_readers_nothing_and_writers_an_error_that_sdks_repeat(
    start_own_server: Callable[..., Any],
    variables: dict[str, str],
    home: Path,
    choose: Callable[..., Settings],
    photos: Path,
) -> None:
    server = start_own_server(home, **variables)
    client, picture = server.client(), {"Bytes": (photos / "obama.jpg").read_bytes()}
    client.create_collection(CollectionId="people")
    (record,) = client.index_faces(CollectionId="people", Image=picture, MaxFaces=1)["FaceRecords"]
    face = record["Face"]["FaceId"]
    told: list[str] = []

    def search() -> None:
        found = server.client().search_faces(CollectionId="people", FaceId=face)
        assert found["FaceMatches"] == []
        assert server.client().detect_faces(Image=picture)["FaceDetails"]

    def write() -> None:
        try:
            server.client().index_faces(CollectionId="people", Image=picture, MaxFaces=1)
        except ClientError as error:
            if error.response["Error"]["Code"] != "InternalServerError":
                raise
            told.append(error.response["ResponseMetadata"]["HTTPHeaders"]["x-overt-detail"])

    load = Load(search, search, search, write, write)
    cluster = Rolling(choose())._cluster
    try:
        wait_until(lambda: all(done > 2 for done in load.done))
        for each in (0, 1, 0):
            reached = list(load.done)
            ray.kill(cluster.find(f"{KIND}-{each}"), no_restart=False)
            wait_until(lambda then=reached: all(now > 1 + was for now, was in zip(load.done, then, strict=True)))
            wait_until(lambda each=each: (health := cluster.health(f"{KIND}-{each}")) is not None and health.ready)
    finally:
        load.end()
    assert load.wrong == []
    assert all("not known" in each for each in told)
    assert len(told) <= 3 * 2
    assert len(client.list_faces(CollectionId="people")["Faces"]) == 1


def test_a_node_with_another_key_is_refused_in_words(
    start_own_server: Callable[..., Any],
    overt: Callable[..., Any],
    variables: dict[str, str],
    home: Path,
    nodes: RayNodes,
    choose: Callable[..., Settings],
) -> None:
    for number in range(len(nodes.nodes)):
        (nodes.home(number) / "master.key").write_bytes(os.urandom(32))
    refused = overt("up", "--port", "0", "--home", home, **variables)
    assert refused.returncode == 1
    assert "is another key than the server's" in refused.stderr
    for number in range(len(nodes.nodes)):
        (nodes.home(number) / "master.key").unlink()
    Rolling(choose()).stop()
    refused = overt("up", "--port", "0", "--home", home, **variables)
    assert refused.returncode == 1
    assert "copy it there from the server" in refused.stderr
    assert not any((nodes.home(number) / "master.key").exists() for number in range(len(nodes.nodes)))
    assert PASSWORD not in refused.stderr + refused.stdout
    shutil.copy2(home / "master.key", nodes.home(0))
