# SPDX-License-Identifier: Apache-2.0
"""One transaction's view of everything: all nouns over one connection."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from sqlalchemy import Connection

from overt.stores.alerts import SqlAlerts
from overt.stores.cameras import SqlCameras
from overt.stores.collections import SqlCollections
from overt.stores.expiries import SqlExpiries
from overt.stores.faces import SqlFaces
from overt.stores.halts import SqlHalts
from overt.stores.index import Search
from overt.stores.jobs import SqlJobs
from overt.stores.keys import SqlKeys
from overt.stores.parcels import SqlParcels
from overt.stores.records import SqlRecords
from overt.stores.roles import SqlRoles
from overt.stores.streams import SqlStreams
from overt.stores.tags import SqlTags
from overt.stores.tokens import SqlTokens
from overt.stores.users import SqlUsers
from overt.stores.vault import Vault


class SqlUnit:
    """Implements `base.Unit`. Use it within its `with` block and in one thread only."""

    def __init__(
        self,
        connection: Connection,
        search: Search,
        forget: Callable[[int], None],
        vault: Vault,
        clock: Callable[[], dt.datetime],
    ) -> None:
        self.collections = SqlCollections(connection, forget)
        self.faces = SqlFaces(connection, search, clock)
        self.users = SqlUsers(connection, search)
        self.tags = SqlTags(connection)
        self.tokens = SqlTokens(connection, clock)
        self.keys = SqlKeys(connection, vault)
        self.roles = SqlRoles(connection)
        self.records = SqlRecords(connection)
        self.jobs = SqlJobs(connection, clock)
        self.parcels = SqlParcels(connection, vault, clock)
        self.cameras = SqlCameras(connection, vault)
        self.streams = SqlStreams(connection, vault, clock)
        self.alerts = SqlAlerts(connection, vault, clock)
        self.expiries = SqlExpiries(connection, clock)
        self.halts = SqlHalts(connection)
