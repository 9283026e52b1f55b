# SPDX-License-Identifier: Apache-2.0
"""Cameras' addresses in SQL, sealed, as they may hold passwords. Knows no scheme and connects to nothing."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, delete, select, update

from overt.stores.base import ExistsError, NotFoundError
from overt.stores.schema import cameras
from overt.stores.shelf import AnyRow, insert_new
from overt.stores.vault import Vault
from overt.types import CameraAddress

_SEALED = "camera"


class SqlCameras:
    """Implements `base.Cameras`."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    def add(self, camera: CameraAddress) -> None:
        """See `base.Cameras.add`."""
        is_new = insert_new(
            self._connection,
            cameras,
            account=camera.account,
            name=camera.name,
            arn=camera.arn,
            url=self._sealed(camera.url),
            created=camera.created,
            keyframes_only=camera.keyframes_only,
        )
        if not is_new:
            msg = f"there is a camera {camera.name} in account {camera.account} already, or one with its ARN"
            raise ExistsError(msg)

    def get(self, account: str, arn: str) -> CameraAddress:
        """See `base.Cameras.get`."""
        return self._only(account, cameras.c.arn == arn, arn)

    def named(self, account: str, name: str) -> CameraAddress:
        """See `base.Cameras.named`."""
        return self._only(account, cameras.c.name == name, name)

    def list(self, account: str) -> Sequence[CameraAddress]:
        """See `base.Cameras.list`."""
        statement = select(cameras).where(cameras.c.account == account).order_by(cameras.c.name)
        return [self._camera(row) for row in self._connection.execute(statement)]

    def move(self, account: str, name: str, url: str) -> CameraAddress:
        """See `base.Cameras.move`."""
        statement = update(cameras).where(cameras.c.account == account, cameras.c.name == name)
        row = self._connection.execute(statement.values(url=self._sealed(url)).returning(cameras)).first()
        return self._camera(_found(row, account, name))

    def remove(self, account: str, name: str) -> None:
        """See `base.Cameras.remove`."""
        statement = delete(cameras).where(cameras.c.account == account, cameras.c.name == name)
        _found(self._connection.execute(statement.returning(cameras)).first(), account, name)

    def _only(self, account: str, matches: ColumnElement[bool], sought: str) -> CameraAddress:
        row = self._connection.execute(select(cameras).where(cameras.c.account == account, matches)).first()
        return self._camera(_found(row, account, sought))

    def _sealed(self, url: str) -> bytes:
        return self._vault.wrap(url.encode(), _SEALED)

    def _camera(self, row: AnyRow) -> CameraAddress:
        return CameraAddress(
            account=row.account,
            name=row.name,
            arn=row.arn,
            url=self._vault.unwrap(row.url, _SEALED).decode(),
            created=row.created,
            keyframes_only=row.keyframes_only,
        )


def _found(row: AnyRow | None, account: str, sought: str) -> AnyRow:
    if row is None:
        msg = f"no camera {sought} in account {account}"
        raise NotFoundError(msg)
    return row
