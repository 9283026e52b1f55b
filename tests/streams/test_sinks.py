# SPDX-License-Identifier: Apache-2.0
"""Every sink keeps the contract, with a real service at the other end; and which URLs are no targets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from services import Aws, free_port
from takers import BrokerTaker, PushTaker, Web, verified

from overt.outlets.base import SendError
from overt.streams import sinks
from overt.streams.events import Hub, Listener
from overt.streams.sinks import open_sink, schemes
from overt.streams.sinks.base import Surroundings, TargetError
from overt.streams.sinks.kinesis import KinesisSink
from overt.testing.sinks import SinkContract, parcel, surroundings
from overt.types import Attachment

STREAM = "arn:aws:kinesis:us-east-1:123456789012:stream/alerts"
TOPIC = "arn:aws:sns:us-east-1:123456789012:alerts"


class AwsTaker:
    secrets = ("not-a-secret",)

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self.stop, self.start = aws.stop, aws.start


class KinesisTaker(AwsTaker):
    url = f"kinesis:{STREAM}"

    def records(self) -> list[dict[str, Any]]:
        with closing(self.aws.client("kinesis")) as client:
            shard = client.list_shards(StreamName="alerts")["Shards"][0]["ShardId"]
            kind = {"StreamName": "alerts", "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
            return list(client.get_records(ShardIterator=client.get_shard_iterator(**kind)["ShardIterator"])["Records"])

    def taken(self) -> list[Any]:
        return [json.loads(record["Data"]) for record in self.records()]


class TopicTaker(AwsTaker):
    url = f"sns:{TOPIC}"

    def __init__(self, aws: Aws, queue: str) -> None:
        super().__init__(aws)
        self._queue = queue
        self.envelopes: list[dict[str, Any]] = []

    def taken(self) -> list[Any]:
        with closing(self.aws.client("sqs")) as client:
            options = {"QueueUrl": self._queue, "MaxNumberOfMessages": 10}
            while found := client.receive_message(**options).get("Messages", []):
                for each in found:
                    self.envelopes.append(json.loads(each["Body"]))
                    client.delete_message(QueueUrl=self._queue, ReceiptHandle=each["ReceiptHandle"])
        return [json.loads(each["Message"]) for each in self.envelopes]


class BucketTaker(AwsTaker):
    url = "s3://alerts/cameras"

    def taken(self) -> list[Any]:
        with closing(self.aws.client("s3")) as client:
            keys = [each["Key"] for each in client.list_objects_v2(Bucket="alerts").get("Contents", [])]
            assert all(key.startswith("cameras/") for key in keys)
            return [
                json.loads(client.get_object(Bucket="alerts", Key=key)["Body"].read())
                for key in keys
                if key.endswith(".json")
            ]


class FolderTaker:
    url = "s3://alerts/cameras"
    secrets = ()

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "alerts"
        self.start()

    def taken(self) -> list[Any]:
        return [json.loads(path.read_bytes()) for path in self._folder.rglob("*.json")]

    def stop(self) -> None:
        if self._folder.is_dir():
            self._folder.rename(self._folder.with_name("moved"))

    def start(self) -> None:
        moved = self._folder.with_name("moved")
        moved.rename(self._folder) if moved.exists() else self._folder.mkdir(parents=True)


class WebTaker:
    secrets = ("a-token", "a-query")

    def __init__(self, web: Web) -> None:
        self.web = web
        self.url = f"http://127.0.0.1:{web.port}/services/a-token?key=a-query"
        self.stop, self.start = web.stop, web.start

    def taken(self) -> list[Any]:
        assert all(verified(b"s" * 24, headers, body) for _, headers, body in self.web.posts)
        return [json.loads(body) for _, _, body in self.web.posts]


class LineTaker:
    secrets = ()

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "log"
        self._folder.mkdir()
        self._path = self._folder / "alerts.jsonl"
        self.url = self._path.as_uri()

    def taken(self) -> list[Any]:
        return [json.loads(line) for line in self._path.read_text().splitlines()]

    def stop(self) -> None:
        self._folder.rename(self._folder.with_name("moved"))

    def start(self) -> None:
        self._folder.with_name("moved").rename(self._folder)


class EventTaker:
    url = "events:"
    secrets = ()

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._seen: list[Any] = []

    def taken(self) -> list[Any]:
        while (told := self._listener.next(0)) is not None:
            self._seen.append(json.loads(told.body))
        return self._seen


class OverAws(SinkContract):
    @pytest.fixture
    def around(self, aws: Aws) -> Iterator[Surroundings]:
        given = surroundings(endpoint=aws.url)
        yield given
        given.clients.close()


class TestKinesis(OverAws):
    @pytest.fixture
    def taker(self, aws: Aws) -> KinesisTaker:
        with closing(aws.client("kinesis")) as client:
            client.create_stream(StreamName="alerts", ShardCount=1)
        return KinesisTaker(aws)

    def test_a_record_goes_to_its_streams_partition(self, taker: KinesisTaker, sink: KinesisSink) -> None:
        sink.send(parcel(1, taker.url, stream="x" * 300))
        assert [record["PartitionKey"] for record in taker.records()] == ["x" * 256]


class TestTopic(OverAws):
    keeps_order = False

    @pytest.fixture
    def taker(self, aws: Aws) -> TopicTaker:
        with closing(aws.client("sns")) as topics, closing(aws.client("sqs")) as queues:
            topics.create_topic(Name="alerts")
            queue = queues.create_queue(QueueName="alerts")["QueueUrl"]
            arn = "arn:aws:sqs:us-east-1:123456789012:alerts"
            topics.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=arn)
        return TopicTaker(aws, queue)

    def test_the_subject_is_ascii(self, taker: TopicTaker, sink: Any) -> None:
        sink.send(parcel(1, taker.url))
        taker.taken()
        assert taker.envelopes[0]["Subject"] == "Somebody ? 1"


class TestTopicThatKeepsTheOrder(OverAws):
    @pytest.fixture
    def taker(self, aws: Aws) -> TopicTaker:
        with closing(aws.client("sns")) as topics, closing(aws.client("sqs")) as queues:
            topics.create_topic(Name="alerts.fifo", Attributes={"FifoTopic": "true"})
            queue = queues.create_queue(QueueName="alerts.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
            arn = "arn:aws:sqs:us-east-1:123456789012:alerts.fifo"
            topics.subscribe(TopicArn=f"{TOPIC}.fifo", Protocol="sqs", Endpoint=arn)
        taker = TopicTaker(aws, queue)
        taker.url = f"sns:{TOPIC}.fifo"
        return taker


class TestBucket(OverAws):
    keeps_order = False

    @pytest.fixture
    def taker(self, aws: Aws) -> BucketTaker:
        with closing(aws.client("s3")) as client:
            client.create_bucket(Bucket="alerts")
        return BucketTaker(aws)

    def test_attachments_lie_under_their_names(self, taker: BucketTaker, sink: Any, aws: Aws) -> None:
        new = parcel(1, taker.url, attachments=(Attachment("gate/session/1.jpg", "image/jpeg", b"\xff\xd8"),))
        sink.send(new)
        with closing(aws.client("s3")) as client:
            keys = [each["Key"] for each in client.list_objects_v2(Bucket="alerts")["Contents"]]
            assert keys == ["cameras/gate/session/1.jpg", f"cameras/gate/session/{new.id}.json"]
            found = client.get_object(Bucket="alerts", Key=keys[0])
            assert (found["ContentType"], found["Body"].read()) == ("image/jpeg", b"\xff\xd8")


class TestBucketFolder(SinkContract):
    keeps_order = False

    @pytest.fixture
    def taker(self, tmp_path: Path) -> FolderTaker:
        return FolderTaker(tmp_path)

    @pytest.fixture
    def around(self, tmp_path: Path, taker: FolderTaker) -> Surroundings:
        return surroundings(folder=tmp_path)


class TestHook(SinkContract):
    @pytest.fixture
    def taker(self) -> Iterator[WebTaker]:
        web = Web()
        yield WebTaker(web)
        web.stop()


class TestLines(SinkContract):
    @pytest.fixture
    def taker(self, tmp_path: Path) -> LineTaker:
        return LineTaker(tmp_path)


class TestEvents(SinkContract):
    can_fail = False

    @pytest.fixture
    def around(self) -> Surroundings:
        return surroundings(hub=Hub())

    @pytest.fixture
    def taker(self, around: Surroundings) -> Iterator[EventTaker]:
        with around.hub.listen() as listener:
            yield EventTaker(listener)


class TestBroker(SinkContract):
    @pytest.fixture
    def taker(self) -> Iterator[BrokerTaker]:
        broker = BrokerTaker(free_port())
        yield broker
        broker.stop()


class TestPush(SinkContract):
    @pytest.fixture
    def taker(self) -> Iterator[PushTaker]:
        push = PushTaker()
        yield push
        push.stop()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "alerts",
        "ftp://example.org/x",
        "gopher:",
        "events:all",
        "events://x",
        "file:alerts.jsonl",
        "file://host/alerts.jsonl",
        "file:///",
        "file:///folder/",
        "http://",
        "https:///hook",
        "https://user:hunter2@example.org/",
        "https://example.org:99999/hunter2",
        "https://example.org/a b",
        "https://exämple.org/",
        "kinesis:alerts",
        f"kinesis:{TOPIC}",
        "kinesis:arn:aws:kinesis:us-east-1:123456789012:alerts",
        f"sns:{STREAM}",
        "mqtt://broker",
        "mqtt://camera:hunter2@broker/alerts/#",
        "mqtt://camera:hunter2@broker:port/alerts",
        "mqtt:///alerts",
        "s3://",
        "s3://a/b",
        "s3://alerts/../other",
        "s3://alerts/a//b",
        "webpush:",
        "webpush:hunter2",
        "webpush:e30",
        "webpush:W10",
    ],
)
def test_what_is_no_target_is_refused_without_repeating_secrets(url: str) -> None:
    with pytest.raises(TargetError) as caught:
        open_sink(url, surroundings())
    assert "hunter2" not in str(caught.value)


def test_web_hooks_need_a_secret() -> None:
    with pytest.raises(TargetError, match="webhook_secret"):
        open_sink("https://example.org/", surroundings(secret=b""))


def test_every_scheme_of_ours_can_be_opened_by_name() -> None:
    assert set(sinks._OURS) <= set(schemes())
    for scheme in sinks._OURS:
        assert callable(sinks._points()[scheme].load())


def test_a_name_that_leaves_the_bucket_is_refused_for_good(tmp_path: Path) -> None:
    (tmp_path / "alerts").mkdir()
    sink = open_sink("s3://alerts", surroundings(folder=tmp_path))
    for name in ("../x", "/x", "a//b", "a/./b", ""):
        with pytest.raises(SendError, match="cannot name") as caught:
            sink.send(parcel(1, "s3://alerts", attachments=(Attachment(name, "image/jpeg", b""),)))
        assert caught.value.is_permanent
    assert list(tmp_path.iterdir()) == [tmp_path / "alerts"]
    assert list((tmp_path / "alerts").iterdir()) == []


def test_a_bucket_folder_is_not_left_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "alerts").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "alerts" / "gate").symlink_to(tmp_path / "elsewhere")
    sink = open_sink("s3://alerts", surroundings(folder=tmp_path))
    with pytest.raises(SendError):
        sink.send(parcel(1, "s3://alerts"))
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_lines_are_the_owners_alone_and_never_half(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    sink = open_sink(path.as_uri(), surroundings())
    sink.send(parcel(1, path.as_uri()))
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text('{"number": 1}\n{"num')
    sink.send(parcel(2, path.as_uri()))
    lines = path.read_text().splitlines()
    assert lines[1] == '{"num'
    assert json.loads(lines[2])["number"] == 2


def test_a_full_disk_is_told() -> None:
    with pytest.raises(SendError, match="No space left"):
        open_sink("file:///dev/full", surroundings()).send(parcel(1, "file:///dev/full"))


def test_a_link_is_not_followed_to_a_file(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    path.symlink_to(tmp_path / "other")
    with pytest.raises(SendError):
        open_sink(path.as_uri(), surroundings()).send(parcel(1, path.as_uri()))
    assert not (tmp_path / "other").exists()


def test_a_wrong_password_is_told_without_it() -> None:
    broker = BrokerTaker(free_port())
    try:
        url = broker.url.replace("a-password", "another-word")
        with closing(open_sink(url, surroundings())) as sink, pytest.raises(SendError, match="refused") as caught:
            sink.send(parcel(1, url))
        assert not caught.value.is_permanent
        assert "another-word" not in str(caught.value)
    finally:
        broker.stop()


@pytest.mark.parametrize("status", [404, 410])
def test_a_subscription_that_has_gone_has_gone_for_good(status: int) -> None:
    push = PushTaker()
    try:
        push.web.status = status
        with pytest.raises(SendError, match=str(status)) as caught:
            open_sink(push.url, surroundings()).send(parcel(1, push.url))
        assert caught.value.is_permanent
    finally:
        push.stop()


def test_a_push_message_that_is_too_long_is_refused_for_good() -> None:
    push = PushTaker()
    try:
        sink = open_sink(push.url, surroundings())
        long = parcel(1, push.url)
        object.__setattr__(long, "body", b"1" * 3994)
        with pytest.raises(SendError, match="3993") as caught:
            sink.send(long)
        assert caught.value.is_permanent
        object.__setattr__(long, "body", b"1" * 3993)
        sink.send(long)
        assert len(push.web.posts[0][2]) == 4096
    finally:
        push.stop()
