# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from overt import settings
from overt.cli.levelling import level
from overt.engine import Engine
from overt.stores.base import NewFace, Unit
from overt.types import Box, Collection, Embedding

_NUMBERS = itertools.count()
_WHEN = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)


def face(name: str, model: str) -> NewFace:
    vector = np.random.default_rng(sum(map(ord, name))).standard_normal(8).astype(np.float32)
    return NewFace(name, Box(0.1, 0.1, 0.5, 0.5), 0.9, Embedding(vector / np.linalg.norm(vector), model))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One of its own: other tests count the collections of theirs."""
    opened = Engine.open(settings.load(home=tmp_path_factory.mktemp("home")))
    yield opened
    opened.close()


@pytest.fixture
def pair(engine: Engine) -> tuple[Collection, Collection]:
    """Two collections of the same six faces; the first has users."""
    number, account = next(_NUMBERS), engine.settings.account
    with engine.stores.write() as unit:
        old = unit.collections.create(account, f"old-{number}", "old-1", _WHEN)
        new = unit.collections.create(account, f"new-{number}", "new-1", _WHEN + dt.timedelta(1))
        for collection in (old, new):
            faces = [face(letter, collection.model) for letter in "abcdef"]
            unit.faces.add(collection, "image", None, faces)
        for user, faces_of_user in {"ann": "ab", "bob": "c", "nobody": ""}.items():
            unit.users.create(old, user)
            unit.users.associate(old, user, list(faces_of_user))
    return old, new


def people(engine: Engine, collection: Collection) -> dict[str, list[str]]:
    with engine.stores.read() as unit:
        owners = {face.id: face.user_id for face in unit.faces.page(collection, 0, 100)}
        return {
            user.id: sorted(name for name, owner in owners.items() if owner == user.id)
            for user in unit.users.page(collection, "", 100)
        } | {"": sorted(name for name, owner in owners.items() if owner is None)}


def test_users_come_along_and_the_first_is_left_alone(engine: Engine, pair: tuple[Collection, Collection]) -> None:
    old, new = pair
    assert level(engine, old, new, replace=False, allow_missing=False) == []
    wanted = {"ann": ["a", "b"], "bob": ["c"], "nobody": [], "": ["d", "e", "f"]}
    assert people(engine, new) == people(engine, old) == wanted


@pytest.mark.parametrize(
    "change",
    [
        lambda unit, old: unit.faces.delete(old, ["d"]),
        lambda unit, old: (unit.users.disassociate(old, "ann", ["a"]), unit.faces.delete(old, ["a"])),
        lambda unit, old: (unit.users.disassociate(old, "ann", ["a"]), unit.users.associate(old, "bob", ["a"])),
        lambda unit, old: unit.users.delete(old, "ann"),
        lambda unit, old: (unit.users.create(old, "eve"), unit.users.associate(old, "eve", ["e"])),
    ],
)
def test_what_has_changed_meanwhile_changes_too(
    engine: Engine, pair: tuple[Collection, Collection], change: Callable[[Unit, Collection], object]
) -> None:
    old, new = pair
    level(engine, old, new, replace=False, allow_missing=False)
    with engine.stores.write() as unit:
        change(unit, old)
    assert level(engine, old, new, replace=False, allow_missing=False) == []
    assert people(engine, new) == people(engine, old)


def test_ends_come_along(engine: Engine, pair: tuple[Collection, Collection]) -> None:
    old, new = pair
    soon, late = (dt.datetime(2099, 1, day, tzinfo=dt.UTC) for day in (1, 2))
    with engine.stores.write() as unit:
        unit.expiries.set(old, ["a", "b"], soon)
        unit.expiries.set(old, ["c"], late)
    with engine.stores.write() as unit:
        unit.expiries.set(new, ["b", "c", "d"], late)
        unit.faces.delete(new, ["a"])
    assert level(engine, old, new, replace=False, allow_missing=True) == ["a"]
    with engine.stores.read() as unit:
        assert unit.expiries.of(new) == {"b": soon, "c": late}


def test_an_end_given_between_comparing_and_replacing_is_not_lost(
    engine: Engine, pair: tuple[Collection, Collection], monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = pair
    level(engine, old, new, replace=False, allow_missing=False)
    write, meddled = engine.stores.write, []
    soon = dt.datetime(2099, 1, 1, tzinfo=dt.UTC)

    def meddling() -> object:
        if not meddled:
            meddled.append(True)
            with write() as unit:
                unit.expiries.set(old, ["f"], soon)
        return write()

    monkeypatch.setattr(engine.stores, "write", meddling)
    level(engine, old, new, replace=True, allow_missing=False)
    monkeypatch.undo()
    with engine.stores.read() as unit:
        assert unit.expiries.of(unit.collections.get(engine.settings.account, old.id)) == {"f": soon}


def test_the_second_takes_the_first_one_s_name_and_age(engine: Engine, pair: tuple[Collection, Collection]) -> None:
    old, new = pair
    level(engine, old, new, replace=True, allow_missing=False)
    with engine.stores.read() as unit:
        renewed = unit.collections.get(engine.settings.account, old.id)
        assert (renewed.model, renewed.created, renewed.user_count) == ("new-1", _WHEN, 3)
        assert unit.collections.get(engine.settings.account, new.id).model == "old-1"
    assert people(engine, renewed)["ann"] == ["a", "b"]


def test_nothing_is_replaced_while_faces_are_missing_unless_that_is_allowed(
    engine: Engine, pair: tuple[Collection, Collection]
) -> None:
    old, new = pair
    with engine.stores.write() as unit:
        unit.faces.delete(new, ["a", "f"])
    assert level(engine, old, new, replace=True, allow_missing=False) == ["a", "f"]
    with engine.stores.read() as unit:
        assert unit.collections.get(engine.settings.account, old.id).model == "old-1"
    assert people(engine, new)["ann"] == ["b"]
    assert level(engine, old, new, replace=True, allow_missing=True) == ["a", "f"]
    with engine.stores.read() as unit:
        assert unit.collections.get(engine.settings.account, old.id).model == "new-1"


def test_what_is_deleted_between_comparing_and_replacing_does_not_come_back(
    engine: Engine, pair: tuple[Collection, Collection], monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = pair
    level(
        engine, old, new, replace=False, allow_missing=False
    )  # so that the next unit to write is the one that replaces
    write, meddled = engine.stores.write, []

    def meddling() -> object:
        if not meddled:
            meddled.append(True)
            with write() as unit:
                unit.faces.delete(old, ["f"])
        return write()

    monkeypatch.setattr(engine.stores, "write", meddling)
    level(engine, old, new, replace=True, allow_missing=False)
    monkeypatch.undo()
    assert meddled
    with engine.stores.read() as unit:
        renewed = unit.collections.get(engine.settings.account, old.id)
        assert renewed.model == "new-1"
        assert "f" not in {face.id for face in unit.faces.page(renewed, 0, 100)}
