# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import threading
from pathlib import Path

from overt.engine import Engine
from overt.media.live import Camera
from overt.streams.scene import Scene, frames
from overt.streams.visits import Stage, Visits, person
from overt.streams.watch import Watch, WatchList


def test_each_person_is_told_once_a_visit(engine: Engine, listed: WatchList, street: Path) -> None:
    scene = Scene(Watch(engine.models.faces, engine.stores, listed), Visits(quiet=2.0))
    engine.models.faces.load()
    with Camera(street.as_uri(), 5.0) as camera:
        moments = [scene.see(frame) for frame in frames(camera)]
    visits = [visit for moment in (*moments, scene.finish()) for visit in moment.visits]
    whom = [(person(visit.match.subject), visit.stage) for visit in visits if visit.match]
    assert [each for each in whom if each[1] is not Stage.BETTER] == [
        ("external obama", Stage.BEGUN),
        ("external obama", Stage.OVER),
        ("external biden", Stage.BEGUN),
        ("external biden", Stage.OVER),
        ("external obama", Stage.BEGUN),
        ("external obama", Stage.OVER),
    ]


def test_frames_end_with_the_camera(street: Path) -> None:
    with contextlib.closing(Camera(f"{street.as_uri()}?loop=1", 5.0)) as camera:
        threading.Timer(1.5, camera.close).start()
        assert all(frame is None or frame.image.width for frame in frames(camera))
