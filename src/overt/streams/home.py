# SPDX-License-Identifier: Apache-2.0
"""Looks for people, pets and packages in one session of a stream, and tells each kind once. Knows no face.

A kind is told when two of a few frames in a row have shown it, as detectors see things that are not there once in a
while; or when the session ends with it in sight. Its pictures and the message about them go to different targets, so
nothing says which arrives first: who is told waits for the picture, should it not be there yet.
"""

from __future__ import annotations

import datetime as dt
import urllib.parse
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from overt.media.crops import around, picture
from overt.media.live import LiveFrame
from overt.models.hub import Hub
from overt.models.pack import PackError
from overt.models.taxonomy import Taxonomy
from overt.streams import home_events
from overt.streams.analysis import Told
from overt.streams.home_events import SUBJECT, Origin, Thing
from overt.streams.regions import Regions
from overt.types import Attachment, Box, ConnectedHome, Detection, Image, Parcel, Stored, Stream, Wanted

ALL = "ALL"
PERSON, PET, PACKAGE = KINDS = ("PERSON", "PET", "PACKAGE")
_ROOTS = {PERSON: "Person", PET: "Pet"}
"""Labels which, with all that the taxonomy puts below them, are of that kind. A bird is no pet, as it passes every
camera in the open; a parrot is none either, then, but dogs, cats, hamsters, guinea pigs and goldfish are."""
_PACKAGES = frozenset({"package", "parcel", "carton", "cardboard box", "box"})
"""What label maps call packages, casefolded. Not all that the taxonomy puts below boxes: crates stand in yards."""
_LEAST = 0.5
"""Source: Rekognition's API reference, ConnectedHomeSettings."""
_SECONDS = 10.0
"""Source: Rekognition's API reference, StreamProcessingStopSelector."""
_PATIENCE = 60.0
"""Seconds beyond those of the session that a camera may take for its first frame."""
_AMONG = 5
"""Frames in a row, of which two must show a thing: one second at five frames a second."""
_PET_LEAST, _VIEWS = 0.35, (0.0, 0.1)
"""Confidence of the tagger's own that something is a pet, cut out with each of these margins. Detectors take the back
of a head, or a rock, for a dog: of ten such sights the lower of the two confidences was 0.07 to 0.24, of 17 sights of
dogs and cats 60 to 400 pixels long it was 0.48 to 0.94."""
_LOOKS = 3
"""Things in a frame that the tagger is asked about."""
_JPEG = "image/jpeg"


@dataclass(frozen=True, slots=True)
class _Sight:
    """What a frame showed of a kind. number: of the frame among those looked at."""

    number: int
    found: Detection
    frame: LiveFrame


class HomeAnalysis:
    """Implements `Analysis`. The session lasts as long as it is to by the stream's own time, from its first frame on.

    Kinds that no installed model sees are never told; `unseen` names them beforehand.

    Args: stream: that has a session and wants things. tags: of the stream, told with each event.
    Raises: ValueError for a stream that does not, or for regions of no use; PackError when nothing detects objects.
    """

    def __init__(self, stream: Stream, models: Hub, tags: Mapping[str, str] = MappingProxyType({})) -> None:
        if stream.session is None:
            msg = f"the stream {stream.name} has no session"
            raise ValueError(msg)
        models.session("objects")
        self._stream, self._session, self._tags = stream, stream.session, dict(tags)
        self._scenes = models.scenes
        self._seconds = stream.session.seconds or _SECONDS
        self._kinds = _kinds(self._scenes.object_labels)
        self._last: tuple[float, dt.datetime] | None = None
        self._begin = self._passed = 0.0
        self._asked_at: dt.datetime | None = None
        self._gave_up = False
        self._number = 0
        self._pending: dict[str, _Sight] = {}
        self._told: set[str] = set()
        self._finished = False
        self.change(stream.wanted)

    @property
    def is_over(self) -> bool:
        """See `Analysis.is_over`."""
        return self._finished or self._gave_up or self._passed >= self._seconds

    def change(self, wanted: Wanted) -> None:
        """See `Analysis.change`. What was told is not told again. Raises: ValueError, and goes on as before."""
        home, regions = _home(wanted), Regions(wanted.regions)
        self._wanted, self._regions = wanted, regions
        self._asked = set(asked(home.labels)).intersection(self._kinds.values())
        self._least = _LEAST if home.least is None else home.least
        self._pending = {
            kind: sight
            for kind, sight in self._pending.items()
            if kind in self._asked and sight.found.confidence >= self._least and regions.holds(sight.found.box)
        }

    def see(self, frame: LiveFrame | None, wall: dt.datetime) -> Told:
        """See `Analysis.see`."""
        self._pass(frame, wall)
        if frame is None or self.is_over:
            return Told()
        self._number += 1
        told: list[Parcel] = []
        for kind, found in self._found(frame).items():
            now = _Sight(self._number, found, frame)
            before = self._pending.get(kind)
            if before is not None and now.number - before.number < _AMONG:
                told += self._tell(kind, max(before, now, key=lambda sight: sight.found.confidence), wall)
            else:
                self._pending[kind] = now
        return Told(tuple(told))

    def finish(self, wall: dt.datetime, reason: str) -> Told:
        """See `Analysis.finish`."""
        if self._finished:
            return Told()
        self._finished = True
        told = [
            parcel
            for kind, sight in sorted(self._pending.items())
            if sight.number == self._number
            for parcel in self._tell(kind, sight, wall)
        ]
        if self._wanted.topic is not None:
            body = home_events.ended(self._origin(), min(self._passed, self._seconds), reason)
            told.append(self._parcel(f"sns:{self._wanted.topic}", "session", body, wall))
        return Told(tuple(told))

    def _pass(self, frame: LiveFrame | None, wall: dt.datetime) -> None:
        """Let time pass: the stream's, and ours while no frame comes."""
        if frame is not None:
            if self._last is None:
                self._begin = frame.time
            self._last = frame.time, wall
            self._passed = frame.time - self._begin
        elif self._last is None:
            self._asked_at = self._asked_at or wall
            self._gave_up = (wall - self._asked_at).total_seconds() > self._seconds + _PATIENCE
        else:
            time, then = self._last
            self._passed = max(self._passed, time - self._begin + (wall - then).total_seconds())

    def _found(self, frame: LiveFrame) -> dict[str, Detection]:
        """The surest thing of each kind that is asked for and not told yet."""
        missing = self._asked - self._told
        if not missing:
            return {}
        things: dict[str, list[Detection]] = {}
        for thing in self._scenes.objects(frame.image, self._least):  # the surest first
            kind = self._kinds.get(thing.label)
            if kind in missing and self._regions.holds(thing.box):
                things.setdefault(kind, []).append(thing)
        pets = [thing for thing in things.pop(PET, [])[:_LOOKS] if self._is_pet(frame.image, thing.box)]
        if pets:
            things[PET] = pets
        return {kind: surest for kind, (surest, *_) in things.items()}

    def _is_pet(self, image: Image, box: Box) -> bool:
        """Whether the tagger, if there is one that knows pets, finds one in a box, too."""
        root = _ROOTS[PET]
        if root not in self._scenes.tag_labels:
            return True
        views = (around(image, box, margin) for margin in _VIEWS)
        return all(self._scenes.tags(view).get(root, 0.0) >= _PET_LEAST for view in views)

    def _tell(self, kind: str, sight: _Sight, wall: dt.datetime) -> Iterator[Parcel]:
        """The pictures, and to each target a message."""
        self._told.add(kind)
        self._pending.pop(kind, None)
        wanted, found = self._wanted, sight.found
        thing = Thing(kind, found.box, found.confidence)
        if wanted.frames is not None:
            folder = f"{self._stream.name}/{self._session.id}/{thing.id}"
            views = {
                f"{folder}-frame.jpg": sight.frame.image,
                f"{folder}-crop.jpg": around(sight.frame.image, found.box),
            }
            files = tuple(Attachment(name, _JPEG, picture(image)) for name, image in views.items())
            frame_uri, crop_uri = (_uri(wanted.frames, name) for name in views)
            thing = replace(thing, frame_uri=frame_uri, crop_uri=crop_uri)
            yield self._parcel(_target(wanted.frames), "picture", b"", wall, files)
        body = home_events.detected(self._origin(), thing, sight.frame)
        topics = () if wanted.topic is None else (f"sns:{wanted.topic}",)
        for target in (*topics, *wanted.options.targets):
            yield self._parcel(target, "label", body, wall)

    def _parcel(
        self, target: str, kind: str, body: bytes, wall: dt.datetime, files: tuple[Attachment, ...] = ()
    ) -> Parcel:
        return Parcel(self._stream.id, target, kind, SUBJECT, body, wall, files)

    def _origin(self) -> Origin:
        stream = self._stream
        return Origin(self._wanted.source, stream.name, self._session, self._seconds, self._tags)


def asked(labels: Sequence[str]) -> tuple[str, ...]:
    """The kinds that the wire's labels stand for, ALL among them, in order."""
    return tuple(kind for kind in KINDS if ALL in labels or kind in labels)


def unseen(labels: Sequence[str], models: Hub) -> tuple[str, ...]:
    """The kinds asked for that no installed model can see. ALL asks for each."""
    try:
        seen = set(_kinds(models.scenes.object_labels).values())
    except PackError:
        seen = set()
    return tuple(kind for kind in asked(labels) if kind not in seen)


def _kinds(labels: Collection[str]) -> dict[str, str]:
    """The kind of each label of a detector that is of one."""
    taxonomy = Taxonomy.read()
    below = {name: kind for kind, root in _ROOTS.items() for name in (root, *taxonomy.descendants(root))}
    packages = {label: PACKAGE for label in labels if label.casefold() in _PACKAGES}
    return packages | {label: below[label] for label in labels if label in below}


def _home(wanted: Wanted) -> ConnectedHome:
    """Raises: ValueError."""
    if wanted.home is None:
        msg = "this stream looks for no things"
        raise ValueError(msg)
    return wanted.home


def _target(frames: Stored) -> str:
    """The URL of the target that pictures go to."""
    prefix = urllib.parse.quote(frames.name.strip("/"))
    return f"s3://{frames.bucket}/{prefix}" if prefix else f"s3://{frames.bucket}"


def _uri(frames: Stored, name: str) -> str:
    """Where a picture lies, as the service writes it: without escapes."""
    return "/".join(step for step in (f"s3://{frames.bucket}", frames.name.strip("/"), name) if step)
