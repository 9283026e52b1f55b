# SPDX-License-Identifier: Apache-2.0
"""One person stops it at once; two different ones, and no fewer, start it again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from asking import good, policy, telling

from overt.govern import moratorium
from overt.govern.moratorium import Moratorium
from overt.govern.policy import Policy
from overt.stores.base import NotFoundError
from overt.stores.sql import SqlStores
from overt.stores.vault import Vault


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[SqlStores]:
    opened = SqlStores.open(f"sqlite:///{tmp_path / 'overt.db'}", Vault.open(tmp_path / "master.key"))
    yield opened
    opened.close()


class Ticks:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_faces_stop_within_a_second_and_the_rest_goes_on(stores: SqlStores) -> None:
    ticks = Ticks()
    decider = Policy(policy("open").rulebook, Moratorium(stores, ticks))
    assert decider.decide(good("open")).allowed
    halt = moratorium.begin(stores, "Ann", "a court said so")
    ticks.now = 1.0
    for action in ("SearchFaces", "DetectFaces", "CompareFaces", "StartStreamProcessor", "IndexFaces"):
        ruling = decider.decide(good("open", action))
        assert (ruling.allowed, ruling.rules) == (False, ("moratorium",))
        assert f"moratorium {halt.number}" in ruling.reason
    for action in ("DetectLabels", "DeleteFaces", "StopStreamProcessor", "StartThingStream"):
        assert decider.decide(good("open", action)).allowed


def test_two_different_people_lift_it(stores: SqlStores) -> None:
    number = moratorium.begin(stores, "ann", "why").number
    assert moratorium.approve(stores, number, "Ann", "over").lifted is None
    assert moratorium.approve(stores, number, "  aNN ", "really").lifted is None
    assert Moratorium(stores).is_on() is not None
    lifted = moratorium.approve(stores, number, "bob", "agreed")
    assert lifted.lifted is not None
    assert [approval.person for approval in lifted.approvals] == ["ann", "bob"]
    assert Moratorium(stores).is_on() is None
    with pytest.raises(NotFoundError):
        moratorium.approve(stores, number, "cy", "late")


def test_it_survives_a_restart_and_needs_names_and_reasons(stores: SqlStores, tmp_path: Path) -> None:
    moratorium.begin(stores, "ann", "why")
    stores.close()
    again = SqlStores.open(f"sqlite:///{tmp_path / 'overt.db'}", Vault.open(tmp_path / "master.key"))
    assert moratorium.on_everything(again) is not None
    with pytest.raises(ValueError, match="who wants it and why"):
        moratorium.begin(again, " ", "why")
    with pytest.raises(ValueError, match="who wants it and why"):
        moratorium.approve(again, 1, "bob", "")
    again.close()


def test_it_covers_a_collection_or_a_purpose(stores: SqlStores) -> None:
    moratorium.begin(stores, "ann", "why", collection="people", purpose="theft")
    halted = Moratorium(stores)
    asked = telling(good("open"), purpose="theft")
    refusal = halted(asked)
    assert refusal is not None
    assert "for collection people for purpose theft" in refusal.reason
    assert halted(telling(asked, purpose="")) is not None, "silence gets past nothing"
    assert halted(telling(asked, purpose="missing")) is None
    assert halted(good("open", collection="others")) is None
    assert moratorium.on_everything(stores) is None


def test_what_cannot_be_looked_up_is_a_refusal(stores: SqlStores) -> None:
    decider = Policy(policy("open").rulebook, Moratorium(stores))
    with stores._writer.unit() as connection:
        connection.exec_driver_sql("ALTER TABLE halts RENAME TO gone")
    assert decider.decide(good("open")).rules == ("engine-error",)
    assert decider.decide(good("open", "DetectLabels")).allowed
