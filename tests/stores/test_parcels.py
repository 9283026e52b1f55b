# SPDX-License-Identifier: Apache-2.0
"""Parcels: in order, carried by one server at a time, gone only when they were taken, and never more than fit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from clocks import Clock
from sqlalchemy import func, select

from overt.stores.base import LostError, Turn
from overt.stores.schema import attachments, lanes, parcels
from overt.stores.sql import SqlStores
from overt.stores.vault import Vault
from overt.testing.stores import NOON
from overt.types import Attachment, Parcel

pytestmark = pytest.mark.parametrize("kind", ["sqlite", "postgresql"], indirect=True)

HOOK, QUEUE = "https://user:a-password@example.org/hook", "mqtt://broker/alerts"
AMPLE = 1 << 30


@pytest.fixture
def stores(url: str, vault: Vault, clock: Clock) -> Iterator[SqlStores]:
    stores = SqlStores.open(url, vault, clock=clock)
    yield stores
    with stores.reading.connect() as connection:
        check_sizes(connection)
    stores.close()


def check_sizes(connection: Any) -> None:
    """What the lanes' rows say of the parcels is so."""
    for lane in connection.execute(select(lanes)):
        for column, state in ((lane.size, parcels.c.died.is_(None)), (lane.dead_size, parcels.c.died.is_not(None))):
            total = select(func.coalesce(func.sum(parcels.c.size), 0)).where(parcels.c.lane == lane.number, state)
            assert column == connection.execute(total).scalar()


def parcel(number: int, stream: str = "gate", target: str = HOOK, **changes: Any) -> Parcel:
    fields = {"kind": "face", "subject": f"event {number}", "body": b'{"a":1}', "created": NOON}
    return Parcel(**{"stream": stream, "target": target, **fields, **changes})


def put(stores: SqlStores, *parcels: Parcel, most: int = AMPLE) -> int:
    with stores.write() as unit:
        return unit.parcels.put(parcels, most)


def due(stores: SqlStores, owner: str = "one") -> list[int]:
    with stores.read() as unit:
        return [lane for lane, _ in unit.parcels.due(owner)]


def claim(stores: SqlStores, lane: int, owner: str = "one", seconds: float = 60) -> Turn | None:
    with stores.write() as unit:
        return unit.parcels.claim(lane, owner, seconds)


def turn(stores: SqlStores, owner: str = "one", at: int = 0) -> Turn:
    got = claim(stores, due(stores, owner)[at], owner)
    assert got is not None
    return got


def subjects(stores: SqlStores, mine: Turn) -> list[str]:
    with stores.read() as unit:
        return [each.subject for _, each in unit.parcels.front(mine, 100)]


def first(stores: SqlStores, mine: Turn) -> int:
    with stores.read() as unit:
        return unit.parcels.front(mine, 1)[0][0]


def carry(stores: SqlStores, mine: Turn) -> bool:
    with stores.write() as unit:
        return unit.parcels.sent(mine, first(stores, mine), 60)


def dead(stores: SqlStores, stream: str | None = None) -> list[tuple[int, str, str]]:
    with stores.read() as unit:
        return [(each.number, each.subject, each.reason) for each in unit.parcels.dead(stream, 0, 100)]


def test_a_parcel_comes_back_as_it_was_put(stores: SqlStores) -> None:
    files = (Attachment("a/1.jpg", "image/jpeg", b"\0\xff"), Attachment("a/2.jpg", "image/jpeg", b""))
    new = parcel(1, attachments=files)
    put(stores, new)
    mine = turn(stores)
    with stores.read() as unit:
        ((_, found),) = unit.parcels.front(mine, 10)
    assert found == new


def test_what_one_stream_tells_one_target_keeps_its_order(stores: SqlStores) -> None:
    put(stores, parcel(1), parcel(2, target=QUEUE), parcel(3), parcel(4, stream="door"))
    put(stores, parcel(5))
    assert len(due(stores)) == 3
    lines = [subjects(stores, turn(stores, at=at)) for at in range(3)]
    assert sorted(lines) == [["event 1", "event 3", "event 5"], ["event 2"], ["event 4"]]


def test_a_parcel_goes_only_when_it_was_taken(stores: SqlStores) -> None:
    put(stores, parcel(1), parcel(2))
    mine = turn(stores)
    assert subjects(stores, mine) == subjects(stores, mine) == ["event 1", "event 2"]
    assert carry(stores, mine)
    assert subjects(stores, mine) == ["event 2"]
    with stores.read() as unit:
        (lane,) = unit.parcels.lanes()
    assert (lane.sent, lane.waiting, lane.dead, lane.oldest) == (1, 1, 0, NOON)


def test_nothing_stays_of_what_was_sent(stores: SqlStores) -> None:
    put(stores, parcel(1, attachments=(Attachment("a", "image/jpeg", b"1"),)))
    carry(stores, turn(stores))
    assert due(stores) == []
    with stores.reading.connect() as connection:
        assert connection.execute(select(func.count()).select_from(attachments)).scalar() == 0


def test_what_is_undone_is_not_sent(stores: SqlStores) -> None:
    def put_and_fail() -> None:
        with stores.write() as unit:
            unit.parcels.put([parcel(1)], AMPLE)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        put_and_fail()
    assert due(stores) == []


def test_another_server_gets_a_lane_only_when_its_own_lets_it_lie(stores: SqlStores, clock: Clock) -> None:
    put(stores, parcel(1), parcel(2))
    mine = turn(stores, "one")
    assert due(stores, "two") == []
    assert claim(stores, mine.lane, "two") is None
    clock.passes(seconds=59)
    assert carry(stores, mine)  # renews it
    clock.passes(seconds=59)
    assert due(stores, "two") == []
    clock.passes(seconds=1)
    theirs = turn(stores, "two")
    with pytest.raises(LostError), stores.write() as unit:
        unit.parcels.failed(mine, "no", 1)
    with pytest.raises(LostError), stores.write() as unit:
        unit.parcels.bury(mine, first(stores, theirs), "no", 60)
    with stores.write() as unit:
        unit.parcels.release(mine)
    assert subjects(stores, theirs) == ["event 2"]
    assert not carry(stores, mine)  # and yet it was taken
    assert subjects(stores, theirs) == []


def test_a_turn_that_is_given_back_is_anybodys(stores: SqlStores) -> None:
    put(stores, parcel(1))
    mine = turn(stores, "one")
    with stores.write() as unit:
        unit.parcels.release(mine)
    assert due(stores, "two") == [mine.lane]


def test_a_failure_makes_the_lane_wait_and_no_other(stores: SqlStores, clock: Clock) -> None:
    put(stores, parcel(1), parcel(2, target=QUEUE))
    mine = turn(stores)
    with stores.write() as unit:
        unit.parcels.failed(mine, "it answered 503", 2.0)
    assert mine.lane not in due(stores)
    assert len(due(stores)) == 1
    assert claim(stores, mine.lane) is None
    with stores.read() as unit:
        lane = unit.parcels.lanes()[0]
    assert (lane.attempts, lane.error, lane.due) == (1, "it answered 503", NOON + dt.timedelta(seconds=2))
    clock.passes(seconds=2)
    again = claim(stores, mine.lane, "two")
    assert again is not None
    assert again.attempts == 1
    carry(stores, again)
    with stores.read() as unit:
        lane = unit.parcels.lanes()[0]
    assert (lane.attempts, lane.error, lane.due) == (0, "", None)


def test_a_dead_letter_makes_way_and_is_kept(stores: SqlStores, clock: Clock) -> None:
    put(stores, parcel(1), parcel(2), parcel(3, stream="yard"))
    mine = turn(stores)
    clock.passes(minutes=1)
    with stores.write() as unit:
        unit.parcels.bury(mine, first(stores, mine), "it is gone", 60)
    assert subjects(stores, mine) == ["event 2"]
    with stores.read() as unit:
        (letter,) = unit.parcels.dead(None, 0, 10)
        assert unit.parcels.dead("yard", 0, 10) == []
        assert unit.parcels.dead("gate", letter.number, 10) == []
        assert [lane.dead for lane in unit.parcels.lanes("gate")] == [1]
    assert (letter.target, letter.subject, letter.died) == (HOOK, "event 1", NOON + dt.timedelta(minutes=1))
    assert (letter.reason, letter.kind, letter.created) == ("it is gone", "face", NOON)


def test_a_dead_letter_can_be_sent_anew_behind_the_others(stores: SqlStores) -> None:
    put(stores, parcel(1), parcel(2))
    mine = turn(stores)
    with stores.write() as unit:
        unit.parcels.bury(mine, first(stores, mine), "it is gone", 60)
        unit.parcels.failed(mine, "down", 100)
    ((number, _, _),) = dead(stores)
    with stores.write() as unit:
        assert unit.parcels.resend([number, 999]) == 1
        assert unit.parcels.resend([number]) == 0
    assert dead(stores) == []
    assert subjects(stores, turn(stores)) == ["event 2", "event 1"]


def test_dead_letters_can_be_discarded_and_waiting_ones_not(stores: SqlStores) -> None:
    put(stores, parcel(1), parcel(2))
    mine = turn(stores)
    with stores.write() as unit:
        unit.parcels.bury(mine, first(stores, mine), "it is gone", 60)
    ((number, _, _),) = dead(stores)
    with stores.write() as unit:
        assert unit.parcels.discard([number, number + 1]) == 1
    assert dead(stores) == []
    assert subjects(stores, mine) == ["event 2"]


def test_the_oldest_make_room_and_the_dead_do_too(stores: SqlStores) -> None:
    big = {"body": b"x" * 488}  # 1000 bytes with what a row takes
    most = 3000
    assert put(stores, *(parcel(number, **big) for number in range(3)), most=most) == 0
    assert put(stores, parcel(3, **big), parcel(4, **big), parcel(5, target=QUEUE), most=most) == 2
    mine = turn(stores)
    assert subjects(stores, mine) == ["event 2", "event 3", "event 4"]
    assert [subject for _, subject, _ in dead(stores)] == ["event 0", "event 1"]
    assert all("3000 bytes waited" in reason for _, _, reason in dead(stores))
    assert put(stores, *(parcel(number, **big) for number in range(5, 8)), most=most) == 3
    assert subjects(stores, mine) == ["event 5", "event 6", "event 7"]
    assert [subject for _, subject, _ in dead(stores)] == ["event 2", "event 3", "event 4"]
    with stores.read() as unit:
        assert [(lane.waiting, lane.dead, lane.lost) for lane in unit.parcels.lanes()] == [(3, 3, 2), (1, 0, 0)]


def test_one_that_never_fits_goes_by_itself(stores: SqlStores) -> None:
    assert put(stores, parcel(1), most=600) == 0
    assert put(stores, parcel(2, body=b"x" * 5000), most=600) == 2
    assert put(stores, parcel(3), most=600) == 0
    assert subjects(stores, turn(stores)) == ["event 3"]
    assert dead(stores) == []


def test_a_parcel_given_up_while_it_was_being_sent_is_no_dead_letter(stores: SqlStores) -> None:
    put(stores, parcel(1), most=600)
    mine = turn(stores)
    number = first(stores, mine)
    put(stores, parcel(2), most=600)
    assert [at for at, _, _ in dead(stores)] == [number]
    with stores.write() as unit:
        assert unit.parcels.sent(mine, number, 60)
    assert dead(stores) == []


def test_what_waited_for_days_is_given_up_and_later_dropped(stores: SqlStores, clock: Clock) -> None:
    spans = (dt.timedelta(days=3), dt.timedelta(days=10))
    put(stores, parcel(1))
    clock.passes(days=2)
    put(stores, parcel(2), parcel(3, stream="door"))
    with stores.write() as unit:
        assert unit.parcels.expire(*spans) == (0, 0)
    clock.passes(days=1)
    with stores.write() as unit:
        assert unit.parcels.expire(*spans) == (1, 0)
    assert [(subject, reason) for _, subject, reason in dead(stores)] == [
        ("event 1", "it waited for 3 days and was not taken")
    ]
    clock.passes(days=10)
    with stores.write() as unit:
        assert unit.parcels.expire(*spans) == (2, 1)
    assert [subject for _, subject, _ in dead(stores)] == ["event 2", "event 3"]


def test_nothing_is_left_of_a_forgotten_stream(stores: SqlStores) -> None:
    put(stores, parcel(1), parcel(2), parcel(3, target=QUEUE), parcel(4, stream="yard"))
    mine = turn(stores)
    with stores.write() as unit:
        assert unit.parcels.forget("gate") == 3
        assert unit.parcels.forget("gate") == 0
    assert carry_nothing(stores, mine)
    with stores.read() as unit:
        assert [lane.stream for lane in unit.parcels.lanes()] == ["yard"]


def carry_nothing(stores: SqlStores, mine: Turn) -> bool:
    with stores.write() as unit:
        return not unit.parcels.sent(mine, 1, 60)


def test_a_target_is_not_readable_in_the_database(stores: SqlStores) -> None:
    put(stores, parcel(1))
    with stores.reading.connect() as connection:
        (row,) = connection.execute(select(lanes)).all()
    assert b"a-password" not in repr(row).encode() + row.target
    assert "a-password" not in repr(parcel(1)) + repr(turn(stores))


def test_many_who_put_at_once_lose_nothing(stores: SqlStores) -> None:
    def tell(stream: int) -> None:
        for number in range(20):
            targets = [HOOK, QUEUE] if number % 2 else [QUEUE, HOOK]
            names = [f"{stream % 2}", f"{1 - stream % 2}"]
            put(stores, *(parcel(number, name, target) for name in names for target in targets))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(tell, range(4)))
    with stores.read() as unit:
        assert [lane.waiting for lane in unit.parcels.lanes()] == [80] * 4
    with stores.reading.connect() as connection:
        dealt = connection.execute(select(parcels.c.lane, parcels.c.place)).all()
    assert len(set(dealt)) == 320


def test_parcels_that_name_a_face_are_dropped_waiting_and_dead(stores: SqlStores) -> None:
    ann, bob = "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"
    files = (Attachment("a/1.jpg", "image/jpeg", b"\0\xff"),)
    for number, name in enumerate([ann, bob, ann, "nobody", ann]):
        target = QUEUE if number == 4 else HOOK
        put(stores, parcel(number, target=target, body=f'{{"FaceId":"{name}"}}'.encode(), attachments=files))
    mine = turn(stores)
    with stores.write() as unit:
        unit.parcels.bury(mine, first(stores, mine), "refused", 60)
    with stores.write() as unit:
        assert unit.parcels.forget_faces([]) == 0
        assert unit.parcels.forget_faces([ann, "00000000-0000-0000-0000-00000000000c"]) == 3
    assert dead(stores) == []
    assert subjects(stores, mine) == ["event 1", "event 3"]
    with stores.reading.connect() as connection:
        assert connection.execute(select(func.count()).select_from(attachments)).scalar() == 2
