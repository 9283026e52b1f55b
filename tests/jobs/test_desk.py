# SPDX-License-Identifier: Apache-2.0
"""Jobs of a real server: killed, stopped, cancelled, told; what was found by then stays, and nothing is found twice."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import filming
import pytest

from overt import settings
from overt.engine import Engine
from overt.jobs import analysis
from overt.media.video import Video
from overt.stores.base import UnavailableError
from overt.stores.jobs import SqlJobs
from overt.stores.sql import SqlStores
from overt.stores.vault import Vault
from overt.types import Finding, Job, Stored
from overt.wire import local

ACCOUNT = "000000000001"
VIDEO = {"S3Object": {"Bucket": "clips", "Name": "long.mp4"}}


@pytest.fixture(scope="module")
def buckets(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("buckets")
    (folder / "clips").mkdir()
    parts = [filming.passing(photos / name, 15) for name in ("obama2.jpg", "biden.jpg", "obama.jpg")]
    (folder / "clips" / "long.mp4").write_bytes(filming.film(itertools.chain(*parts)))
    return folder


def jobs_of(home: Path) -> list[Job]:
    """As another process sees them."""
    stores = SqlStores.open(f"sqlite:///{home / 'overt.db'}", Vault.open(home / "master.key"))
    try:
        with stores.read() as unit:
            return list(unit.jobs.list(None, 100))
    finally:
        stores.close()


def wait(probe: Callable[[], Any], what: str) -> Any:
    end = time.monotonic() + 90
    while not (value := probe()):
        assert time.monotonic() < end, f"{what} takes too long"
        time.sleep(0.1)
    return value


def progress(home: Path) -> float:
    return jobs_of(home)[0].progress


def result(client: Any, job: str) -> list[dict[str, Any]]:
    answer = wait(
        lambda: (answer := client.get_face_detection(JobId=job))["JobStatus"] != "IN_PROGRESS" and answer, "the job"
    )
    assert answer["JobStatus"] == "SUCCEEDED", answer.get("StatusMessage")
    return list(answer["Faces"])


@pytest.mark.parametrize("way", ["kill", "stop"])
def test_a_job_goes_on_after_its_server_ended(
    start_own_server: Callable[..., Any], buckets: Path, tmp_path: Path, way: str
) -> None:
    home = tmp_path / "home"
    server = start_own_server(home, OVERT_BUCKETS=str(buckets))
    job = server.client().start_face_detection(Video=VIDEO)["JobId"]
    wait(lambda: progress(home) > 0.1, "the first chunk")
    if way == "kill":
        os.kill(server.process.pid, signal.SIGKILL)
        assert server.process.wait(timeout=15) == -signal.SIGKILL
    else:
        server.stop()
    reached = progress(home)
    assert 0.1 < reached < 1
    client = start_own_server(home, OVERT_BUCKETS=str(buckets)).client()
    assert progress(home) >= reached
    faces = result(client, job)
    assert faces == result(client, client.start_face_detection(Video=VIDEO)["JobId"])
    assert [face["Timestamp"] for face in faces] == sorted(face["Timestamp"] for face in faces)


def test_a_job_is_cancelled_by_another_process_and_begun_anew(
    start_own_server: Callable[..., Any], buckets: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    client = start_own_server(home, OVERT_BUCKETS=str(buckets)).client()
    job = client.start_face_detection(Video=VIDEO)["JobId"]
    wait(lambda: progress(home) > 0, "the first chunk")
    stores = SqlStores.open(f"sqlite:///{home / 'overt.db'}", Vault.open(home / "master.key"))
    with stores.write() as unit:
        unit.jobs.cancel(ACCOUNT, job, "cancelled by the operator")
    answer = client.get_face_detection(JobId=job)
    assert (answer["JobStatus"], answer["StatusMessage"]) == ("FAILED", "cancelled by the operator")
    assert answer["Faces"] == []
    with stores.write() as unit:
        unit.jobs.retry(ACCOUNT, job)
    stores.close()
    assert len(result(client, job)) > 200


def test_the_state_between_chunks_is_gone_when_a_job_is_over(
    start_own_server: Callable[..., Any], buckets: Path, tmp_path: Path, photos: Path
) -> None:
    """It holds the embeddings of all that were seen, listed or not."""
    home = tmp_path / "home"
    client = start_own_server(home, OVERT_BUCKETS=str(buckets)).client()
    client.create_collection(CollectionId="people")
    image = {"Bytes": (photos / "biden.jpg").read_bytes()}
    client.index_faces(CollectionId="people", Image=image, ExternalImageId="biden")
    job = client.start_face_search(Video=VIDEO, CollectionId="people")["JobId"]
    stores = SqlStores.open(f"sqlite:///{home / 'overt.db'}", Vault.open(home / "master.key"))

    def state() -> str:
        with stores.reading.connect() as connection:
            return str(connection.exec_driver_sql("SELECT state FROM jobs").scalar())

    assert "vectors" in wait(state, "the first chunk")
    wait(lambda: client.get_face_search(JobId=job)["JobStatus"] == "SUCCEEDED", "the job")
    assert state() == ""
    stores.close()


# A desk by itself, whose store fails at a moment of ours as if the server had ended there


@pytest.fixture(scope="module")
def cut(photos: Path) -> bytes:
    """A film that was cut off."""
    whole = filming.film(filming.passing(photos / "biden.jpg", 14, size=(320, 180)), "matroska")
    return whole[: len(whole) // 2]


@pytest.fixture
def engine(tmp_path: Path, cut: bytes) -> Iterator[Engine]:
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "cut.mkv").write_bytes(cut)
    opened = Engine.open(settings.load(home=tmp_path / "home"), mounts={"clips": tmp_path / "clips"})
    yield opened
    opened.close()


def begin(engine: Engine) -> str:
    video = {"S3Object": {"Bucket": "clips", "Name": "cut.mkv"}}
    return str(local.call(engine, "StartFaceDetection", Video=video)["JobId"])


def over(engine: Engine, job: str) -> tuple[Job, list[Finding]]:
    with engine.stores.read() as unit:
        found = unit.jobs.findings(job, "frames", (), 10_000, by_name=False)
        return unit.jobs.get(ACCOUNT, job), [each for _, each in found]


def fail_once(monkeypatch: pytest.MonkeyPatch, method: str, after: int = 0) -> None:
    """Have the store fail in a method, when that was called so many times."""
    real, calls = getattr(SqlJobs, method), []

    def failing(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        if len(calls) == after + 1:
            raise UnavailableError("the database is away")
        return real(*args, **kwargs)

    monkeypatch.setattr(SqlJobs, method, failing)


def test_an_end_that_could_not_be_kept_is_as_if_it_had_not_come(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = begin(engine)
    engine.desk.analyse(whole)
    job = begin(engine)
    fail_once(monkeypatch, "end")
    with pytest.raises(UnavailableError):
        engine.desk.analyse(job)
    engine.desk.analyse(job)
    done, findings = over(engine, job)
    assert (done.status, "cut off" in done.message) == ("SUCCEEDED", True)
    assert (done.message, findings) == (over(engine, whole)[0].message, over(engine, whole)[1])
    assert findings


def test_a_video_that_was_replaced_meanwhile_fails_in_words(
    engine: Engine, tmp_path: Path, cut: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analysis, "_VIDEO", 1.0)
    job, file = begin(engine), tmp_path / "clips" / "cut.mkv"
    fail_once(monkeypatch, "save", after=2)
    with pytest.raises(UnavailableError):
        engine.desk.analyse(job)
    shutil.copy2(file, tmp_path / "same.mkv")
    (tmp_path / "same.mkv").replace(file)  # the same film in another place
    fail_once(monkeypatch, "save", after=1)
    with pytest.raises(UnavailableError):
        engine.desk.analyse(job)
    file.write_bytes(cut[:-1])
    engine.desk.analyse(job)
    done, _ = over(engine, job)
    assert done.status == "FAILED"
    assert "replaced" in done.message


@pytest.mark.parametrize("often", [False, True])
def test_a_killed_player_costs_a_chunk_and_one_that_always_dies_fails_the_job(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, *, often: bool
) -> None:
    monkeypatch.setattr(analysis, "_VIDEO", 1.0)
    whole = begin(engine)
    engine.desk.analyse(whole)
    opener, opened = engine.media.video, list[Video]()

    def opening(stored: Stored) -> Video:
        opened.append(opener(stored))
        if often and len(opened) > 1:
            os.kill(opened[-1].pid, signal.SIGKILL)
        return opened[-1]

    save, saved = SqlJobs.save, list[int]()

    def saving(*args: Any, **kwargs: Any) -> None:
        save(*args, **kwargs)
        saved.append(1)
        if len(saved) == 2:
            os.kill(opened[-1].pid, signal.SIGKILL)

    monkeypatch.setattr(engine.media, "video", opening)
    monkeypatch.setattr(SqlJobs, "save", saving)
    job = begin(engine)
    engine.desk.analyse(job)
    done, findings = over(engine, job)
    if often:
        assert (done.status, len(opened)) == ("FAILED", 2)
        assert "the video cannot be played" in done.message
    else:
        assert (done.status, len(opened)) == ("SUCCEEDED", 2)
        assert findings == over(engine, whole)[1]


def test_a_film_of_fifteen_hours_is_a_job_like_any_other(
    engine: Engine, tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frame a minute, of which a few show somebody."""
    grey = next(filming.empty(1, size=(320, 180)))
    face = next(filming.passing(photos / "biden.jpg", 1, size=(320, 180), still=True))
    shown = {0: face, 451: face, 899: face}
    frames = (shown.get(minute, grey) for minute in range(900))
    (tmp_path / "clips" / "cut.mkv").write_bytes(filming.film(frames, "matroska", seconds=60))
    job = begin(engine)
    engine.desk.analyse(job)
    answer = local.call(engine, "GetFaceDetection", JobId=job)
    assert answer["JobStatus"] == "SUCCEEDED", answer
    assert "StatusMessage" not in answer
    assert [found["Timestamp"] for found in answer["Faces"]] == [minute * 60_000 for minute in shown]
    assert abs(answer["VideoMetadata"]["DurationMillis"] - 54_000_000) <= 60_000
