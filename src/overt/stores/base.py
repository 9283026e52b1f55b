# SPDX-License-Identifier: Apache-2.0
"""What every store must offer: units of work over galleries, tags, tokens, keys, records, jobs, streams and parcels.

Operations say `with stores.write() as unit:`; all they do inside is one transaction, and leaving the block means it is
on disk. Reads see every write acknowledged before they began. Knows no wire, no model and no SQL.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection as Ids
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from overt.types import (
    Alert,
    Assumed,
    Box,
    CameraAddress,
    Collection,
    Embedding,
    Event,
    Finding,
    Footage,
    Job,
    Parcel,
    Person,
    Pulse,
    Role,
    Session,
    StoredFace,
    Stream,
    Wanted,
)


class StoreError(Exception):
    """Something the store cannot do; operations translate it into the contract's words."""


class NotFoundError(StoreError):
    """No such collection, user, face or key."""


class ExistsError(StoreError):
    """There is one of that name already."""


class WrongModelError(StoreError):
    """An embedding of another model than the collection's."""


class LostError(StoreError):
    """A job was ended, or a job or a lane taken over by another server, while it was worked on."""


class UnavailableError(StoreError):
    """The database cannot be reached or gave the unit up. Nothing of it was written; the same may work later."""


class MissingShardsError(UnavailableError):
    """Parts of a gallery could not be searched, so there is no answer; the words may be shown to any caller."""


class UncertainError(StoreError):
    """The connection was lost while committing: whether the unit was written is not known."""


@dataclass(frozen=True, slots=True)
class NewFace:
    """A face about to be enrolled."""

    id: str
    box: Box
    confidence: float
    embedding: Embedding


@dataclass(frozen=True, slots=True)
class Roll:
    """Many faces column by column: entry i of each column belongs to face i, so that no face needs objects of its own.

    boxes: (n, 4) float64 ratios: left, top, width, height. confidences: (n,) float64, 0..1. vectors: (n, dimension)
    float16 or float32, unit length. ends: until when faces are on the list, of those ids that are for a time only.
    Raises: ValueError when the columns do not fit together, or a number is no number.
    """

    ids: Sequence[str]
    image_ids: Sequence[str]
    external_image_ids: Sequence[str | None]
    boxes: npt.NDArray[np.float64]
    confidences: npt.NDArray[np.float64]
    user_ids: Sequence[str | None]
    vectors: npt.NDArray[np.float16] | npt.NDArray[np.float32]
    ends: Mapping[str, dt.datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        columns = (self.image_ids, self.external_image_ids, self.confidences, self.user_ids, self.vectors)
        if {len(column) for column in columns} | {len(self.boxes)} != {len(self.ids)}:
            msg = "the columns of a roll differ in length"
            raise ValueError(msg)
        if self.boxes.shape[1:] != (4,) or self.confidences.ndim != 1 or self.vectors.ndim != 2:  # noqa: PLR2004
            msg = f"a roll has boxes (n, 4) and vectors (n, dimension), not {self.boxes.shape} and {self.vectors.shape}"
            raise ValueError(msg)
        if not (np.isfinite(self.boxes).all() and np.isfinite(self.confidences).all()):
            msg = "a box or a confidence is not a number"
            raise ValueError(msg)

    def __len__(self) -> int:
        """How many faces."""
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A key pair of an account. The secret is stored wrapped; it is in the clear only here.

    role: the kind that the gate decides by. token: the session token of a temporary key (stored as a hash, so a key
    read back has only `token_digest`). assumed: what a key that AssumeRole made stands for; None = made by hand.
    """

    id: str
    account: str
    role: str
    secret: str = field(repr=False)
    created: dt.datetime
    expires: dt.datetime | None = None
    token_digest: str | None = None  # sha256 hex of the session token
    revoked: dt.datetime | None = None
    label: str = ""
    assumed: Assumed | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    """That somebody wants a moratorium lifted. person: as the organisation names them."""

    person: str
    time: dt.datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Halt:
    """A moratorium on face analysis. collection, purpose: what it covers, "" = all. person: who began it.

    lifted: when it ended, None while it stands. approvals: for its end, by time.
    """

    number: int
    collection: str
    purpose: str
    begun: dt.datetime
    person: str
    reason: str
    lifted: dt.datetime | None = None
    approvals: tuple[Approval, ...] = ()


@dataclass(frozen=True, slots=True)
class Erasure:
    """What became of faces that were to be erased.

    faces: ids erased. missing: ids that were not there. users: ids of users whose vector was made anew without them.
    places: where vectors were and what was done there, in words.
    """

    faces: tuple[str, ...]
    missing: tuple[str, ...]
    users: tuple[str, ...]
    places: tuple[str, ...]


class Collections(Protocol):
    """The collections of all accounts."""

    def create(self, account: str, collection_id: str, model: str, created: dt.datetime) -> Collection:
        """Make an empty one. Raises: ExistsError."""

    def get(self, account: str, collection_id: str) -> Collection:
        """Raises: NotFoundError."""

    def page(self, account: str, after: str, limit: int) -> Sequence[Collection]:
        """Up to `limit` collections whose ids sort after `after` ("" = from the start), by id."""

    def accounts(self) -> Sequence[str]:
        """The accounts that have collections, in order."""

    def rename(self, collection: Collection, account: str, collection_id: str) -> Collection:
        """Hand it to an account under an id, with its faces and users; tags and alerts stay with the old id.

        Raises: NotFoundError when it has gone, ExistsError when there is one of that id.
        """

    def delete(self, account: str, collection_id: str) -> None:
        """With all its faces, users and tags, and all alerts of searches in it. Raises: NotFoundError."""

    def head(self, account: str, collection_id: str) -> int:
        """A number that rises with every change to its faces and users. Raises: NotFoundError."""

    def exchange(self, account: str, one: str, other: str) -> None:
        """Let two collections have each other's name; age, tags and alerts stay with the names.

        Raises: NotFoundError.
        """


class Faces(Protocol):
    """The faces of collections."""

    def add(
        self, collection: Collection, image_id: str, external_image_id: str | None, faces: Sequence[NewFace]
    ) -> Sequence[StoredFace]:
        """Enrol faces of one picture; a face whose id is there already is returned as it stands.

        But for its end: one that has come is taken away, as the face is enrolled anew.
        Raises: WrongModelError, NotFoundError when the collection has gone.
        """

    def load(self, collection: Collection, model: str, roll: Roll) -> int:
        """Enrol many faces and give them to their users; those whose ids are there already stay as they stand.

        The unit stays open for as long as that takes: load some ten thousand at a time, so that others may write.
        Returns: how many were enrolled. Raises: WrongModelError; ValueError when a vector's length is not 1;
        NotFoundError when the collection has gone or a user is unknown. Nothing is enrolled then.
        """

    def rolls(self, collection: Collection, size: int) -> Generator[Roll, None, None]:
        """All faces in the order of their sequences, at most `size` at once, vectors bit by bit as they are stored.

        To be used up or closed within the unit.
        """

    def get(self, collection: Collection, face_ids: Ids[str]) -> Mapping[str, StoredFace]:
        """Those of the ids that exist, by id."""

    def page(
        self,
        collection: Collection,
        after: int,
        limit: int,
        *,
        user_id: str | None = None,
        face_ids: Ids[str] | None = None,
    ) -> Sequence[StoredFace]:
        """Up to `limit` faces with a sequence above `after`, in that order, of one user or among some ids if given."""

    def embeddings(self, collection: Collection, face_ids: Ids[str]) -> Mapping[str, Embedding]:
        """The stored vectors (float16 on disk, unit length float32 here) of those ids that exist."""

    def delete(self, collection: Collection, face_ids: Ids[str]) -> None:
        """Remove faces, vectors included; unknown ids are passed over.

        Raises: StoreError, removing none, when one of them belongs to a user: the caller disassociates it first.
        """

    def search(
        self, collection: Collection, probe: Embedding, limit: int, floor: float, without: Ids[str] = ()
    ) -> Sequence[tuple[StoredFace, float]]:
        """The `limit` nearest faces with cosine >= floor, exactly, by (cosine descending, id); none past its end.

        `without`: ids to leave out. Raises: WrongModelError.
        """


class Users(Protocol):
    """The users (people) of collections. A user's vector is the normalised mean of its faces' vectors."""

    def create(self, collection: Collection, user_id: str) -> Person:
        """Raises: ExistsError."""

    def load(self, collection: Collection, user_ids: Ids[str]) -> int:
        """Create many, without faces; those that are there already are passed over. Returns: how many were created."""

    def get(self, collection: Collection, user_id: str) -> Person:
        """Raises: NotFoundError."""

    def page(self, collection: Collection, after: str, limit: int) -> Sequence[Person]:
        """Up to `limit` users whose ids sort after `after`, by id."""

    def delete(self, collection: Collection, user_id: str) -> None:
        """Disassociate its faces (they stay) and remove it. Raises: NotFoundError."""

    def associate(self, collection: Collection, user_id: str, face_ids: Ids[str]) -> Person:
        """Give faces to the user and recompute its vector; status becomes ACTIVE. Those it has are passed over.

        Raises: NotFoundError for an unknown user or face; StoreError when a face belongs to another user.
        """

    def disassociate(self, collection: Collection, user_id: str, face_ids: Ids[str]) -> Person:
        """Take faces away and recompute the vector; without a face left it has none, and the status is CREATED.

        Faces that are not the user's are passed over. Raises: NotFoundError for an unknown user.
        """

    def vector(self, collection: Collection, user_id: str) -> Embedding | None:
        """Its vector, None while it has no face. Raises: NotFoundError."""

    def search(
        self, collection: Collection, probe: Embedding, limit: int, floor: float, without: Ids[str] = ()
    ) -> Sequence[tuple[Person, float]]:
        """As Faces.search, over users that have faces."""


class Tags(Protocol):
    """Tags of resources, by ARN."""

    def of(self, arn: str) -> Mapping[str, str]:
        """All tags of a resource, by key."""

    def put(self, arn: str, tags: Mapping[str, str]) -> None:
        """Add or overwrite."""

    def remove(self, arn: str, keys: Ids[str]) -> None:
        """Unknown keys are passed over."""


class Tokens(Protocol):
    """Idempotency tokens: what was answered to a ClientRequestToken, for seven days."""

    def seen(self, account: str, operation: str, token: str) -> tuple[str, Mapping[str, Any]] | None:
        """(digest of the request, its answer), or None when new or older than seven days."""

    def keep(self, account: str, operation: str, token: str, digest: str, answer: Mapping[str, Any]) -> None:
        """Remember an answer; it must be plain JSON."""


class Keys(Protocol):
    """Access keys."""

    def add(self, key: AccessKey) -> None:
        """Store a new key, its secret wrapped. Raises: ExistsError."""

    def get(self, key_id: str) -> AccessKey:
        """Also revoked and expired ones: the caller judges. Raises: NotFoundError."""

    def list(self) -> Sequence[AccessKey]:
        """All keys, oldest first, with `secret` empty and without `assumed`."""

    def revoke(self, key_id: str, when: dt.datetime) -> None:
        """With all that were made from it, directly or not. Raises: NotFoundError."""


class Roles(Protocol):
    """What keys may become for a while."""

    def add(self, role: Role) -> None:
        """Raises: ExistsError when the account has one of that name."""

    def get(self, account: str, name: str) -> Role:
        """Raises: NotFoundError."""

    def page(self, account: str, after: str, limit: int) -> Sequence[Role]:
        """Up to `limit` of an account, by name, those behind `after`."""

    def change(self, role: Role) -> None:
        """Give a role other terms; sessions keep theirs. Raises: NotFoundError."""

    def remove(self, account: str, name: str, when: dt.datetime) -> None:
        """With it, revoke all keys made for it and from those. Raises: NotFoundError."""


class Records(Protocol):
    """The append-only rows that calls leave."""

    def append(self, event: Event) -> None:
        """Add one."""

    def tail(self, limit: int) -> Sequence[Event]:
        """The newest `limit`, newest first."""

    def count(self) -> int:
        """How many there are."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a job has come. time: seconds of the video looked at. state: what the rest needs to know, JSON."""

    time: float = 0.0
    state: str = ""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a job. epoch: rises whenever the right is given, and tells holders apart.

    job: also one that is over and was not told yet, so that its holder tells.
    """

    job: Job
    checkpoint: Checkpoint
    epoch: int


class Jobs(Protocol):
    """The analyses of stored videos, and what they found; both go seven days after the end.

    Several servers may share a store. One at a time works on a job: it holds a lease and renews it as it goes on.
    """

    def add(self, job: Job) -> None:
        """Put a new job into the queue."""

    def get(self, account: str, job_id: str) -> Job:
        """Raises: NotFoundError."""

    def list(self, account: str | None, limit: int) -> Sequence[Job]:
        """The newest `limit` of an account or, for None, of all; newest first."""

    def open(self, account: str) -> int:
        """How many of an account's are not over."""

    def due(self, owner: str) -> Sequence[tuple[str, int]]:
        """Jobs a server may work on, oldest first: nobody's, its own, and those of servers that let them lie.

        Returns: their ids, each with how often the job was given up before.
        """

    def claim(self, job_id: str, owner: str, seconds: float) -> Lease | None:
        """Take a job for some time; None when it is over and told, or another server's.

        A server that takes its own job again holds it alone: earlier leases of it are lost.
        """

    def release(self, job_id: str) -> None:
        """Give a job up, for whoever comes next."""

    def save(
        self,
        lease: Lease,
        checkpoint: Checkpoint,
        findings: Sequence[Finding],
        *,
        seconds: float,
        progress: float,
        footage: Footage,
    ) -> None:
        """Keep what was found up to a checkpoint and renew the lease. Raises: LostError when it is no longer held."""

    def end(self, lease: Lease, *, status: str, message: str = "") -> None:
        """Close a job; the checkpoint goes. Raises: LostError when the lease is no longer held."""

    def told(self, job_id: str) -> None:
        """Its end was told where it had to be, or cannot be."""

    def cancel(self, account: str, job_id: str, message: str) -> Job:
        """End a job as FAILED, whoever works on it. Raises: NotFoundError; StoreError when it is over."""

    def retry(self, account: str, job_id: str) -> Job:
        """Put a failed job into the queue again, from the start. Raises: NotFoundError; StoreError when it is none."""

    def findings(
        self, job_id: str, view: str, after: tuple[Any, ...], limit: int, *, by_name: bool
    ) -> Sequence[tuple[tuple[Any, ...], Finding]]:
        """Up to `limit` findings behind a place, each with its place: by time, or by name and then time.

        Args: after: a place given out before; () = from the start.
        """

    def named(self, job_id: str, view: str, names: Ids[str]) -> Sequence[Finding]:
        """All findings of a view that have one of the names."""


@dataclass(frozen=True, slots=True)
class Lane:
    """How it stands with what one stream has to tell one target.

    waiting, oldest: how many parcels wait, and since when the first of them. dead: how many were given up and are kept.
    sent: how many were taken. lost: how many dead ones were dropped for want of room. attempts, error: how often the
    first in line failed by now, and why. due: when it is tried again.
    """

    number: int
    stream: str
    target: str = field(repr=False)
    waiting: int
    oldest: dt.datetime | None
    dead: int
    sent: int
    lost: int
    attempts: int
    error: str
    due: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Turn:
    """The right to carry the parcels of a lane. epoch: rises whenever the right is given, and tells holders apart."""

    lane: int
    stream: str
    target: str = field(repr=False)
    epoch: int
    attempts: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A parcel that was given up. size: bytes that it takes here. reason: why, in words."""

    number: int
    stream: str
    target: str = field(repr=False)
    id: str
    kind: str
    subject: str = field(repr=False)
    size: int
    created: dt.datetime
    died: dt.datetime
    reason: str


class Parcels(Protocol):
    """What streams have to tell, until it was taken. What one stream tells one target is a lane, and keeps its order.

    Several servers may share a store. One at a time carries a lane: it holds a turn and renews it as it goes on.
    """

    def put(self, parcels: Sequence[Parcel], most: int) -> int:
        """Set parcels behind those that wait.

        Args: most: bytes that may wait in a lane, and as many that may be dead; the oldest make room.
        Returns: how many died to make room.
        """

    def lanes(self, stream: str | None = None) -> Sequence[Lane]:
        """All of them, or those of a stream, in the order in which they came to be."""

    def due(self, owner: str) -> Sequence[tuple[int, int]]:
        """Lanes in which a parcel waits whose time has come: nobody's, the server's own, and those left lying.

        Returns: their numbers, each with how often the first in line failed by now; fewest failures first.
        """

    def claim(self, lane: int, owner: str, seconds: float) -> Turn | None:
        """Take a lane for some time; None when it has gone, is another server's, or nothing in it is due."""

    def front(self, turn: Turn, limit: int) -> Sequence[tuple[int, Parcel]]:
        """The first in line, in order, each with its number."""

    def sent(self, turn: Turn, number: int, seconds: float) -> bool:
        """A parcel was taken: it goes, and the turn is renewed; False when that is lost, and the parcel goes still.

        Args: seconds: 0 = the turn ends, and with this one write less than by `release`.
        """

    def bury(self, turn: Turn, number: int, reason: str, seconds: float) -> None:
        """A parcel will never be taken: it is dead, and the turn is renewed. Raises: LostError."""

    def failed(self, turn: Turn, error: str, wait: float) -> None:
        """The first in line was not taken; it is due again after so many seconds. The turn ends. Raises: LostError."""

    def release(self, turn: Turn) -> None:
        """End a turn; one that is lost has ended."""

    def expire(self, waiting: dt.timedelta, dead: dt.timedelta) -> tuple[int, int]:
        """Give up what has waited longer than that, and drop what has been dead longer. Returns: how many of each."""

    def dead(self, stream: str | None, after: int, limit: int) -> Sequence[DeadLetter]:
        """Up to `limit` dead parcels, of all streams or one, with a number above `after`, in that order."""

    def resend(self, numbers: Ids[int]) -> int:
        """Set dead parcels behind those that wait, as if new. Returns: how many; others are passed over."""

    def discard(self, numbers: Ids[int]) -> int:
        """Drop dead parcels. Returns: how many; others are passed over."""

    def forget(self, stream: str) -> int:
        """Drop all of a stream, waiting and dead. Returns: how many parcels."""

    def forget_faces(self, face_ids: Ids[str]) -> int:
        """Drop all whose body names one of these faces, waiting and dead, whatever their stream. Returns: how many."""


class Cameras(Protocol):
    """Where the pictures of cameras come from, by ARN. Addresses are kept sealed, as they may hold passwords."""

    def add(self, camera: CameraAddress) -> None:
        """Raises: ExistsError when the account has one of that name or ARN."""

    def get(self, account: str, arn: str) -> CameraAddress:
        """Raises: NotFoundError."""

    def named(self, account: str, name: str) -> CameraAddress:
        """Raises: NotFoundError."""

    def list(self, account: str) -> Sequence[CameraAddress]:
        """All of an account, by name."""

    def move(self, account: str, name: str, url: str) -> CameraAddress:
        """Give a camera another address. Raises: NotFoundError."""

    def remove(self, account: str, name: str) -> None:
        """Raises: NotFoundError."""


@dataclass(frozen=True, slots=True)
class Charge:
    """The right to watch a stream. epoch: rises whenever the right is given, and tells holders apart.

    revision: rises whenever what is wanted of the stream changes.
    """

    stream: Stream
    epoch: int
    revision: int


class Streams(Protocol):
    """The cameras that are watched, and who watches them.

    Several servers may share a store. One at a time watches a stream: it holds a charge and renews it as it goes on.
    """

    def add(self, stream: Stream) -> None:
        """Raises: ExistsError when the account has one of that name."""

    def get(self, account: str, name: str) -> Stream:
        """Raises: NotFoundError."""

    def find(self, stream_id: str) -> Stream:
        """Raises: NotFoundError."""

    def page(self, account: str, after: str, limit: int) -> Sequence[Stream]:
        """Up to `limit` streams whose names sort after `after` ("" = from the start), by name."""

    def count(self, account: str) -> int:
        """How many an account has."""

    def want(self, account: str, name: str, wanted: Wanted) -> Stream:
        """Change what is wanted; whoever watches takes it up at the next renewal. Raises: NotFoundError."""

    def start(self, account: str, name: str, session: Session) -> Stream:
        """Have it watched: STARTING. Raises: NotFoundError; StoreError when it is watched already."""

    def stop(self, account: str, name: str) -> Stream:
        """Have it watched no longer: STOPPING until who watches has ended, STOPPED when nobody does.

        Raises: NotFoundError; StoreError when it is not watched.
        """

    def delete(self, account: str, name: str) -> Stream:
        """Returns: as it was. Raises: NotFoundError; StoreError while it is watched."""

    def due(self, owner: str) -> Sequence[str]:
        """Ids of streams to be watched, oldest session first: nobody's, and those left lying by whoever watched them.

        With the owner's own: which it claims anew after a restart.
        """

    def claim(self, stream_id: str, owner: str, seconds: float) -> Charge | None:
        """Take a stream for some time; None when it is not to be watched, or another's."""

    def renew(self, charge: Charge, seconds: float, status: str, message: str, pulse: Pulse) -> Charge:
        """Say that it goes on, and how.

        Returns: what is wanted now. A stream that is STOPPING is to be ended; of it, status and message stay.
        Raises: LostError.
        """

    def hold(self, charge: Charge) -> None:
        """Nobody else writes for this stream until the unit ends. Raises: LostError when somebody else watches it."""

    def end(self, charge: Charge, status: str, message: str, pulse: Pulse) -> None:
        """It is watched no longer: STOPPED or FAILED. Raises: LostError."""

    def leave(self, charge: Charge) -> None:
        """Give the stream up for whoever comes next: it is still to be watched. A lost charge is passed over."""


class Alerts(Protocol):
    """Who was seen by cameras. Pictures are kept sealed."""

    def add(self, alert: Alert) -> None:
        """Keep a new one."""

    def extend(self, alert: Alert) -> None:
        """Set its end, and the best sight with its picture (None: the one that is there stays).

        Gone ones stay gone; of one that was confirmed or rejected all but the end stays as it was judged.
        """

    def get(self, account: str, alert_id: str) -> Alert:
        """With its picture. Raises: NotFoundError."""

    def open(self, stream_id: str) -> Sequence[Alert]:
        """Those of a stream whose visit has not ended, with their pictures, oldest first."""

    def page(self, account: str, after: int, limit: int, *, stream: str | None = None) -> Sequence[tuple[int, Alert]]:
        """Up to `limit` alerts without pictures, each with its number, newest first.

        Args: after: only those with a number below; 0 = from the newest. stream: only of the stream of that name.
        """

    def judge(self, account: str, alert_id: str, review: str, reviewer: str) -> Alert:
        """Confirm or reject one. review: confirmed or rejected. Returns: with its picture.

        Raises: NotFoundError; StoreError when it was decided already.
        """

    def expire(self, before: dt.datetime) -> int:
        """Drop those of visits that began before. Returns: how many."""

    def forget(self, collection: Collection, face_ids: Ids[str]) -> int:
        """Drop all alerts that name one of these faces, pictures included. Returns: how many."""


class Expiries(Protocol):
    """Until when faces are on their lists. From that moment on no search finds them; soon after they are deleted."""

    def set(self, collection: Collection, face_ids: Ids[str], expires: dt.datetime | None) -> Sequence[str]:
        """Give faces an end, or none. Returns: those of the ids that exist. Raises: NotFoundError: no collection."""

    def of(self, collection: Collection, face_ids: Ids[str] | None = None) -> Mapping[str, dt.datetime]:
        """The ends of those faces that have one, or for None of all that do. Raises: NotFoundError: no collection."""

    def over(self, limit: int) -> Sequence[tuple[Collection, Sequence[str]]]:
        """Up to `limit` faces whose time is over, by collection: to be deleted."""


class Halts(Protocol):
    """Moratoria on face analysis. They are kept for good."""

    def begin(self, collection: str, purpose: str, begun: dt.datetime, person: str, reason: str) -> Halt:
        """One more, in force with this unit."""

    def approve(self, number: int, approval: Approval, needed: int) -> Halt:
        """Note that somebody wants it lifted; with `needed` different people it is. A second word of one is not noted.

        Raises: NotFoundError when there is none of that number that stands.
        """

    def standing(self) -> Sequence[Halt]:
        """Those in force, the first begun first."""

    def list(self) -> Sequence[Halt]:
        """All there ever were."""


class Unit(Protocol):
    """One transaction's view of everything."""

    @property
    def collections(self) -> Collections:
        """The collections of all accounts."""

    @property
    def faces(self) -> Faces:
        """The faces of collections."""

    @property
    def users(self) -> Users:
        """The users of collections."""

    @property
    def tags(self) -> Tags:
        """Tags of resources."""

    @property
    def tokens(self) -> Tokens:
        """Idempotency tokens."""

    @property
    def keys(self) -> Keys:
        """Access keys."""

    @property
    def roles(self) -> Roles:
        """What keys may become for a while."""

    @property
    def records(self) -> Records:
        """The rows that calls leave."""

    @property
    def jobs(self) -> Jobs:
        """The analyses of stored videos."""

    @property
    def parcels(self) -> Parcels:
        """What streams have to tell."""

    @property
    def cameras(self) -> Cameras:
        """Where the pictures of cameras come from."""

    @property
    def streams(self) -> Streams:
        """The cameras that are watched."""

    @property
    def alerts(self) -> Alerts:
        """Who was seen by cameras."""

    @property
    def expiries(self) -> Expiries:
        """Until when faces are on their lists."""

    @property
    def halts(self) -> Halts:
        """Moratoria on face analysis."""


class Stores(Protocol):
    """A place to keep things."""

    def read(self) -> AbstractContextManager[Unit]:
        """A consistent view; writing through it is an error."""

    def write(self) -> AbstractContextManager[Unit]:
        """One transaction. Leaving the block returns once it is durable; an exception undoes it and passes on."""

    def erase(self, collection: Collection, face_ids: Ids[str]) -> Erasure:
        """Remove faces, those of users too, and every trace of their vectors and of any deleted before.

        Alerts and parcels that name one of the ids go too, also where the face itself went earlier. Afterwards no file
        of the store holds them. Returns once that is so. Raises: NotFoundError for a collection
        that has gone; StoreError when they were removed but traces could not be: ask again.
        """

    def verify(self, collection: Collection | None = None) -> Iterator[str]:
        """What is wrong, in words, with a collection: its rows, its search files, and whether the two agree.

        Without a collection: with the database as such.
        """

    def start(self) -> None:
        """Make ready what a server needs and a single command may not. Raises: StoreError."""

    def close(self) -> None:
        """Finish what is under way and let go of all files."""
