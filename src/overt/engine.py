# SPDX-License-Identifier: Apache-2.0
"""The engine: builds and holds pictures, models and stores, and is what operations receive.

Usable without a server: the command line and tests open one and call operations. Knows no HTTP.
"""

from __future__ import annotations

import datetime as dt
import importlib
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from overt.errors import ProvisionedThroughputExceededException
from overt.jobs.desk import Desk
from overt.jobs.notices import Notices
from overt.jobs.task import Tools
from overt.media.fetch import Fetcher
from overt.media.images import SHORTEST_SIDE
from overt.media.pictures import Media
from overt.media.sources.base import Services
from overt.models.hub import Hub
from overt.settings import Settings
from overt.stores import urls
from overt.stores.base import StoreError, Stores
from overt.stores.index import Galleries, Index
from overt.stores.sql import SqlStores
from overt.stores.vault import Vault
from overt.streams import kinds
from overt.streams import worker as watching
from overt.streams.cameras import open_camera
from overt.streams.postman import Limits, Postman
from overt.streams.retention import Retention
from overt.streams.sinks.base import Surroundings
from overt.streams.supervisor import Supervisor
from overt.types import Image


class Engine:
    """Everything a call needs, opened once."""

    def __init__(
        self,
        settings: Settings,
        media: Media,
        models: Hub,
        stores: Stores,
        vault: Vault,
        *,
        mounts: Mapping[str, Path] = MappingProxyType({}),
    ) -> None:
        self.settings = settings
        self.media = media
        self.models = models
        self.stores = stores
        self.owner = vault.digest("server", str(settings.home.resolve()).encode())[:32]
        """This server's name to others that share its store."""
        self.desk = Desk(
            media,
            tools(settings, models, stores),
            Notices(settings.hooks, settings.hook_secret, settings.sns_endpoint),
            file=settings.job_queue,
            owner=self.owner,
            workers=settings.video_workers,
        )
        self.surroundings = Surroundings.of(settings, bytes.fromhex(vault.digest("web push", b"")), mounts)
        self.post = Postman(stores, self.surroundings, Limits.of(settings), owner=self.owner)
        self.streams = Supervisor(self.watching(), owner=self.owner)
        self.retention = Retention(stores, dt.timedelta(days=settings.alert_days))
        self._vault = vault
        # One more than there are workers: a picture being decoded, in another process, keeps no core busy here.
        self._places = threading.BoundedSemaphore(settings.workers + 1)
        self._queue = threading.BoundedSemaphore(settings.workers + settings.image_queue)

    @classmethod
    def open(cls, settings: Settings, mounts: Mapping[str, Path] = MappingProxyType({})) -> Engine:
        """Open the home folder, making what is not there yet, and bring the database up to date.

        Args: mounts: further local buckets, name -> folder, beside the settings' folder of buckets.
        """
        spread = _spread(settings)
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.bucket_folder.mkdir(parents=True, exist_ok=True)
        vault = Vault.open(settings.master_key)
        return cls(
            settings=settings,
            media=Media(
                Fetcher(
                    settings.bucket_folder,
                    mounts=mounts,
                    uses_s3=settings.uses_s3,
                    s3_endpoint=settings.s3_endpoint,
                ),
                workers=settings.workers,
            ),
            models=Hub.discover(settings.model_folder, settings.free_labels),
            stores=SqlStores.open(
                settings.store_url, vault, segments=settings.segments, kernel=settings.search_kernel, spread=spread
            ),
            vault=vault,
            mounts=mounts,
        )

    def start(self) -> None:
        """Start workers, here and elsewhere, and check every model's files; with the setting `preload`, load them.

        Raises: PackError; StoreError when what is to be elsewhere cannot be.
        """
        self.stores.start()
        self.media.start()
        self.models.check()
        if self.settings.preload:
            self.models.preload()

    def watching(self) -> watching.Tools:
        """What watching streams takes."""
        services = Services(self.settings.kinesis_video_endpoint)
        return watching.Tools(
            stores=self.stores,
            open_camera=partial(open_camera, stores=self.stores, services=services),
            analyse=partial(kinds.begin, models=self.models, stores=self.stores),
            put=self.post.put,
            wake=self.post.wake,
            places=threading.BoundedSemaphore(self.settings.workers),
        )

    def digest(self, purpose: str, data: bytes) -> str:
        """A keyed hash, hex: equal for equal data on this server, and it gives nothing of the data away."""
        return self._vault.digest(purpose, data)

    @contextmanager
    def looking_at(self, *pictures: Mapping[str, Any], shortest: int = SHORTEST_SIDE) -> Iterator[tuple[Image, ...]]:
        """Fetch and decode pictures, and hold one of the places for picture work while the block uses them.

        Args: pictures: Image structures of the wire, fetched before a place is taken, as a fetch may be slow.
            shortest: pixels that each side needs.
        Raises: ProvisionedThroughputExceededException when the bounded queue is full (SDKs wait and try again), and
            the errors of fetching and decoding.
        """
        if not self._queue.acquire(blocking=False):
            raise ProvisionedThroughputExceededException(detail="the picture queue is full; wait and try again")
        try:
            encoded = [self.media.fetch(picture) for picture in pictures]
            with self._places:
                yield tuple(self.media.decode(raw, shortest) for raw in encoded)
        finally:
            self._queue.release()

    def close(self) -> None:
        """Finish what is under way and let go of processes and files."""
        self.retention.close()
        self.streams.close()
        self.desk.close()
        self.post.close()
        self.surroundings.close()
        self.media.close()
        self.stores.close()


def tools(settings: Settings, models: Hub, stores: Stores) -> Tools:
    """What tasks on videos work with: each video gets its share of the cores."""
    return Tools(models, stores, max(settings.workers // settings.video_workers, 1))


def reachable(settings: Settings) -> str:
    """The URL of a database that a whole cluster can use. Raises: StoreError when the settings name none."""
    if urls.kind(settings.store_url) != "postgresql":
        msg = "a Ray cluster needs a database that every node can reach: set `store` to a postgresql:// URL"
        raise StoreError(msg)
    return settings.store_url


def _spread(settings: Settings) -> Callable[[Index, str], Galleries] | None:
    """How galleries reach over a Ray cluster, None without one. Raises: StoreError when that cannot be."""
    if settings.ray is None:
        return None
    reachable(settings)
    try:
        router = importlib.import_module("overt.scale.router")
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        msg = "the setting `ray` needs a package that is not installed; run: pip install 'overt[ray]'"
        raise StoreError(msg) from error
    return partial(router.Router, settings)
