# SPDX-License-Identifier: Apache-2.0
"""`overt cameras test`: does a camera give pictures, and how well? Looks for nobody in them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from overt.cli import output
from overt.cli.cameras import source
from overt.cli.home import engine
from overt.cli.output import CommandError
from overt.cli.record import recorded
from overt.media.live import Camera, Health, LiveFrame, State

_MEASURED = 3.0
"""Seconds that are watched once the first picture is there, to learn the rate."""
_STEP = 0.5


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What was seen. frame: the newest, None = nothing. first: seconds until the first. resident: bytes, at most."""

    frame: LiveFrame | None
    first: float
    health: Health
    resident: int


def glimpse(
    camera: Annotated[str, typer.Argument(help="Name of a registered camera, a URL, or - for one on standard input.")],
    seconds: Annotated[float, typer.Option(min=1, max=300, help="Longest to wait for the first picture.")] = 15,
    picture: Annotated[
        Path | None,
        typer.Option(help="JPEG to write a picture into. It shows whoever is in front of the camera: delete it after."),
    ] = None,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Watch a camera for some seconds and tell how it goes; exit code 1 when no picture came."""
    if picture is not None and not picture.parent.is_dir():
        raise CommandError(f"{picture.parent} is no folder")
    with engine(home) as opened:
        url, keyframes_only = source(opened, camera)
        with recorded(opened, "TestCamera", camera), Camera(url, keyframes_only=keyframes_only) as watched:
            label, seen = watched.label, _look(watched, seconds)
    if picture is not None and seen.frame is not None:
        _save(seen.frame, picture)
    told = _told(label, seen, picture)
    rows = [(name.replace("_", " "), value) for name, value in told.items() if value is not None]
    output.show(told, lambda: output.table(("", ""), rows), as_json=as_json)
    if seen.frame is None:
        raise typer.Exit(1)


def _look(watched: Camera, seconds: float) -> Glimpse:
    begun = time.monotonic()
    frame = newest = watched.newest(seconds)
    first = time.monotonic() - begun
    health, resident = watched.health, watched.resident
    end = time.monotonic() + _MEASURED
    while frame is not None and time.monotonic() < end:
        newest = watched.newest(_STEP) or newest
        if watched.health.state is State.CLOSED:  # a film that has ended
            break
        health, resident = watched.health, max(resident, watched.resident)
    return Glimpse(newest, first, health, resident)


def _save(frame: LiveFrame, picture: Path) -> None:
    import numpy as np
    import simplejpeg

    picture.touch(mode=0o600)
    picture.write_bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(frame.image.pixels), quality=90, colorspace="RGB"))


def _told(label: str, seen: Glimpse, picture: Path | None) -> dict[str, Any]:
    frame, health = seen.frame, seen.health
    return {
        "camera": label,
        "state": health.state.value,
        "reason": health.reason or None,
        "width": frame and frame.image.width,
        "height": frame and frame.image.height,
        "frames_a_second": round(health.frame_rate, 1) if frame else None,
        "seconds_to_first_picture": round(seen.first, 2) if frame else None,
        "frames_decoded": health.decoded,
        "packets_damaged": health.damaged,
        "reconnects": health.reconnects,
        "worker_megabytes": round(seen.resident / (1 << 20)) or None,
        "picture": str(picture) if picture and frame else None,
    }
