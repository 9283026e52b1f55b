# SPDX-License-Identifier: Apache-2.0
"""Jobs: one server at a time works on one, what it found is read in two orders, and all goes after seven days."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from clocks import Clock

from overt.stores.base import Checkpoint, Lease, LostError, NotFoundError, StoreError
from overt.stores.sql import SqlStores
from overt.stores.vault import Vault
from overt.testing.stores import ACCOUNT, NOON
from overt.types import Finding, Footage, Job, Sound, Stored

pytestmark = pytest.mark.parametrize("kind", ["sqlite", "postgresql"], indirect=True)

FOOTAGE = Footage("h264", "MP4", 12.5, 25.0, 640, 360, is_full_range=False, sounds=(Sound("aac", 12.4, 48000, 2),))


@pytest.fixture
def stores(url: str, vault: Vault, clock: Clock) -> Iterator[SqlStores]:
    stores = SqlStores.open(url, vault, clock=clock)
    yield stores
    stores.close()


def job(number: int, **changes: Any) -> Job:
    fields = {
        "id": f"{number:064x}",
        "account": ACCOUNT,
        "key_id": "AKIA",
        "operation": "StartLabelDetection",
        "video": Stored("clips", "a/b.mp4", "v1"),
        "task": '{"kind":"Labels"}',
        "created": NOON,
        "tag": "tag",
        "topic": "arn:aws:sns:eu-west-1:123456789012:ends",
    }
    return Job(**{**fields, **changes})


def add(stores: SqlStores, *jobs: Job) -> None:
    for each in jobs:
        with stores.write() as unit:
            unit.jobs.add(each)


def claim(stores: SqlStores, job_id: str, owner: str = "one", seconds: float = 60) -> Lease | None:
    with stores.write() as unit:
        return unit.jobs.claim(job_id, owner, seconds)


def held(stores: SqlStores, job_id: str, owner: str = "one") -> Lease:
    lease = claim(stores, job_id, owner)
    assert lease is not None
    return lease


def save(stores: SqlStores, lease: Lease, *findings: Finding, state: str = "", at: float = 1.0) -> None:
    with stores.write() as unit:
        unit.jobs.save(lease, Checkpoint(at, state), findings, seconds=60, progress=0.5, footage=FOOTAGE)


def end(stores: SqlStores, lease: Lease, status: str = "SUCCEEDED", message: str = "") -> None:
    with stores.write() as unit:
        unit.jobs.end(lease, status=status, message=message)


def due(stores: SqlStores, owner: str = "one") -> list[tuple[str, int]]:
    with stores.read() as unit:
        return list(unit.jobs.due(owner))


def test_a_job_comes_back_as_it_was_put(stores: SqlStores) -> None:
    add(stores, job(1), job(2, account="999999999999", tag=None, topic=None, video=Stored("clips", "x")))
    with stores.read() as unit:
        assert unit.jobs.get(ACCOUNT, job(1).id) == job(1)
        assert [each.id for each in unit.jobs.list(None, 10)] == [job(2).id, job(1).id]
        assert unit.jobs.list(ACCOUNT, 10) == [job(1)]
        assert unit.jobs.open(ACCOUNT) == 1
        with pytest.raises(NotFoundError):
            unit.jobs.get(ACCOUNT, job(2).id)


def test_the_work_goes_on_from_the_last_checkpoint(stores: SqlStores) -> None:
    add(stores, job(1))
    lease = held(stores, job(1).id)
    assert lease.checkpoint == Checkpoint()
    save(stores, lease, Finding(0, "Dog", "frames", "{}"), state='{"open":1}', at=2.5)
    again = held(stores, job(1).id)
    assert again.checkpoint == Checkpoint(2.5, '{"open":1}')
    assert (again.job.status, again.job.progress, again.job.footage) == ("RUNNING", 0.5, FOOTAGE)


def test_only_the_newest_lease_can_write(stores: SqlStores) -> None:
    add(stores, job(1))
    first = held(stores, job(1).id)
    held(stores, job(1).id)
    with pytest.raises(LostError):
        save(stores, first, Finding(0, "Dog", "frames", "{}"))
    with pytest.raises(LostError):
        end(stores, first)
    with stores.read() as unit:
        assert unit.jobs.findings(job(1).id, "frames", (), 10, by_name=False) == []
        assert not unit.jobs.get(ACCOUNT, job(1).id).is_over


def test_another_server_gets_a_job_only_when_its_own_lets_it_lie(stores: SqlStores, clock: Clock) -> None:
    add(stores, job(1))
    assert due(stores, "two") == [(job(1).id, 0)]
    first = held(stores, job(1).id, "one")
    assert due(stores, "two") == []
    assert claim(stores, job(1).id, "two") is None
    assert due(stores, "one") == [(job(1).id, 0)]
    clock.passes(seconds=59)
    save(stores, first)  # renews the lease
    clock.passes(seconds=59)
    assert claim(stores, job(1).id, "two") is None
    clock.passes(seconds=1)
    assert due(stores, "two") == [(job(1).id, 0)]
    held(stores, job(1).id, "two")
    with pytest.raises(LostError):
        save(stores, first)


def test_a_job_that_is_over_is_due_until_it_is_told(stores: SqlStores) -> None:
    add(stores, job(1))
    lease = held(stores, job(1).id)
    save(stores, lease, state="secret")
    end(stores, lease)
    told = held(stores, job(1).id)
    assert told.job.is_over
    assert (told.job.status, told.job.progress, told.checkpoint.state) == ("SUCCEEDED", 1.0, "")
    with pytest.raises(LostError):
        save(stores, told)
    with stores.write() as unit:
        unit.jobs.told(job(1).id)
    assert due(stores) == []
    assert claim(stores, job(1).id) is None


def test_a_job_that_was_given_up_is_anybodys(stores: SqlStores) -> None:
    add(stores, job(1))
    lease = held(stores, job(1).id, "one")
    with stores.write() as unit:
        unit.jobs.release(job(1).id)
    assert due(stores, "two") == [(job(1).id, 1)]
    with pytest.raises(LostError):
        save(stores, lease)


FINDINGS = [
    Finding(0, "Dog", "frames", "1"),
    Finding(0, "Cat", "frames", "2"),
    Finding(500, "Dog", "frames", "3"),
    Finding(500, "Dog", "frames", "4"),
    Finding(500, "Ape", "frames", "5"),
    Finding(0, "Dog", "spans", "6"),
]


@pytest.mark.parametrize(("by_name", "order"), [(False, "12345"), (True, "52134")])
def test_findings_are_read_page_by_page_in_either_order(stores: SqlStores, order: str, *, by_name: bool) -> None:
    add(stores, job(1), job(2))
    for number in (1, 2):
        lease = held(stores, job(number).id)
        save(stores, lease, *FINDINGS[:2])
        save(stores, lease, *FINDINGS[2:])
    place: tuple[Any, ...] = ()
    read = ""
    while True:
        with stores.read() as unit:
            rows = unit.jobs.findings(job(1).id, "frames", place, 2, by_name=by_name)
        if not rows:
            break
        read += "".join(finding.body for _, finding in rows)
        place = rows[-1][0]
    assert read == order
    with stores.read() as unit:
        assert [each.body for each in unit.jobs.named(job(1).id, "spans", ["Dog", "Cow"])] == ["6"]


def test_a_cancelled_job_is_lost_to_whoever_works_on_it_and_still_told(stores: SqlStores) -> None:
    add(stores, job(1))
    lease = held(stores, job(1).id)
    with stores.write() as unit:
        cancelled = unit.jobs.cancel(ACCOUNT, job(1).id, "cancelled by the operator")
    assert (cancelled.status, cancelled.message, cancelled.ended) == ("FAILED", "cancelled by the operator", NOON)
    with pytest.raises(LostError):
        save(stores, lease)
    assert due(stores, "two") == [(job(1).id, 1)]
    with pytest.raises(StoreError, match="over already"), stores.write() as unit:
        unit.jobs.cancel(ACCOUNT, job(1).id, "again")


def test_a_failed_job_begins_anew(stores: SqlStores) -> None:
    add(stores, job(1))
    lease = held(stores, job(1).id)
    save(stores, lease, *FINDINGS)
    with pytest.raises(StoreError, match="did not fail"), stores.write() as unit:
        unit.jobs.retry(ACCOUNT, job(1).id)
    end(stores, lease, "FAILED", "the video cannot be played")
    with stores.write() as unit:
        unit.jobs.told(job(1).id)
        again = unit.jobs.retry(ACCOUNT, job(1).id)
    assert (again.status, again.message, again.progress, again.ended) == ("QUEUED", "", 0.0, None)
    assert due(stores, "two") == [(job(1).id, 1)]
    lease = held(stores, job(1).id)
    assert lease.checkpoint == Checkpoint()
    with stores.read() as unit:
        assert unit.jobs.findings(job(1).id, "frames", (), 10, by_name=False) == []


def test_a_job_and_what_it_found_go_after_seven_days(stores: SqlStores, clock: Clock) -> None:
    add(stores, job(1), job(2))
    lease = held(stores, job(1).id)
    save(stores, lease, *FINDINGS)
    end(stores, lease)
    clock.passes(days=6.99)
    with stores.read() as unit:
        assert unit.jobs.get(ACCOUNT, job(1).id).is_over
    clock.passes(days=0.01)
    with stores.read() as unit:
        with pytest.raises(NotFoundError):
            unit.jobs.get(ACCOUNT, job(1).id)
        assert unit.jobs.list(None, 10) == [job(2)]
    add(stores, job(3))
    with stores.reading.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM findings").scalar() == 0
        assert connection.exec_driver_sql("SELECT count(*) FROM jobs").scalar() == 2


def test_a_job_that_waits_long_stays(stores: SqlStores, clock: Clock) -> None:
    add(stores, job(1))
    clock.passes(days=30)
    add(stores, job(2))
    assert [job_id for job_id, _ in due(stores)] == [job(1).id, job(2).id]
