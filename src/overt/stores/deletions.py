# SPDX-License-Identifier: Apache-2.0
"""Deletions that a backup does not know of, found in the database it replaces or told in files, and made again.

What was deleted is told by marks that deleting leaves, never by absence alone: a database that went another way since
the backup lacks things that nobody deleted.
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Collection as Ids
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

from overt.stores.base import NotFoundError, StoreError, Stores, Unit
from overt.types import Collection, StoredFace

_BATCH = 500

# Collections that the two databases share: numbers may have been dealt twice since the backup.
_SAME = """
    FROM main.collections c JOIN old.collections o
    ON o.number = c.number AND o.account = c.account AND o.id = c.id AND o.created = c.created
"""
_MARKED = "(SELECT collection, sequence FROM old.tombstones)"
_GRAVES = """
    SELECT c.account, c.id FROM main.collections c JOIN old.graves g ON g.number = c.number AND g.created = c.created
"""
# A face that was enrolled again after it was deleted stays.
_FACES = f"""
    SELECT c.account, c.id, f.id {_SAME} JOIN main.faces f ON f.collection = c.number
    WHERE (f.collection, f.sequence) IN {_MARKED}
    AND NOT EXISTS (SELECT 1 FROM old.faces g WHERE g.collection = f.collection AND g.id = f.id)
"""  # noqa: S608 - put together from the constants above
# A user without faces has nothing that could leave a mark: it is an id, and goes.
_USERS = f"""
    SELECT c.account, c.id, u.id {_SAME} JOIN main.users u ON u.collection = c.number
    WHERE (u.sequence IS NULL OR (u.collection, u.sequence) IN {_MARKED})
    AND NOT EXISTS (SELECT 1 FROM old.users g WHERE g.collection = u.collection AND g.id = u.id)
"""  # noqa: S608 - as above
_KEYS = """
    SELECT k.id, o.revoked FROM main.keys k JOIN old.keys o ON o.id = k.id AND o.created = k.created
    WHERE k.revoked IS NULL AND o.revoked IS NOT NULL
"""
# Erasing a face drops its alerts, and deleting it does not: the alerts tell which it was.
_ALERTS = f"""
    SELECT DISTINCT a.account, a.collection, a.face FROM main.alerts a
    WHERE (a.account, a.collection, a.face) IN ({_FACES}) AND a.id NOT IN (SELECT id FROM old.alerts)
"""  # noqa: S608 - as above
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

Place = tuple[str, str]  # the account and id of a collection


@dataclass(frozen=True, slots=True)
class Deletions:
    """What was deleted: collections; faces and users with the collection they are in; keys with when they were revoked.

    alerts: faces whose alerts were dropped, with their collection. As the outcome of making them again: those that were
    there to be deleted, and a face once for each of its alerts.
    """

    collections: tuple[Place, ...] = ()
    faces: tuple[tuple[Place, str], ...] = ()
    users: tuple[tuple[Place, str], ...] = ()
    keys: tuple[tuple[str, dt.datetime], ...] = ()
    alerts: tuple[tuple[Place, str], ...] = ()

    def __add__(self, other: Deletions) -> Deletions:
        """Both."""
        return Deletions(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    @property
    def counts(self) -> dict[str, int]:
        """How many of each."""
        return {each.name: len(getattr(self, each.name)) for each in fields(self)}


def found(fresh: Path, old: Path) -> Deletions:
    """What was deleted in the database `old` and is in `fresh`, a backup of it. Nobody else uses either.

    Raises: StoreError when `old` cannot be read.
    """
    with attached(fresh, old) as connection:
        return Deletions(
            tuple((account, name) for account, name in connection.execute(_GRAVES)),
            tuple(((account, name), face) for account, name, face in connection.execute(_FACES)),
            tuple(((account, name), user) for account, name, user in connection.execute(_USERS)),
            tuple((key, _EPOCH + dt.timedelta(microseconds=when)) for key, when in connection.execute(_KEYS)),
            tuple(((account, name), face) for account, name, face in connection.execute(_ALERTS)),
        )


def read(file: Path) -> Deletions:
    """What a file of JSON lines tells: objects with `account`, `collection`, and `face_id` or `user_id`.

    What else they hold is passed over. Raises: StoreError naming the line that is none.
    """
    faces: list[tuple[Place, str]] = []
    users: list[tuple[Place, str]] = []
    with file.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                told = json.loads(line)
                place = (_text(told["account"]), _text(told["collection"]))
                if "face_id" in told:
                    faces.append((place, _text(told["face_id"])))
                else:
                    users.append((place, _text(told["user_id"])))
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                msg = f"line {number} of {file} tells no deletion: it needs account, collection, and face_id or user_id"
                raise StoreError(msg) from error
    return Deletions(faces=tuple(faces), users=tuple(users), alerts=tuple(faces))


def make_again(stores: Stores, wanted: Deletions) -> Deletions:
    """Delete what is there of it; what that was. A face is taken from its user first.

    Results of streams that name a deleted face are dropped as well, and not told: they were on their way at the time.
    """
    return Deletions(
        tuple(place for place in dict.fromkeys(wanted.collections) if _delete_collection(stores, place)),
        tuple(_each(stores, wanted.faces, _delete_faces)),
        tuple(_each(stores, wanted.users, _delete_users)),
        tuple(key for key in dict(wanted.keys).items() if _revoke(stores, *key)),
        tuple(_each(stores, wanted.alerts, _drop_alerts)),
    )


@contextmanager
def attached(fresh: Path, old: Path) -> Iterator[sqlite3.Connection]:
    """One connection to both databases, as `main` and `old`; what is done is committed at the end.

    Raises: StoreError for every error of a database.
    """
    try:
        with closing(sqlite3.connect(fresh)) as connection:
            connection.execute("ATTACH DATABASE ? AS old", (str(old),))
            with connection:
                yield connection
    except sqlite3.Error as error:
        msg = f"the database cannot be read: {error}"
        raise StoreError(msg) from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _delete_collection(stores: Stores, place: Place) -> bool:
    with stores.write() as unit:
        try:
            unit.collections.delete(*place)
        except NotFoundError:
            return False
    return True


def _each(
    stores: Stores, entries: Iterable[tuple[Place, str]], delete: Callable[[Unit, Collection, list[str]], list[str]]
) -> Iterator[tuple[Place, str]]:
    """Delete entries of each collection, some at a time, and give those that were there."""
    by_place: defaultdict[Place, dict[str, None]] = defaultdict(dict)
    for place, entry in entries:
        by_place[place][entry] = None
    for place, ids in by_place.items():
        some = list(ids)
        for start in range(0, len(some), _BATCH):
            with stores.write() as unit:
                try:
                    collection = unit.collections.get(*place)
                except NotFoundError:
                    break
                gone = delete(unit, collection, some[start : start + _BATCH])
            yield from ((place, entry) for entry in gone)


def delete_faces(unit: Unit, collection: Collection, face_ids: Ids[str]) -> list[StoredFace]:
    """Delete faces, of users too; those that were there, as they were."""
    held = list(unit.faces.get(collection, face_ids).values())
    by_user: defaultdict[str, list[str]] = defaultdict(list)
    for face in held:
        if face.user_id is not None:
            by_user[face.user_id].append(face.id)
    for user_id, mine in by_user.items():
        unit.users.disassociate(collection, user_id, mine)
    unit.faces.delete(collection, [face.id for face in held])
    return held


def forget_faces(unit: Unit, collection: Collection, face_ids: Ids[str]) -> tuple[int, int]:
    """Drop what was seen of faces, wherever they are now: how many alerts and how many parcels that was."""
    return unit.alerts.forget(collection, face_ids), unit.parcels.forget_faces(face_ids)


def _delete_faces(unit: Unit, collection: Collection, face_ids: list[str]) -> list[str]:
    unit.parcels.forget_faces(face_ids)
    return [face.id for face in delete_faces(unit, collection, face_ids)]


def _drop_alerts(unit: Unit, collection: Collection, face_ids: list[str]) -> list[str]:
    return [face_id for face_id in face_ids for _ in range(unit.alerts.forget(collection, [face_id]))]


def _delete_users(unit: Unit, collection: Collection, user_ids: list[str]) -> list[str]:
    gone = []
    for user_id in user_ids:
        try:
            unit.users.delete(collection, user_id)
        except NotFoundError:
            continue
        gone.append(user_id)
    return gone


def _revoke(stores: Stores, key_id: str, when: dt.datetime) -> bool:
    with stores.write() as unit:
        try:
            unit.keys.revoke(key_id, when)
        except NotFoundError:
            return False
    return True
