# SPDX-License-Identifier: Apache-2.0
"""What every sink must do, as tests: inherit from `SinkContract` and give it a fixture `taker`.

Knows no sink: it puts parcels in where sinks are opened by URL and looks at what arrives at the other end.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import pytest

from overt.outlets.base import SendError
from overt.outlets.clients import Clients
from overt.streams.events import Hub
from overt.streams.sinks import open_sink
from overt.streams.sinks.base import Sink, Surroundings
from overt.types import Attachment, Parcel


class Taker(Protocol):
    """The other end: a service that takes what a sink sends. secrets: parts of its URL that no error may show."""

    url: str
    secrets: Sequence[str]

    def taken(self) -> Sequence[Any]:
        """The bodies that arrived, each once, as JSON values, in their order if the service keeps one."""

    def stop(self) -> None:
        """Be unreachable, or refuse what comes."""

    def start(self) -> None:
        """Take again; what was taken before is still there."""


def surroundings(
    *, endpoint: str | None = None, folder: Path | None = None, hub: Hub | None = None, secret: bytes = b"s" * 24
) -> Surroundings:
    """What sinks are opened with. Args: endpoint: of all AWS services. folder: where local buckets lie."""

    def find(bucket: str) -> Path | None:
        return folder / bucket if folder and (folder / bucket).is_dir() else None

    return Surroundings(
        clients=Clients(dict.fromkeys(("kinesis", "s3", "sns"), endpoint)),
        hub=hub or Hub(),
        folder=find,
        hook_secret=secret,
        push_secret=b"p" * 32,
        push_contact="mailto:operator@example.org",
    )


def parcel(number: int, target: str, *, stream: str = "gate", attachments: tuple[Attachment, ...] = ()) -> Parcel:
    """One that tells its number."""
    body = json.dumps({"number": number, "name": 'Zoë "\n"'}, indent=1).encode()
    created = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
    return Parcel(stream, target, "face", f"Somebody \u2713 {number}", body, created, attachments)


class SinkContract:
    """The tests. A subclass has fixtures `taker`, a `Taker`, and, where it needs others, `around`."""

    keeps_order = True
    can_fail = True

    @pytest.fixture
    def around(self) -> Iterator[Surroundings]:
        given = surroundings()
        yield given
        given.clients.close()

    @pytest.fixture
    def sink(self, taker: Taker, around: Surroundings) -> Iterator[Sink]:
        with closing(open_sink(taker.url, around)) as sink:
            yield sink

    def numbers(self, taker: Taker) -> list[int]:
        got = [body["number"] for body in taker.taken()]
        return got if self.keeps_order else sorted(got)

    def test_parcels_arrive_whole_and_in_order(self, taker: Taker, sink: Sink) -> None:
        sent = [parcel(number, taker.url) for number in range(5)]
        for each in sent:
            sink.send(each)
        assert self.numbers(taker) == [0, 1, 2, 3, 4]
        bodies = sorted(taker.taken(), key=lambda body: int(body["number"]))
        assert bodies == [json.loads(each.body) for each in sent]

    def test_a_parcel_may_come_twice(self, taker: Taker, sink: Sink) -> None:
        one = parcel(1, taker.url)
        sink.send(one)
        sink.send(one)
        assert set(self.numbers(taker)) == {1}

    def test_what_was_not_taken_is_told_and_can_be_sent_again(self, taker: Taker, sink: Sink) -> None:
        if not self.can_fail:
            sink.send(parcel(1, taker.url))
            return
        sink.send(parcel(0, taker.url))
        taker.stop()
        for _ in range(2):
            with pytest.raises(SendError) as caught:
                sink.send(parcel(1, taker.url))
            assert not caught.value.is_permanent
            for secret in taker.secrets:
                assert secret not in str(caught.value)
        taker.start()
        sink.send(parcel(1, taker.url))
        assert self.numbers(taker) == [0, 1]

    def test_it_opens_and_closes_without_anybody_there(self, taker: Taker, around: Surroundings) -> None:
        if self.can_fail:
            taker.stop()
        sink = open_sink(taker.url, around)
        sink.close()
        sink.close()

    def test_it_works_again_after_it_was_opened_anew(self, taker: Taker, around: Surroundings) -> None:
        for number in range(2):
            with closing(open_sink(taker.url, around)) as sink:
                sink.send(parcel(number, taker.url))
        assert self.numbers(taker) == [0, 1]
