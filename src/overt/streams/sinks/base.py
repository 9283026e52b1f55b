# SPDX-License-Identifier: Apache-2.0
"""What every sink must offer, and what it is given to open with. Knows no service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, Self, TypeAlias

from overt.outlets.clients import Clients
from overt.settings import Settings
from overt.streams.events import Hub
from overt.types import Parcel


class TargetError(ValueError):
    """A target's URL that cannot be used; the words say why, and hold no password."""


class Sink(Protocol):
    """Where parcels go. For one thread at a time; connects when it first sends."""

    def send(self, parcel: Parcel) -> None:
        """Hand a parcel over, and return once it was taken. It may have been taken before.

        Raises: SendError within some ten seconds when it was not, after which it may be called again, unless permanent.
        """

    def close(self) -> None:
        """Let go of connections; may be called twice."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What sinks are opened with, the same for all.

    clients: of AWS's services. hub: where events are listened to. folder: of a local bucket of that name, None when
    there is none. hook_secret: what web hooks are signed with, empty when there is none. push_secret: 32 bytes that the
    server's Web Push key is made from. push_contact: where push services find whoever runs this server: mailto: or
    https:.
    """

    clients: Clients
    hub: Hub
    folder: Callable[[str], Path | None]
    hook_secret: bytes
    push_secret: bytes
    push_contact: str | None = None

    @classmethod
    def of(cls, settings: Settings, push_secret: bytes, mounts: Mapping[str, Path] = MappingProxyType({})) -> Self:
        """Those of a server. Args: mounts: local buckets beside the settings' folder of them."""

        def folder(bucket: str) -> Path | None:
            found = settings.bucket_folder / bucket
            # A link is no bucket; whoever wants one elsewhere mounts it by name.
            return mounts.get(bucket) or (found if found.is_dir() and not found.is_symlink() else None)

        endpoints = {
            "kinesis": settings.kinesis_endpoint,
            "s3": settings.s3_endpoint,
            "sns": settings.sns_endpoint,
        }
        return cls(
            clients=Clients(endpoints),
            hub=Hub(),
            folder=folder,
            hook_secret=settings.hook_secret,
            push_secret=push_secret,
            push_contact=settings.push_contact,
        )

    def close(self) -> None:
        """Let go of all connections, and of all who listen."""
        self.hub.close()
        self.clients.close()


OpenSink: TypeAlias = Callable[[str, Surroundings], Sink]
"""Opens a sink for a URL. Raises: TargetError. This is what an entry point of the group `overt.sinks` names."""
