# SPDX-License-Identifier: Apache-2.0
"""What tests of several rooms share: the real photos, an engine, a running server, and real boto3 clients of it."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from postgresql_server import PostgresqlServer

from overt import settings
from overt.engine import Engine
from overt.stores.sql import SqlStores
from overt.stores.vault import Vault
from overt.wire import services

KEPT = {"OVERT_PHOTOS", "OVERT_SHARED_DATA"}
REPOSITORY = Path(__file__).resolve().parent.parent
OFFLINE = REPOSITORY / "tests" / "offline"

# This process and all it starts may talk to this machine only; see tests/offline/sitecustomize.py.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(OFFLINE), os.environ.get("PYTHONPATH")]))
runpy.run_path(str(OFFLINE / "sitecustomize.py"))

# No credentials, region or endpoint of whoever runs the tests.
for variable in [name for name in os.environ if name.startswith(("AWS_", "OVERT_")) and name not in KEPT]:
    del os.environ[variable]


@pytest.fixture(scope="session")
def photos() -> Path:
    """The folder of portraits that `make photos` fetches."""
    folder = Path(os.environ.get("OVERT_PHOTOS") or REPOSITORY / ".photos")
    assert (folder / "obama.jpg").is_file(), f"no photos in {folder}: run `make photos`"
    return folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """More real data, where this checkout lies beside it."""
    folder = Path(os.environ.get("OVERT_SHARED_DATA") or REPOSITORY.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no shared data in {folder}")
    return folder


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine over a home folder of its own."""
    opened = Engine.open(settings.load(home=tmp_path_factory.mktemp("home")))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def overt() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the overt command and waits for it."""

    def run(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "overt", *map(str, arguments)]
        environment = {**os.environ, **variables}
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)

    return run


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    """A PostgreSQL server, started for the first test that asks and ended with the session."""
    server = PostgresqlServer()
    server.start()
    yield server
    server.close()


@pytest.fixture(scope="session")
def postgresql_template(postgresql: PostgresqlServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of an empty database with all tables, to copy."""
    name = postgresql.create()
    SqlStores.open(postgresql.url(name), Vault.open(tmp_path_factory.mktemp("template") / "master.key")).close()
    return name


@pytest.fixture
def postgresql_url(postgresql: PostgresqlServer, postgresql_template: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database of the test's own."""
    name = postgresql.create(postgresql_template)
    yield postgresql.url(name)
    postgresql.drop(name)


@dataclass(frozen=True)
class Server:
    """A running `overt up`."""

    url: str
    home: Path
    key_id: str
    secret: str
    process: subprocess.Popen[str]

    def stop(self) -> None:
        """End it before the session does."""
        self.process.terminate()
        assert self.process.wait(timeout=15) == 0

    def client(self, **changes: Any) -> Any:
        """A boto3 client as its owner would make it; changes are further arguments of boto3's."""
        arguments: dict[str, Any] = {
            "endpoint_url": self.url,
            "region_name": "us-east-1",
            "aws_access_key_id": self.key_id,
            "aws_secret_access_key": self.secret,
            "config": Config(retries={"total_max_attempts": 1}),
        }
        return boto3.session.Session().client("rekognition", **(arguments | changes))

    def client_of(self, service: str, config: Config | None = None, **key: str) -> Any:
        """A boto3 client of sts or of our own service. key: aws_access_key_id and the like, in place of the owner's."""
        session = boto3.session.Session()
        session._loader.search_paths.append(str(services.FOLDER))  # as AWS_DATA_PATH would
        return session.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            config=config or Config(retries={"total_max_attempts": 1}),
            **({"aws_access_key_id": self.key_id, "aws_secret_access_key": self.secret} | key),
        )


@pytest.fixture(scope="session")
def start_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Starts `overt up` on a free port, with OVERT_* variables if given; all are ended with the session.

    One that runs on the same home folder is ended first, as a restart would.
    """
    with _servers(tmp_path_factory) as start:
        yield start


@pytest.fixture
def start_own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """The same, ended with the test."""
    with _servers(tmp_path_factory) as start:
        yield start


@contextmanager
def _servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    running: dict[Path, subprocess.Popen[str]] = {}

    def end(process: subprocess.Popen[str]) -> None:
        process.terminate()
        process.wait(timeout=15)
        process.stdout.close()

    def start(home: Path | None = None, **variables: str) -> Server:
        folder = home or tmp_path_factory.mktemp("served")
        if folder in running:
            end(running.pop(folder))
        command = [sys.executable, "-m", "overt", "up", "--port", "0", "--home", str(folder), "--json"]
        log = (folder.parent / f"{folder.name}.log").open("w")
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, env={**os.environ, **variables}
        )
        log.close()
        running[folder] = process
        line = process.stdout.readline()
        assert line, Path(log.name).read_text()
        lines = (folder / "credentials").read_text().splitlines()
        values = dict(line.split(" = ") for line in lines if " = " in line)
        key = (values["aws_access_key_id"], values["aws_secret_access_key"])
        return Server(json.loads(line)["ready"], folder, *key, process)

    try:
        yield start
    finally:
        for process in running.values():
            end(process)


@pytest.fixture(scope="session")
def server(start_server: Callable[..., Server]) -> Server:
    """One server for all tests that do not need their own."""
    return start_server()


@pytest.fixture(scope="session")
def client(server: Server) -> Any:
    """boto3's Rekognition client, pointed at the server and otherwise unchanged."""
    return server.client()


@pytest.fixture
def collection(client: Any, request: pytest.FixtureRequest) -> Iterator[str]:
    """A collection of the test's own."""
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)[:200]
    client.create_collection(CollectionId=name)
    yield name
    client.delete_collection(CollectionId=name)
