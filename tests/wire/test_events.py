# SPDX-License-Identifier: Apache-2.0
"""Listening to an account's streams: over HTTP with a camera that is watched, and who may hear what."""

from __future__ import annotations

import asyncio
import datetime as dt
import http.client
import itertools
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import filming
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from served import Ear, create, enrol
from wire_calls import rows

from overt import app, settings
from overt.engine import Engine
from overt.govern import keys
from overt.stores.base import UnavailableError
from overt.testing.sinks import parcel
from overt.types import FaceSearch, Stream, Wanted
from overt.wire import events
from overt.wire.events import Audience, Listening
from overt.wire.http import Request

OURS, THEIRS = "000000000001", "000000000002"


# A server


@pytest.fixture(scope="module")
def visits(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of two people, one after the other."""
    file = tmp_path_factory.mktemp("visits") / "visits.mp4"
    parts = (
        filming.passing(photos / "obama2.jpg", 1.5),
        filming.empty(2),
        filming.passing(photos / "biden.jpg", 1.5),
        filming.empty(2),
    )
    file.write_bytes(filming.film(itertools.chain(*parts)))
    return file


@pytest.fixture
def server(start_own_server: Callable[..., Any], photos: Path, visits: Path) -> Any:
    """One with a stream `gate` that shows two visits, not started."""
    started = start_own_server()
    enrol(started.client(), photos, "obama", "biden")
    create(started.client(), started.home, "gate", f"{visits.as_uri()}?loop=1")
    return started


def test_alerts_arrive_and_who_returns_hears_what_was_missed(server: Any, visits: Path) -> None:
    client = server.client()
    with Ear(server) as ear, Ear(server, "/v1/events?stream=gate") as chosen:
        assert ear.response.headers["content-type"].startswith("text/event-stream")
        assert ear.response.headers["cache-control"] == "no-store"
        assert ear.response.headers["x-accel-buffering"] == "no"
        client.start_stream_processor(Name="gate")
        told = [ear.event() for _ in range(4)]
        assert [chosen.event() for _ in range(4)] == told
        assert [event["event"] for event in told] == ["alert"] * 4
        assert [event["data"]["type"] for event in told] == ["alert.begun", "alert.over"] * 2
        people = [event["data"]["data"]["Person"] for event in told]
        assert people[0] == people[1] != people[2] == people[3]
        assert set(people) == {"external obama", "external biden"}
        client.stop_stream_processor(Name="gate")
        create(client, server.home, "door", f"{visits.as_uri()}?loop=1")  # after they began to listen
        client.start_stream_processor(Name="door")
        heard = [ear.event()]
        while heard[-1]["data"]["data"]["Stream"] != "door":
            heard.append(ear.event())
        with Ear(server, headers={"Last-Event-ID": told[0]["id"]}) as again:
            assert [again.event() for _ in range(3 + len(heard))] == [*told[1:], *heard]
    kept = [row for row in rows(server.home) if row["operation"] == "ListenEvents"]
    assert [(row["account"], row["key_id"], row["outcome"]) for row in kept] == [(OURS, server.key_id, "ok")] * 3


def test_a_server_ends_though_somebody_listens(start_own_server: Callable[..., Any]) -> None:
    server = start_own_server()
    with Ear(server) as ear:
        server.stop()
        assert ear.event() is None  # a clean end
    assert "Cancel" not in Path(f"{server.home}.log").read_text()


@pytest.mark.parametrize(
    ("credentials", "path", "code"),
    [
        ({"secret_key": "wrong"}, "/v1/events", "InvalidSignatureException"),
        ({"access_key": "OVRTNOBODY"}, "/v1/events", "UnrecognizedClientException"),
        ({}, "/v1/events?stream=nowhere", "ResourceNotFoundException"),
        ({}, "/v1/events?account=1", "InvalidParameterException"),
    ],
)
def test_who_is_refused_is_told_so_and_recorded(
    shared_server: Any, credentials: dict[str, str], path: str, code: str
) -> None:
    with Ear(shared_server, path, **credentials) as ear:
        body = json.loads(ear.response.read())
        headers = ear.response.headers
    assert (ear.response.status, body["__type"], body["Code"]) == (400, code, code)
    assert headers["content-type"] == "application/json"
    (row,) = rows(shared_server.home, headers["x-amzn-requestid"])
    assert (row["operation"], row["outcome"]) == ("ListenEvents", code)


def test_who_goes_makes_room(shared_server: Any) -> None:
    for _ in range(events.MOST + 20):
        with Ear(shared_server) as ear:
            assert ear.response.status == 200


def test_nothing_but_a_get_listens(shared_server: Any) -> None:
    connection = http.client.HTTPConnection(urlsplit(shared_server.url).netloc, timeout=30)
    connection.request("HEAD", events.PATH)
    assert connection.getresponse().status == 405
    connection.close()


@pytest.fixture
def shared_server(request: pytest.FixtureRequest) -> Any:
    """The session's; `server` is one of the module's own here."""
    return request.getfixturevalue("start_server")()


# An engine


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = Engine.open(settings.load(home=tmp_path / "home"))
    yield opened
    opened.close()


def made(engine: Engine, account: str) -> keys.NewKey:
    key = keys.make(account, label="")
    with engine.stores.write() as unit:
        unit.keys.add(key.key)
    return key


def put(engine: Engine, account: str, name: str) -> str:
    """A stream; its id."""
    now = dt.datetime.now(dt.UTC)
    stream = Stream(f"{account}-{name}", account, name, Wanted("arn", search=FaceSearch("people", 0.8)), now, now)
    with engine.stores.write() as unit:
        unit.streams.add(stream)
    return stream.id


def asked(key: keys.NewKey, query: str = "", **headers: str) -> Request:
    aws = AWSRequest("GET", f"http://here{events.PATH}" + (f"?{query}" if query else ""), headers=headers)
    SigV4Auth(Credentials(key.key.id, key.key.secret), "rekognition", "us-east-1").add_auth(aws)
    return Request("GET", events.PATH, query, {"host": "here", **{k.lower(): v for k, v in aws.headers.items()}})


def admitted(audience: Audience, request: Request) -> Listening:
    answer = audience.admit(request, crowded=False)
    assert isinstance(answer, Listening)
    return answer


def code(audience: Audience, request: Request, *, crowded: bool = False) -> str:
    answer = audience.admit(request, crowded=crowded)
    assert not isinstance(answer, Listening)
    return str(json.loads(answer.body)["__type"])


def number(frame: bytes) -> int:
    """Which event it is."""
    lines = [line.removeprefix("data: ") for line in frame.decode().splitlines() if line.startswith("data: ")]
    return int(json.loads("".join(lines))["number"])


def heard(listening: Listening, tell: Callable[[], None]) -> list[int]:
    """The events that come, from when `tell` is called until the caller is let go."""

    async def listen() -> list[int]:
        frames = listening.frames()
        assert await anext(frames) == b": listening\n\n"
        teller = threading.Thread(target=tell)
        teller.start()
        told = [number(frame) async for frame in frames if not frame.startswith(b":")]
        teller.join()
        return told

    return asyncio.run(asyncio.wait_for(listen(), 30))


def test_nobody_hears_of_another_account(engine: Engine) -> None:
    audience, hub = Audience(engine), engine.surroundings.hub
    ours, theirs = made(engine, OURS), made(engine, THEIRS)
    gate = put(engine, OURS, "gate")
    put(engine, THEIRS, "gate")
    first = parcel(1, "events:", stream=gate)
    hub.tell(first)

    def tell() -> None:
        for at, (account, name) in enumerate([(OURS, "door"), (THEIRS, "door"), (OURS, "yard")], 2):
            hub.tell(parcel(at, "events:", stream=put(engine, account, name)))
        hub.tell(parcel(9, "events:", stream="of a stream that is gone"))
        hub.tell(parcel(5, "events:", stream=gate))
        hub.close()

    listeners = {
        (2, 4, 5): admitted(audience, asked(ours)),
        (3,): admitted(audience, asked(theirs)),
        (5,): admitted(audience, asked(ours, "stream=gate")),
        (1, 2, 4, 5): admitted(audience, asked(ours, **{"Last-Event-ID": "long gone"})),
    }
    everybody = dict[tuple[int, ...], tuple[int, ...]]()

    async def all_listen() -> None:
        streams = {wanted: listening.frames() for wanted, listening in listeners.items()}
        for frames in streams.values():
            await anext(frames)
        await asyncio.to_thread(tell)
        for wanted, frames in streams.items():
            everybody[wanted] = tuple([number(frame) async for frame in frames])

    asyncio.run(asyncio.wait_for(all_listen(), 30))
    assert list(everybody.values()) == list(everybody)
    assert code(audience, asked(theirs, "stream=yard")) == "ResourceNotFoundException"


def test_who_comes_when_the_server_ends_is_let_go(engine: Engine) -> None:
    listening = admitted(Audience(engine), asked(made(engine, OURS)))
    engine.surroundings.hub.close()
    assert heard(listening, lambda: None) == []


def test_a_key_that_is_revoked_hears_no_more(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "KEEP_ALIVE", 0.05)
    key, gate = made(engine, OURS), put(engine, OURS, "gate")
    listening = admitted(Audience(engine), asked(key))

    def tell() -> None:
        engine.surroundings.hub.tell(parcel(1, "events:", stream=gate))
        with engine.stores.write() as unit:
            unit.keys.revoke(key.key.id, dt.datetime.now(dt.UTC))

    assert heard(listening, tell) == [1]


def test_silence_is_broken_by_comments(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "KEEP_ALIVE", 0.05)
    listening = admitted(Audience(engine), asked(made(engine, OURS)))

    async def listen() -> list[bytes]:
        frames = listening.frames()
        got = [await anext(frames) for _ in range(3)]
        await frames.aclose()
        return got

    assert asyncio.run(asyncio.wait_for(listen(), 30)) == [b": listening\n\n", b":\n\n", b":\n\n"]


def test_while_nobody_knows_whose_a_stream_is_nothing_is_told(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    key, gate = made(engine, OURS), put(engine, OURS, "gate")
    listening = admitted(Audience(engine), asked(key))

    def away() -> None:
        raise UnavailableError("the database is away")

    monkeypatch.setattr(engine.stores, "read", away)
    assert heard(listening, lambda: engine.surroundings.hub.tell(parcel(1, "events:", stream=gate))) == []


def test_more_than_there_is_room_for_are_refused_in_words(engine: Engine) -> None:
    audience, key = Audience(engine, most=2), made(engine, OURS)
    assert code(audience, asked(key, "stream=nowhere")) == "ResourceNotFoundException"  # takes no room
    first, _ = admitted(audience, asked(key)), admitted(audience, asked(key))
    refused = audience.admit(asked(key), crowded=False)
    assert not isinstance(refused, Listening)
    assert (refused.status, json.loads(refused.body)["__type"]) == (400, "ThrottlingException")
    assert "2 listen to this server already" in refused.headers["x-overt-detail"]
    first.close()
    admitted(audience, asked(key))


def test_who_takes_nothing_is_let_go(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "TAKE_SECONDS", 0.05)
    audience, key = Audience(engine, most=1), made(engine, OURS)
    listening, sent = admitted(audience, asked(key)), list[Any]()

    async def never() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)
        if len(sent) == 2:
            await never()

    answer = app.EventStream(listening)({"type": "http"}, never, send)
    asyncio.run(asyncio.wait_for(answer, 30))
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    admitted(audience, asked(key))


def test_a_crowded_server_refuses_listeners_like_calls(engine: Engine) -> None:
    assert code(Audience(engine), asked(made(engine, OURS)), crowded=True) == "ThrottlingException"
