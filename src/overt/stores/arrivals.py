# SPDX-License-Identifier: Apache-2.0
"""A collection from a file, all or nothing: it is filled where no caller can see it, then handed over.

In one transaction it would keep all other writers out for minutes; so it arrives roll by roll in an account that no
key can have. What a crash leaves there, `clear` removes.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from overt.stores.archive import Advance
from overt.stores.base import ExistsError, NotFoundError, StoreError, Stores
from overt.stores.portable import Parcel
from overt.types import Collection

ACCOUNT = "arrivals"  # twelve digits are an account that keys are made for

_PAGE = 100


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a collection is to go. resource: the name its tags are kept under. place: its id until it is there."""

    account: str
    id: str
    resource: str
    place: str


def arrive(stores: Stores, parcel: Parcel, to: Destination, advance: Advance) -> Collection:
    """Make the collection that a parcel holds. advance: told the faces.

    Raises: ExistsError when there is one of that id; ArchiveError and StoreError, with nothing left behind.
    """
    contents = parcel.contents
    _refuse_taken(stores, to)
    with stores.write() as unit:
        arriving = unit.collections.create(ACCOUNT, to.place, contents.model, dt.datetime.now(dt.UTC))
    try:
        _fill(stores, parcel, arriving, advance)
        with stores.write() as unit:
            collection = unit.collections.rename(arriving, to.account, to.id)
            unit.tags.put(to.resource, contents.tags)
    except BaseException:
        with stores.write() as unit:
            unit.collections.delete(ACCOUNT, to.place)
        raise
    return collection


def clear(stores: Stores, start: str = "") -> int:
    """Remove what arrivals that were cut off have left, of places whose names start so; how many there were."""
    count, after = 0, ""
    while True:
        with stores.read() as unit:
            page = [each.id for each in unit.collections.page(ACCOUNT, after, _PAGE)]
        if not page:
            return count
        for place in page:
            if place.startswith(start):
                with stores.write() as unit:
                    unit.collections.delete(ACCOUNT, place)
                count += 1
        after = page[-1]


def _refuse_taken(stores: Stores, to: Destination) -> None:
    with stores.read() as unit:
        try:
            unit.collections.get(to.account, to.id)
        except NotFoundError:
            return
    msg = f"there is a collection {to.id} already"
    raise ExistsError(msg)


def _fill(stores: Stores, parcel: Parcel, arriving: Collection, advance: Advance) -> None:
    users = faces = 0
    for ids in parcel.users():
        with stores.write() as unit:
            users += unit.users.load(arriving, ids)
    for roll in parcel.rolls():
        with stores.write() as unit:
            faces += unit.faces.load(arriving, arriving.model, roll)
        advance(len(roll))
    contents = parcel.contents
    if (users, faces) != (contents.users, contents.faces):
        msg = f"the file names {contents.faces - faces} faces and {contents.users - users} users twice"
        raise StoreError(msg)
