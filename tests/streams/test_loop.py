# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import threading
from pathlib import Path

from overt.engine import Engine
from overt.media.live import Camera
from overt.streams.loop import look
from overt.streams.visits import Visits, person
from overt.streams.watch import Watch, WatchList


def test_each_person_is_told_once_a_visit(engine: Engine, listed: WatchList, street: Path) -> None:
    watch = Watch(engine.models.faces, engine.stores, listed)
    engine.models.faces.load()
    with Camera(street.as_uri(), 5.0) as camera:
        moments = list(look(camera, watch, Visits(quiet=2.0)))
    visits = [visit for moment in moments for visit in moment.visits]
    whom = [(person(visit.match.subject), visit.is_over) for visit in visits if visit.match]
    assert whom == [
        ("external obama", False),
        ("external obama", True),
        ("external biden", False),
        ("external biden", True),
        ("external obama", False),
        ("external obama", True),
    ]
    assert moments[-1].frame is None
    walls = [moment.wall for moment in moments if moment.frame]
    assert walls == sorted(walls)


def test_it_ends_with_the_camera(engine: Engine, listed: WatchList, street: Path) -> None:
    watch = Watch(engine.models.faces, engine.stores, listed)
    with contextlib.closing(Camera(f"{street.as_uri()}?loop=1", 5.0)) as camera:
        threading.Timer(1.5, camera.close).start()
        assert list(look(camera, watch, Visits()))[-1].frame is None
