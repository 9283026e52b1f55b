# SPDX-License-Identifier: Apache-2.0
"""The nouns every room speaks: pictures, faces, people, calls. Knows numpy and nothing else.

Boxes and points are ratios of the upright picture (0..1, and beyond where a face leaves the picture);
confidences and similarities are 0..1. Pixels exist only inside `media` and `models`, 0..100 only on the wire.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Subject = TypeVar("Subject")


@dataclass(frozen=True, slots=True)
class Image:
    """One decoded picture, upright.

    pixels: (height, width, 3) uint8, RGB. sha256: hex digest of the encoded bytes it came from; "" for a frame of a
    video.
    """

    pixels: Pixels
    sha256: str

    @property
    def height(self) -> int:
        """Rows, in pixels."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Columns, in pixels."""
        return int(self.pixels.shape[1])


@dataclass(frozen=True, slots=True)
class Sound:
    """An audio track. duration: seconds; sample_rate: Hz."""

    codec: str
    duration: float
    sample_rate: int
    channels: int


@dataclass(frozen=True, slots=True)
class Footage:
    """What a video file says of itself.

    container: like MP4. duration: seconds. frame_rate: frames a second, on average. width, height: pixels of the
    upright picture. is_full_range: whether luma runs over 0..255 rather than 16..235.
    """

    codec: str
    container: str
    duration: float
    frame_rate: float
    width: int
    height: int
    is_full_range: bool
    sounds: tuple[Sound, ...] = ()


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a video.

    time: seconds from the video's start. loudness: dB below full scale (RMS) of the sound since the frame before,
    -inf for silence; None where it was not asked for or there is no sound.
    """

    image: Image
    time: float
    loudness: float | None = None


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in ratios of the picture."""

    left: float
    top: float
    width: float
    height: float

    @property
    def area(self) -> float:
        """Share of the picture it covers."""
        return max(self.width, 0.0) * max(self.height, 0.0)


@dataclass(frozen=True, slots=True)
class Landmark:
    """A named point of a face, in ratios of the picture. Left and right are the picture's, as on the wire."""

    name: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Pose:
    """Head rotation in degrees, each -180..180.

    roll: positive = the head leans clockwise in the picture. yaw: positive = the face turns to the right side of
    the picture. pitch: positive = the face looks up.
    """

    roll: float
    yaw: float
    pitch: float


@dataclass(frozen=True, slots=True)
class Quality:
    """How well lit and how sharp a face is, each 0..1."""

    brightness: float
    sharpness: float


@dataclass(frozen=True, slots=True)
class Claim:
    """A yes-or-no statement about a face; confidence 0..1 in the value given."""

    value: bool
    confidence: float


@dataclass(frozen=True, slots=True)
class Emotion:
    """An apparent expression (not an inner state); confidence 0..1."""

    name: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Gaze:
    """Where the eyes look, degrees relative to the camera, same signs as Pose; confidence 0..1."""

    yaw: float
    pitch: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Attributes:
    """Apparent attributes of one face; None = not asked for, or no installed model supports it."""

    age_range: tuple[int, int] | None = None
    gender: tuple[str, float] | None = None  # ("Male" | "Female", confidence)
    emotions: tuple[Emotion, ...] | None = None  # by confidence, highest first
    smile: Claim | None = None
    eyes_open: Claim | None = None
    mouth_open: Claim | None = None
    gaze: Gaze | None = None


@dataclass(frozen=True, slots=True)
class Detection:
    """An object found in a picture: where, of which class of its model's label map, how surely (0..1)."""

    box: Box
    label: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Colour:
    """A dominant colour. red, green, blue: 0..255. share: of the pixels, 0..1.

    name: the nearest named colour of CSS. family: one of the twelve names of the wire's SimplifiedColor.
    """

    red: int
    green: int
    blue: int
    name: str
    family: str
    share: float


@dataclass(frozen=True, slots=True)
class Look:
    """How a picture, or a part of it, looks. brightness, sharpness, contrast: 0..1. colours: largest share first."""

    brightness: float
    sharpness: float
    contrast: float
    colours: tuple[Colour, ...]


@dataclass(frozen=True, slots=True)
class Instance:
    """One place in the picture where a label's thing is. colours: only where they were asked for."""

    box: Box
    confidence: float
    colours: tuple[Colour, ...] = ()


@dataclass(frozen=True, slots=True)
class Label:
    """Something a picture shows. parents: every ancestor, nearest first; confidence 0..1."""

    name: str
    confidence: float
    instances: tuple[Instance, ...] = ()
    parents: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """A line or a word read in a picture.

    corners: (4, 2) float32 ratios, clockwise from the top left of the text as it is read. confidence: 0..1.
    line: for a word, the place of its line among the lines; None for a line.
    """

    text: str
    confidence: float
    corners: Floats
    line: int | None = None

    @property
    def frame(self) -> Box:
        """The upright box around it."""
        (left, top), (right, bottom) = self.corners.min(0).tolist(), self.corners.max(0).tolist()
        return Box(left, top, right - left, bottom - top)


@dataclass(frozen=True, slots=True)
class Written:
    """A line or word as it is told: numbered within its picture. parent: the number of a word's line."""

    text: Text
    number: int
    parent: int | None = None


@dataclass(frozen=True, slots=True)
class Unsafe:
    """A moderation label. parent: "" at level 1; level: 1..3, or 0 = not told; confidence 0..1."""

    name: str
    parent: str
    level: int
    confidence: float


@dataclass(frozen=True, slots=True)
class Equipment:
    """Protective equipment on a body part. kind: FACE_COVER, HEAD_COVER or HAND_COVER. covers: does it cover it?"""

    kind: str
    box: Box
    confidence: float
    covers: Claim


@dataclass(frozen=True, slots=True)
class BodyPart:
    """A part of a body and what it wears. name: FACE, HEAD, LEFT_HAND or RIGHT_HAND; confidence 0..1."""

    name: str
    confidence: float
    equipment: tuple[Equipment, ...] = ()


@dataclass(frozen=True, slots=True)
class Wearer:
    """A person seen whole or in part (nobody in particular), for protective equipment. confidence 0..1."""

    box: Box
    confidence: float
    parts: tuple[BodyPart, ...]


@dataclass(frozen=True, slots=True)
class Face:
    """One face found in a picture.

    points: (5, 2) float32 ratios: right eye, left eye, nose tip, right and left mouth corner (the subject's own).
    The remaining fields are None until `describe` fills them.
    """

    box: Box
    confidence: float
    points: Floats
    landmarks: tuple[Landmark, ...] | None = None
    pose: Pose | None = None
    quality: Quality | None = None
    attributes: Attributes | None = None


@dataclass(frozen=True, slots=True)
class Embedding:
    """A face as a unit vector of one model's space.

    vector: (dimension,) float32, length 1. model: the face-model version whose space it lies in.
    """

    vector: Floats
    model: str

    def cosine(self, other: Embedding) -> float:
        """Cosine with another embedding. Raises: ValueError when the models differ, as the spaces do."""
        if self.model != other.model:
            msg = f"embeddings of {self.model} and {other.model} cannot be compared"
            raise ValueError(msg)
        return float(self.vector @ other.vector)


@dataclass(frozen=True, slots=True)
class Collection:
    """A gallery of faces of one account and one embedding model."""

    account: str
    id: str
    model: str
    created: dt.datetime
    face_count: int
    user_count: int


@dataclass(frozen=True, slots=True)
class StoredFace:
    """A face enrolled in a collection. sequence rises with each enrolment and never repeats."""

    id: str
    image_id: str
    external_image_id: str | None
    box: Box
    confidence: float
    model: str
    user_id: str | None = None
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class Person:
    """A user of a collection (wire: User): several faces, one identity. status: CREATED, UPDATING or ACTIVE."""

    id: str
    status: str
    face_count: int


@dataclass(frozen=True, slots=True)
class Match(Generic[Subject]):
    """Something enrolled that looks like the probe. similarity: calibrated 0..1; cosine: -1..1; rank from 1."""

    subject: Subject
    similarity: float
    cosine: float
    rank: int


@dataclass(frozen=True, slots=True)
class Stored:
    """An object in a bucket, local or of an S3 service. version: None = the newest."""

    bucket: str
    name: str
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """The analysis of a stored video, begun by one call and read by others.

    id: 64 hex digits. operation: that began it. task: what is looked for, as JSON of the room `jobs`. tag, topic: of
    the caller's; topic is where its end is told. status: QUEUED, RUNNING, SUCCEEDED or FAILED. message: why it failed.
    progress: share of the video's time that was looked at, 0..1. footage: None until the video was opened.
    """

    id: str
    account: str
    key_id: str
    operation: str
    video: Stored
    task: str
    created: dt.datetime
    tag: str | None = None
    topic: str | None = None
    status: str = "QUEUED"
    message: str = ""
    progress: float = 0.0
    footage: Footage | None = None
    ended: dt.datetime | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be found."""
        return self.ended is not None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something found in a video.

    time: milliseconds from its start. name: what findings are ordered by, beside their times. view: which of a job's
    lists it belongs to, as what is found may be told frame by frame and in spans. body: JSON of the room `jobs`.
    """

    time: int
    name: str
    view: str
    body: str


@dataclass(frozen=True, slots=True)
class Intent:
    """On whose behalf and what for a caller calls, as far as that was told and proved; "" = not told.

    operator: the person, as the organisation names them (a badge number). probe_kind: photo, frame, sketch, composite
    or edited. authorisation: number of a warrant or an order.
    """

    operator: str = ""
    purpose: str = ""
    case: str = ""
    legal_basis: str = ""
    probe_kind: str = ""
    authorisation: str = ""


@dataclass(frozen=True, slots=True)
class Role:
    """What keys of an account may become for a while, and on which terms.

    kind: what the gate decides by. trusted: ids of keys that may assume it, "*" = every lasting key of the account,
    "role/NAME" = sessions of that role. required: names of tags (and "operator") that a session must have. allowed:
    the only values that a tag (or "operator") may have, by its name. longest: of a session. is_own_operator: whether
    the name of a session stands for the person where none is named.
    """

    account: str
    name: str
    kind: str
    created: dt.datetime
    trusted: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    allowed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    longest: dt.timedelta = dt.timedelta(hours=1)
    is_own_operator: bool = False


@dataclass(frozen=True, slots=True)
class Assumed:
    """What a temporary key stands for, fixed when it was made.

    role: the role's name. session: RoleSessionName. operator: SourceIdentity, "" = not told. tags: all that were given
    and inherited. transitive: names of tags that go on to roles assumed from here. allowed: as of the role when it was
    assumed. parent: id of the key that assumed it.
    """

    role: str
    session: str
    parent: str
    operator: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    transitive: tuple[str, ...] = ()
    allowed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a call. account: 12 digits, owns collections. key_id: the access key; "local" = command line."""

    key_id: str
    account: str
    role: str
    intent: Intent = Intent()


@dataclass(frozen=True, slots=True)
class Call:
    """One validated request, as operations and the gate see it.

    params: the request in the wire's CamelCase, blobs as bytes. digest: keyed hash of the request body, hex; equal
    requests have equal digests and nothing can be read back from it. notes: response headers the call wants to add.
    service: whose operation it is.
    """

    id: str
    operation: str
    params: Mapping[str, Any]
    caller: Caller
    region: str
    digest: str
    notes: dict[str, str] = field(default_factory=dict)
    service: str = "rekognition"

    def __getitem__(self, name: str) -> Any:
        """A required parameter."""
        return self.params[name]

    def get(self, name: str, default: Any = None) -> Any:
        """An optional parameter."""
        return self.params.get(name, default)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a parcel. name: where it is to lie, steps apart by "/"."""

    name: str
    media_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a live stream has to tell one target. It may hold pictures and names: for its taker, never for a log.

    stream: the key of the stream, within which parcels keep their order. target: a URL, which may hold a password.
    kind: of event, short and without blanks. subject: a line for people. body: JSON text, UTF-8. id: the same at every
    attempt, so that whoever gets a parcel twice can tell.
    """

    stream: str
    target: str = field(repr=False)
    kind: str
    subject: str = field(repr=False)
    body: bytes = field(repr=False)
    created: dt.datetime
    attachments: tuple[Attachment, ...] = ()
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True, slots=True)
class CameraAddress:
    """A camera of an account under a name that streams use. arn: as of a Kinesis video stream.

    url: where its pictures come from; it may hold a password. keyframes_only: whether nothing else is to be decoded.
    """

    account: str
    name: str
    arn: str
    url: str = field(repr=False)
    created: dt.datetime
    keyframes_only: bool = False


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the picture that a stream looks at, given as one of the two. polygon: corners as ratios (x, y)."""

    box: Box | None = None
    polygon: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class FaceSearch:
    """That a stream looks for the faces of a collection. least: similarity, 0..1."""

    collection: str
    least: float


@dataclass(frozen=True, slots=True)
class ConnectedHome:
    """That a stream looks for things. labels: of PERSON, PET, PACKAGE, ALL. least: confidence, 0..1, if asked for."""

    labels: tuple[str, ...]
    least: float | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """One run of a stream. fragment, producer_time: of the Kinesis stream, where it is to begin, if told.

    producer_time: seconds since 1970. seconds: how long it is to last, if told. begun: when it was asked for.
    """

    id: str
    begun: dt.datetime
    fragment: str | None = None
    producer_time: float | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """How a stream is watched and who is told, beyond what the contract can say.

    targets: URLs that alerts go to; they may hold passwords. rate: frames looked at, a second. finest: pixels of the
    longest side at which faces are looked for; more finds smaller ones, and takes longer. quiet: seconds out of sight
    that end a visit. tells_unknown: whether there are alerts for faces of nobody on the list. reviews: whether people
    confirm an alert before anybody is told. sightings: the collection where all faces seen are kept, None = nowhere.
    sighting_days: how long they are.
    """

    targets: tuple[str, ...] = field(default=(), repr=False)
    rate: float = 5.0
    finest: int = 640
    quiet: float = 10.0
    tells_unknown: bool = False
    reviews: bool = False
    sightings: str | None = None
    sighting_days: float = 1.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants of a stream. source: a camera's ARN. One of search and home is there.

    records: ARN of a Kinesis data stream. frames: bucket, and prefix as the name. topic: ARN. role, kms_key, shares:
    told again to who asks, and without effect.
    """

    source: str
    search: FaceSearch | None = None
    home: ConnectedHome | None = None
    regions: tuple[Region, ...] = ()
    records: str | None = None
    frames: Stored | None = None
    topic: str | None = None
    role: str = ""
    kms_key: str | None = None
    shares: bool | None = None
    options: Options = Options()


@dataclass(frozen=True, slots=True)
class Pulse:
    """How a stream goes, as its worker last told.

    camera: connecting, live or waiting. looked: frames looked at in this session; rate: of them a second, lately. lag:
    seconds from a frame's arrival to the end of looking at it, lately. frame_rate, dropped, reconnects: of the camera.
    resident: bytes of memory of the camera's worker. faces: seen in this session; alerts: told.
    """

    told: dt.datetime
    camera: str = "connecting"
    reason: str = ""
    looked: int = 0
    rate: float = 0.0
    lag: float = 0.0
    frame_rate: float = 0.0
    dropped: int = 0
    reconnects: int = 0
    resident: int = 0
    faces: int = 0
    alerts: int = 0


@dataclass(frozen=True, slots=True)
class Stream:
    """A camera that is watched, as the contract's stream processors are.

    id: 32 hex digits, of this stream and of no later one of its name; what it has to tell is kept under it. status: as
    the contract has it. message: why. session: the last one. pulse: how it goes, None before it ever ran.
    """

    id: str
    account: str
    name: str
    wanted: Wanted
    created: dt.datetime
    updated: dt.datetime
    status: str = "STOPPED"
    message: str = ""
    session: Session | None = None
    pulse: Pulse | None = None

    def arn(self, region: str = "") -> str:
        """Its ARN; in no region: what its tags are kept under."""
        return f"arn:aws:rekognition:{region}:{self.account}:streamprocessor/{self.name}"

    @property
    def is_over(self) -> bool:
        """Whether nobody watches it, or is about to."""
        return self.status in {"STOPPED", "FAILED"}


@dataclass(frozen=True, slots=True)
class Alert:
    """Somebody in front of a camera, from when to when; one for each visit.

    match: with the list's entry at the best sight, None = of nobody on the list. collection, list_size, threshold
    (0..1), model: what was searched in, and how. start, end: UTC; end is None while the visit goes on. time: seconds
    from the stream's beginning to the sight that is kept; box: where the face was then. picture: JPEG of the face and
    what is around it; None where it was erased. review: none, pending, confirmed or rejected; reviewer: who decided.
    """

    id: str
    account: str
    stream: str
    stream_name: str
    source: str
    session: str
    start: dt.datetime
    end: dt.datetime | None
    time: float
    box: Box
    match: Match[StoredFace] | None
    collection: str
    list_size: int
    threshold: float
    model: str
    picture: bytes | None = field(default=None, repr=False)
    review: str = "none"
    reviewer: str = ""
    reviewed: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says of a call. reason: words for the caller when it is refused."""

    allowed: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """The durable row every call leaves. Never a picture, a name or an embedding.

    outcome: "ok" or the error code. milliseconds: how long the call took.
    """

    call_id: str
    time: dt.datetime
    operation: str
    key_id: str
    account: str
    digest: str
    verdict: str
    outcome: str
    milliseconds: float
