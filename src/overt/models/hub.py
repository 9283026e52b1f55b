# SPDX-License-Identifier: Apache-2.0
"""Finds the installed packs and gives each task its model. Knows which tasks exist, not how they work.

A pack is a pip distribution with an entry point in the group `overt.models`: a function that returns its folder.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from importlib.metadata import entry_points
from pathlib import Path

from overt.models.pack import Model, Pack, PackError
from overt.models.session import Session
from overt.models.tasks.faces import DECODERS, FaceTasks

GROUP = "overt.models"


class Hub:
    """The packs of one server and what they can do together.

    Args: packs: what is installed. A task may be offered by one pack only. Raises: PackError.

    """

    def __init__(self, packs: Iterable[Pack]) -> None:
        self.packs = tuple(packs)
        self._sessions: dict[str, Session] = {}
        for task, decoder in DECODERS.items():
            model = self._choose(task)
            if model is None:
                continue
            if model.decoder != decoder:
                msg = f"{model.name}: task {task} reads the output {decoder!r}, not {model.decoder!r}"
                raise PackError(msg)
            self._sessions[task] = Session(model)

    @classmethod
    def discover(cls) -> Hub:
        """The hub of all packs installed with pip. Raises: PackError."""
        found = sorted(entry_points(group=GROUP), key=lambda point: point.name)
        return cls([Pack.read(Path(point.load()())) for point in found])

    @property
    def models(self) -> tuple[Model, ...]:
        """The models in use, one for each task."""
        return tuple(session.model for session in self._sessions.values())

    @cached_property
    def faces(self) -> FaceTasks:
        """Everything about faces. Raises: PackError when no pack can find or compare faces."""
        missing = sorted({"detect", "embed"} - self._sessions.keys())
        if missing:
            msg = f"no installed pack offers {' or '.join(missing)}: pip install overt-pack-faces"
            raise PackError(msg)
        embedder = self._sessions["embed"].model
        calibration = next(pack.calibration for pack in self.packs if embedder in pack.models)
        if calibration is None:
            raise AssertionError  # Pack.read refuses such a pack
        return FaceTasks(self._sessions, calibration)

    def preload(self) -> None:
        """Check and load every model now rather than when first used. Raises: PackError."""
        for session in self._sessions.values():
            session.load()

    def _choose(self, task: str) -> Model | None:
        offers = {pack.id: model for pack in self.packs if (model := pack.model(task)) is not None}
        if len(offers) > 1:
            msg = f"packs {', '.join(sorted(offers))} all offer {task}: uninstall all but one"
            raise PackError(msg)
        return next(iter(offers.values()), None)
