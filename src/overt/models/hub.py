# SPDX-License-Identifier: Apache-2.0
"""Finds the packs there are and gives each task its model. Knows which tasks exist, not how they work.

A pack is a pip distribution with an entry point in the group `overt.models`, a function that returns its folder; or a
folder in the operator's home, put there by `overt models add`, which goes before any distribution. A pack or model
that cannot be used leaves its tasks empty, with words that say why: nothing takes its place in silence.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from overt.models.pack import Model, Pack, PackError
from overt.models.session import Session
from overt.models.slots import SLOTS
from overt.models.tasks.equipment import EquipmentReader
from overt.models.tasks.faces import FaceTasks
from overt.models.tasks.moderation import Moderator
from overt.models.tasks.scenes import SceneTasks
from overt.models.tasks.text import TextReader
from overt.models.tasks.vocabulary import Vocabulary

GROUP = "overt.models"
_FACES = ("detect", "embed", "mesh", "iris", "age", "gender", "emotion")
_DISTRIBUTIONS = dict.fromkeys(_FACES, "overt-pack-faces")
_Front = TypeVar("_Front")


class Hub:
    """The packs of one server and what they can do together. Thread-safe.

    Args:
        packs: the distributions installed. A task may be offered by one of them only.
        chosen: the operator's own packs, which go before those.
        broken: packs that could not be read: tasks they are known to be for, each with words that say why.
        free_labels: texts that pictures are always compared with, where an open vocabulary is installed.

    """

    def __init__(
        self,
        packs: Iterable[Pack],
        chosen: Iterable[Pack] = (),
        broken: Mapping[str, str] = MappingProxyType({}),
        free_labels: Iterable[str] = (),
    ) -> None:
        installed, own = tuple(packs), tuple(chosen)
        self.packs = (*own, *installed)
        self.problems = dict(broken)
        """Why a task has no model although a pack for it is there, in words, by task or by pack."""
        self._free_labels = tuple(free_labels)
        self._sessions: dict[str, Session] = {}
        self._fronts: dict[type, object] = {}
        self._lock = threading.RLock()
        for task, slot in SLOTS.items():
            if task in self.problems:
                continue
            offers = _offers(own, task) or _offers(installed, task)
            if len(offers) > 1:
                self.problems[task] = f"packs {', '.join(sorted(offers))} all offer {task}: uninstall all but one"
                continue
            for model in offers.values():
                if model.decoder in slot.decoders:
                    self._sessions[task] = Session(model)
                else:
                    known = " or ".join(slot.decoders)
                    self.problems[task] = f"{model.name}: task {task} reads the output {known}, not {model.decoder!r}"

    @classmethod
    def discover(cls, folder: Path | None = None, free_labels: Iterable[str] = ()) -> Hub:
        """The hub of all packs installed with pip, and of the operator's own. Args: folder: where those lie."""
        installed, own, broken = [], [], {}
        for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
            try:
                installed.append(Pack.read(Path(point.load()())))
            except PackError as error:
                broken[f"pack {point.name}"] = str(error)
        for place in sorted(folder.iterdir()) if folder and folder.is_dir() else ():
            try:
                own.append(Pack.read(place))
            except PackError as error:
                tasks = place.name.split("+")  # `overt models add` names a folder after the tasks in it
                broken |= dict.fromkeys(tasks, f"the model chosen for {place.name} cannot be used: {error}")
        return cls(installed, own, broken, free_labels)

    @property
    def models(self) -> tuple[Model, ...]:
        """The models in use, one for each task."""
        return tuple(session.model for session in self._sessions.values())

    @property
    def loaded(self) -> frozenset[str]:
        """The tasks whose models take memory now."""
        return frozenset(task for task, session in self._sessions.items() if session.is_loaded)

    @property
    def faces(self) -> FaceTasks:
        """Everything about faces. Raises: PackError when no pack can find or compare faces."""
        embedder = self.session("embed").model
        self.session("detect")
        calibration = next(pack.calibration for pack in self.packs if embedder in pack.models)
        if calibration is None:
            raise AssertionError  # Pack.read refuses such a pack
        return self._front(FaceTasks, lambda: FaceTasks(self._sessions, calibration))

    @property
    def scenes(self) -> SceneTasks:
        """Objects and labels. Raises: PackError when no pack can tell either."""
        if "tags" not in self._sessions:
            self.session("objects")
        return self._looking

    @property
    def moderation(self) -> Moderator:
        """Unsafe content. Raises: PackError when no pack can tell anything of it."""
        classifier = self._sessions.get("moderation")
        if classifier is None and self.vocabulary is None:
            self.session("moderation")
        return self._front(Moderator, lambda: Moderator(classifier, self._looking, self.vocabulary))

    @property
    def text(self) -> TextReader:
        """Lines and words. Raises: PackError when no pack can read."""
        detector, recogniser = self.session("text_detect"), self.session("text_recognise")
        angle = self._sessions.get("text_angle")
        return self._front(TextReader, lambda: TextReader(detector, recogniser, angle))

    @property
    def equipment(self) -> EquipmentReader:
        """Protective equipment. Raises: PackError when no pack knows the points of a body."""
        poser, tags, cover = self.session("keypoints"), self._sessions.get("tags"), self._sessions.get("face_cover")
        return self._front(EquipmentReader, lambda: EquipmentReader(poser, tags, cover))

    @property
    def vocabulary(self) -> Vocabulary | None:
        """Free-text labels; None unless the operator has put encoders into the slot."""
        image, text = self._sessions.get("image_encoder"), self._sessions.get("text_encoder")
        if image is None or text is None:
            return None
        return self._front(Vocabulary, lambda: Vocabulary(image, text, self._free_labels))

    def session(self, task: str) -> Session:
        """The model of a task, to run. Raises: PackError saying why there is none."""
        session = self._sessions.get(task)
        if session is None:
            raise PackError(self.problems.get(task) or self._absence(task))
        return session

    def _absence(self, task: str) -> str:
        """Why nothing offers a task: perhaps because the pack that would cannot be read."""
        pack = _DISTRIBUTIONS.get(task, "overt-pack-vision")
        unread = [words for name, words in self.problems.items() if name.startswith("pack ")]
        return "; ".join([f"no installed pack offers {task}", *(unread or [f"pip install {pack}"])])

    def check(self) -> None:
        """Read every weight file; a model whose files are not its pack's is taken out and told in `problems`."""
        for task, session in list(self._sessions.items()):
            found = session.model.problems()
            if found:
                self.problems[task] = "; ".join(found)
                del self._sessions[task]

    def preload(self) -> None:
        """Load every model now rather than when first used. Raises: PackError."""
        for session in self._sessions.values():
            session.load()

    @property
    def _looking(self) -> SceneTasks:
        """Objects and labels with whatever models there are, and be it none."""
        boxes, names = self._sessions.get("objects"), self._sessions.get("tags")
        return self._front(SceneTasks, lambda: SceneTasks(boxes, names, self.vocabulary))

    def _front(self, kind: type[_Front], make: Callable[[], _Front]) -> _Front:
        with self._lock:
            if kind not in self._fronts:
                self._fronts[kind] = make()
            front = self._fronts[kind]
        if not isinstance(front, kind):
            raise AssertionError  # noqa: TRY004 - it was made three lines above
        return front


def _offers(packs: Iterable[Pack], task: str) -> dict[str, Model]:
    """The models for a task, by pack."""
    return {pack.id: model for pack in packs if (model := pack.model(task)) is not None}
