# SPDX-License-Identifier: Apache-2.0
"""The hub: who hears what, who returns, and who is too slow."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from overt.streams import events
from overt.streams.events import Hub, Listener, framed
from overt.testing.sinks import parcel

EVENTS = [parcel(number, "events:", stream="gate" if number % 2 else "door") for number in range(6)]


def heard(listener: Listener) -> list[int]:
    got = []
    while (told := listener.next(0)) is not None:
        got.append(EVENTS.index(told))
    return got


def test_all_who_listen_hear_what_comes_from_then_on() -> None:
    hub = Hub()
    hub.tell(EVENTS[0])
    with hub.listen() as one, hub.listen(["gate"]) as two:
        for each in EVENTS[1:]:
            hub.tell(each)
        assert heard(one) == [1, 2, 3, 4, 5]
        assert heard(two) == [1, 3, 5]
    hub.tell(EVENTS[0])
    assert heard(one) == []


def test_who_returns_hears_what_was_missed() -> None:
    hub = Hub(kept=4)
    for each in EVENTS:
        hub.tell(each)
    with hub.listen(after=EVENTS[3].id) as listener:
        assert heard(listener) == [4, 5]
    with hub.listen(after=EVENTS[0].id) as listener:  # not kept any more
        assert heard(listener) == [2, 3, 4, 5]
    with hub.listen(["gate"], after=EVENTS[2].id) as listener:
        assert heard(listener) == [3, 5]


def test_an_event_that_is_told_twice_is_heard_once() -> None:
    hub = Hub()
    with hub.listen() as listener:
        hub.tell(EVENTS[0])
        hub.tell(EVENTS[0])
        assert heard(listener) == [0]


def test_who_is_too_slow_is_let_go_and_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_BEHIND", 1)
    hub = Hub(kept=2)
    with hub.listen() as slow, hub.listen() as quick:
        got = []
        for each in EVENTS:
            hub.tell(each)
            got += heard(quick)
        assert got == [0, 1, 2, 3, 4, 5]
        assert slow.is_closed
        assert heard(slow) == [0, 1, 2]
        assert not quick.is_closed


def test_who_waits_is_woken_at_the_end() -> None:
    hub = Hub()
    listener = hub.listen()
    threading.Timer(0.05, hub.close).start()
    assert listener.next(30) is None
    assert listener.is_closed
    assert listener.next(30) is None


def test_a_frame_cannot_be_broken_out_of() -> None:
    event = replace(EVENTS[0], id="7", body=b'{"a":\r\n1,\n"b": 2}\n\nid: 8')
    assert framed(event) == b'id: 7\nevent: face\ndata: {"a":\ndata: \ndata: 1,\ndata: "b": 2}\ndata: \ndata: id: 8\n\n'
