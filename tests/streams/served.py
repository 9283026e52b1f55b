# SPDX-License-Identifier: Apache-2.0
"""Streams of a real server: cameras put into its store, processors made through boto3, and who hears its events."""

from __future__ import annotations

import datetime as dt
import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from overt.stores.sql import SqlStores
from overt.stores.vault import Vault
from overt.types import Alert, CameraAddress, Options

ACCOUNT = "000000000001"
ARN = "arn:aws:kinesisvideo:us-east-1:000000000001:stream/{}/1"
PATIENCE = 60.0


@contextmanager
def store(home: Path) -> Iterator[SqlStores]:
    """A server's store, as another process sees it."""
    stores = SqlStores.open(f"sqlite:///{home / 'overt.db'}", Vault.open(home / "master.key"))
    try:
        yield stores
    finally:
        stores.close()


def enrol(client: Any, photos: Path, *names: str) -> None:
    """A collection `listed` of portraits."""
    client.create_collection(CollectionId="listed")
    for name in names:
        image = {"Bytes": (photos / f"{name}.jpg").read_bytes()}
        client.index_faces(CollectionId="listed", Image=image, ExternalImageId=name)


def create(client: Any, home: Path, name: str, url: str, **options: Any) -> None:
    """A stream processor of a camera at that URL, not started; options: of ours."""
    with store(home) as stores, stores.write() as unit:
        unit.cameras.add(CameraAddress(ACCOUNT, name, ARN.format(name), url, dt.datetime.now(dt.UTC)))
    client.create_stream_processor(
        Name=name,
        Input={"KinesisVideoStream": {"Arn": ARN.format(name)}},
        Output={},
        RoleArn="arn:aws:iam::000000000001:role/overt",
        Settings={"FaceSearch": {"CollectionId": "listed", "FaceMatchThreshold": 80}},
    )
    with store(home) as stores, stores.write() as unit:
        wanted = unit.streams.get(ACCOUNT, name).wanted
        unit.streams.want(ACCOUNT, name, replace(wanted, options=Options(**{"quiet": 1.5, **options})))


def alerts(home: Path, name: str) -> list[Alert]:
    """Oldest first."""
    with store(home) as stores, stores.read() as unit:
        return [alert for _, alert in reversed(unit.alerts.page(ACCOUNT, 0, 1000, stream=name))]


class Ear:
    """One who listens to a server's events; a context manager. Further arguments: of the query; headers."""

    def __init__(
        self, server: Any, path: str = "/v1/events", headers: dict[str, str] | None = None, **credentials: str
    ) -> None:
        key = {"access_key": server.key_id, "secret_key": server.secret, **credentials}
        request = AWSRequest("GET", server.url + path, headers=headers or {})
        SigV4Auth(Credentials(**key), "rekognition", "us-east-1").add_auth(request)
        self._connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=PATIENCE)
        self._connection.request("GET", path, headers=dict(request.headers.items()))
        self.response = self._connection.getresponse()
        self.comments = 0
        if self.response.status == 200:
            assert self.event(comments=True) == {"": "listening"}  # from now on nothing is missed

    def event(self, *, comments: bool = False) -> dict[str, Any] | None:
        """The next event, its data as JSON; None at the end. comments: take a comment for one."""
        fields: dict[str, Any] = {}
        while line := self.response.readline():
            name, _, value = line.decode().rstrip("\n").partition(":")
            if name or value:
                fields[name] = value.removeprefix(" ")
            elif set(fields) == {""} and not comments:
                self.comments += 1
                fields = {}
            elif fields:
                return {**fields, "data": json.loads(fields["data"])} if "data" in fields else fields
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.response.close()
        self._connection.close()
