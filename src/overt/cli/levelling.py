# SPDX-License-Identifier: Apache-2.0
"""Two collections of the same faces: gives the second the first one's users, deletions and ends, and then its name.

Knows no picture and no vector: the faces that the second has are there already, under the first one's ids.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from overt.engine import Engine
from overt.stores.base import Unit
from overt.types import Collection, StoredFace

_PAGE = 10_000
_AT_ONCE = 200  # users or faces changed in one transaction, so that others who write wait for a moment only


@dataclass(frozen=True, slots=True)
class Changes:
    """What the new collection has otherwise than the old. give, take: faces by user; a face is taken before it goes.

    ends: faces by when they are to go, None = never.
    """

    gone: Sequence[str]
    take: Mapping[str, Sequence[str]]
    users: Sequence[str]
    give: Mapping[str, Sequence[str]]
    users_gone: Sequence[str]
    ends: Mapping[dt.datetime | None, Sequence[str]]

    def __bool__(self) -> bool:
        return any((self.gone, self.take, self.users, self.give, self.users_gone, self.ends))


def level(opened: Engine, old: Collection, new: Collection, *, replace: bool, allow_missing: bool) -> list[str]:
    """Bring users, ends, and deletions made meanwhile, up to the old collection's state; then let the new replace it.

    Returns: ids of faces that the new collection lacks; with any, and if that is not allowed, nothing is replaced.
    """
    account = opened.settings.account
    while True:
        with opened.stores.read() as unit:
            heads = [unit.collections.head(account, collection.id) for collection in (old, new)]
            missing, changes = _compare(unit, old, new)
        if changes:
            _apply(opened, new, changes)
            continue
        if not replace or (missing and not allow_missing):
            return missing
        with opened.stores.write() as unit:
            # Both as they were compared, or somebody has deleted a face, say, that must not come back.
            if [unit.collections.head(account, collection.id) for collection in (old, new)] == heads:
                unit.collections.exchange(account, old.id, new.id)
                return missing


def _compare(unit: Unit, old: Collection, new: Collection) -> tuple[list[str], Changes]:
    """The faces that the new collection lacks, and what else is to be changed in it."""
    wanted, there = ({face.id: face.user_id for face in faces_of(unit, one)} for one in (old, new))
    people, present = (_users(unit, one) for one in (old, new))
    rightful_ends, present_ends = (unit.expiries.of(one) for one in (old, new))
    ends: dict[dt.datetime | None, list[str]] = defaultdict(list)
    for face_id in rightful_ends.keys() | present_ends.keys():
        end = rightful_ends.get(face_id)
        if face_id in wanted and face_id in there and end != present_ends.get(face_id):
            ends[end].append(face_id)
    take: dict[str, list[str]] = defaultdict(list)
    give: dict[str, list[str]] = defaultdict(list)
    for face_id, user in there.items():
        rightful = wanted.get(face_id)
        if user is not None and user != rightful:
            take[user].append(face_id)
        if rightful is not None and user != rightful:
            give[rightful].append(face_id)
    changes = Changes(
        gone=[face_id for face_id in there if face_id not in wanted],
        take=take,
        users=sorted(people - present),
        give=give,
        users_gone=sorted(present - people),
        ends=ends,
    )
    return [face_id for face_id in wanted if face_id not in there], changes


def _apply(opened: Engine, new: Collection, changes: Changes) -> None:
    for part in _parts(list(changes.take.items())):
        with opened.stores.write() as unit:
            for user, face_ids in part:
                unit.users.disassociate(new, user, face_ids)
    for ids in _parts(changes.gone):
        with opened.stores.write() as unit:
            unit.faces.delete(new, ids)
    for users in _parts(changes.users):
        with opened.stores.write() as unit:
            for user in users:
                unit.users.create(new, user)
    for part in _parts(list(changes.give.items())):
        with opened.stores.write() as unit:
            for user, face_ids in part:
                unit.users.associate(new, user, face_ids)
    for users in _parts(changes.users_gone):
        with opened.stores.write() as unit:
            for user in users:
                unit.users.delete(new, user)
    _end(opened, new, changes.ends)


def _end(opened: Engine, new: Collection, ends: Mapping[dt.datetime | None, Sequence[str]]) -> None:
    for end, ids in ends.items():
        for some in _parts(ids):
            with opened.stores.write() as unit:
                unit.expiries.set(new, some, end)


def _parts(items: Sequence[Any]) -> list[Sequence[Any]]:
    return [items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE)]


def faces_of(unit: Unit, collection: Collection) -> list[StoredFace]:
    """All faces of a collection, in the order of their enrolment."""
    faces: list[StoredFace] = []
    while page := unit.faces.page(collection, faces[-1].sequence if faces else 0, _PAGE):
        faces += page
    return faces


def _users(unit: Unit, collection: Collection) -> set[str]:
    users: list[str] = []
    while page := unit.users.page(collection, users[-1] if users else "", _PAGE):
        users += [person.id for person in page]
    return set(users)
