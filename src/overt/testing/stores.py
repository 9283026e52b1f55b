# SPDX-License-Identifier: Apache-2.0
"""What every store must do, as tests: subclass `StoreContract` and supply two fixtures.

`stores` is an empty store; `reopen` is a function that closes it and opens what it kept, as a restart would.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from overt.stores.base import (
    AccessKey,
    ExistsError,
    NewFace,
    NotFoundError,
    Roll,
    StoreError,
    Stores,
    Unit,
    WrongModelError,
)
from overt.types import Alert, Assumed, Box, Collection, Embedding, Event, Floats, Match, Role, StoredFace

ACCOUNT = "123456789012"
OTHER = "999999999999"
MODEL = "model-1"
DIMENSION = 32
NOON = dt.datetime(2026, 1, 2, 12, 0, 0, 123456, tzinfo=dt.UTC)
_COUNTER = itertools.count()
# A store that is there already is filled further by each example, and several classes inherit the same tests.
_OF_CONTRACTS = [HealthCheck.function_scoped_fixture, HealthCheck.differing_executors]
ARN = f"arn:aws:rekognition:eu-west-1:{ACCOUNT}:collection/"


def make_vectors(count: int, seed: int, *, per_person: int = 4, dimension: int = DIMENSION) -> Floats:
    """Synthetic people: unit rows (count, dimension), `per_person` neighbours around each random direction."""
    random = np.random.default_rng(seed)
    people = random.standard_normal((-(-count // per_person), dimension))
    rows = np.repeat(people, per_person, 0)[:count] + 0.4 * random.standard_normal((count, dimension))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float32)


def make_faces(vectors: Floats, prefix: str = "face", model: str = MODEL) -> list[NewFace]:
    """One face per row, with ids that sort in row order."""
    box = Box(0.125, -0.25, 0.5, 0.75)
    return [NewFace(f"{prefix}-{row:05d}", box, 0.875, Embedding(v, model)) for row, v in enumerate(vectors)]


def make_roll(vectors: Floats, prefix: str = "face", user_ids: Sequence[str | None] | None = None) -> Roll:
    """As `make_faces`, in columns: each face of an image of its own, every third with an ExternalImageId."""
    count = len(vectors)
    return Roll(
        ids=[f"{prefix}-{row:05d}" for row in range(count)],
        image_ids=[f"image-{row:05d}" for row in range(count)],
        external_image_ids=[None if row % 3 else f"person-{row}" for row in range(count)],
        boxes=np.linspace(-0.25, 0.75, count * 4).reshape(count, 4),
        confidences=np.linspace(0.5, 1.0, count),
        user_ids=user_ids or [None] * count,
        vectors=vectors,
    )


def make_alert(number: int, **changes: Any) -> Alert:
    """An alert of a face on the list of the collection "people"."""
    box = Box(0.5, 0.25, 0.125, 0.2)
    face = StoredFace("face-00003", "image", "ann", box, 0.99, MODEL, None, 7)
    fields = {
        "id": f"alert-{number}",
        "account": ACCOUNT,
        "stream": "key-of-gate",
        "stream_name": "gate",
        "source": "arn:aws:kinesisvideo:eu-west-1:123456789012:stream/cam/1",
        "session": "session",
        "start": NOON,
        "end": None,
        "time": 12.5,
        "box": box,
        "match": Match(face, 0.97, 0.61, 1),
        "collection": "people",
        "list_size": 40,
        "threshold": 0.9,
        "model": MODEL,
        "picture": b"\xff\xd8 a picture of somebody \xff\xd9",
    }
    return Alert(**{**fields, **changes})


def make_event(number: int) -> Event:
    """A record whose number can be told from its call id."""
    moment = NOON + dt.timedelta(microseconds=number)
    return Event(f"call-{number}", moment, "DetectFaces", "AKIA", ACCOUNT, "ab" * 32, "allow", "ok", 1.5)


def rank(
    vectors: Floats, ids: Sequence[str], probe: Floats, limit: int, floor: float
) -> tuple[list[str], npt.NDArray[np.float64]]:
    """The reference: every stored (float16) vector against the probe in float64, by (cosine descending, id)."""
    stored = vectors.astype(np.float16).astype(np.float64)
    cosines = (stored / np.linalg.norm(stored, axis=1, keepdims=True) * probe.astype(np.float64)).sum(axis=1)
    order = sorted(range(len(ids)), key=lambda row: (-cosines[row], ids[row]))
    order = [row for row in order if cosines[row] >= floor][:limit]
    return [ids[row] for row in order], cosines[order]


class StoreContract:
    """Inherit as `class TestMine(StoreContract)` in a test module that has the fixtures."""

    @pytest.fixture
    def stores(self) -> Stores:
        """An empty store."""
        raise NotImplementedError

    @pytest.fixture
    def reopen(self) -> Callable[[], Stores]:
        """A function that closes the store and opens it anew."""
        raise NotImplementedError

    @pytest.fixture
    def people(self, stores: Stores) -> Collection:
        """A collection to fill."""
        with stores.write() as unit:
            return unit.collections.create(ACCOUNT, "people", MODEL, NOON)

    @pytest.fixture
    def vectors(self, stores: Stores, people: Collection) -> Floats:
        """Forty vectors, enrolled as face-00000 and so on."""
        vectors = make_vectors(40, seed=1)
        with stores.write() as unit:
            unit.faces.add(people, "image", "external", make_faces(vectors))
        return vectors

    # Collections

    def test_collection_is_made_found_counted_and_deleted(self, stores: Stores) -> None:
        with stores.write() as unit:
            made = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
        assert made == Collection(ACCOUNT, "people", MODEL, NOON, 0, 0)
        with stores.write() as unit:
            unit.faces.add(made, "image", None, make_faces(make_vectors(3, seed=1)))
            unit.users.create(made, "ann")
        with stores.read() as unit:
            assert unit.collections.get(ACCOUNT, "people") == replace(made, face_count=3, user_count=1)
        with stores.write() as unit:
            unit.collections.delete(ACCOUNT, "people")
        with stores.read() as unit, pytest.raises(NotFoundError):
            unit.collections.get(ACCOUNT, "people")

    def test_collections_of_accounts_are_apart(self, stores: Stores, people: Collection) -> None:
        with stores.write() as unit, pytest.raises(ExistsError):
            unit.collections.create(ACCOUNT, people.id, MODEL, NOON)
        with stores.write() as unit:
            unit.collections.create("999999999999", people.id, "other", NOON)
            assert list(unit.collections.accounts()) == sorted([ACCOUNT, "999999999999"])
            with pytest.raises(NotFoundError):
                unit.collections.delete(ACCOUNT, "nobody")
        with stores.read() as unit:
            assert unit.collections.get(ACCOUNT, people.id).model == MODEL

    def test_collections_page_by_id(self, stores: Stores) -> None:
        names = ["Zoe", "ab", "a_b", "b", "ä"]
        with stores.write() as unit:
            for name in names:
                unit.collections.create(ACCOUNT, name, MODEL, NOON)
        with stores.read() as unit:
            first = [each.id for each in unit.collections.page(ACCOUNT, "", 3)]
            rest = [each.id for each in unit.collections.page(ACCOUNT, first[-1], 3)]
        assert first + rest == sorted(names)

    def test_a_collection_is_handed_on_with_all_in_it(
        self, stores: Stores, people: Collection, vectors: Floats
    ) -> None:
        with stores.write() as unit:
            unit.users.create(people, "ann")
            with pytest.raises(ExistsError):
                unit.collections.rename(people, ACCOUNT, "people")
            moved = unit.collections.rename(people, "999999999999", "crowd")
        assert (moved.account, moved.id, moved.created, moved.face_count) == ("999999999999", "crowd", NOON, 40)
        with stores.read() as unit:
            assert unit.faces.search(moved, Embedding(vectors[3], MODEL), 1, 0.9)[0][0].id == "face-00003"
            assert unit.users.get(moved, "ann").id == "ann"
            with pytest.raises(NotFoundError):
                unit.collections.get(ACCOUNT, "people")

    def test_deleted_collection_takes_all_with_it(self, stores: Stores, people: Collection, vectors: Floats) -> None:
        with stores.write() as unit:
            unit.users.create(people, "ann")
            unit.users.associate(people, "ann", ["face-00000"])
            unit.tags.put(ARN + "people", {"k": "v"})
            unit.tags.put(ARN + "People", {"k": "v"})
        probe = Embedding(vectors[0], MODEL)
        with stores.read() as unit:
            assert unit.faces.search(people, probe, 1, 0.5)
        with stores.write() as unit:
            unit.collections.delete(ACCOUNT, "people")
            again = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
        for view in (stores.read, stores.write):
            with view() as unit:
                assert unit.collections.get(ACCOUNT, "people") == again
                assert unit.faces.search(again, probe, 5, -1.0) == []
                assert unit.users.search(again, probe, 5, -1.0) == []
                assert unit.faces.page(again, 0, 10) == []
                assert unit.users.page(again, "", 10) == []
                assert unit.tags.of(ARN + "people") == {}
                assert unit.tags.of(ARN + "People") == {"k": "v"}
        with stores.write() as unit:
            unit.faces.add(again, "image", None, make_faces(vectors[:1], prefix="new"))
        with stores.read() as unit:
            assert [face.id for face, _ in unit.faces.search(again, probe, 5, -1.0)] == ["new-00000"]

    def test_two_collections_exchange_names(self, stores: Stores, people: Collection, vectors: Floats) -> None:
        probe, late = Embedding(vectors[0], MODEL), NOON + dt.timedelta(days=1)
        with stores.write() as unit:
            unit.users.create(people, "ann")
            unit.users.associate(people, "ann", ["face-00000"])
            other = unit.collections.create(ACCOUNT, "another", "model-2", late)
            unit.faces.add(other, "image", None, make_faces(make_vectors(1, seed=9), "new", "model-2"))
            unit.tags.put(ARN + "people", {"k": "v"})
        with stores.read() as unit:  # galleries are in memory
            assert unit.faces.search(people, probe, 1, 0.5)
        with stores.write() as unit:
            unit.collections.exchange(ACCOUNT, "people", "another")
            with pytest.raises(NotFoundError):
                unit.collections.exchange(ACCOUNT, "people", "nobody")
        for view in (stores.read, stores.write):
            with view() as unit:
                renewed = unit.collections.get(ACCOUNT, "people")
                assert renewed == Collection(ACCOUNT, "people", "model-2", NOON, 1, 0)
                former = unit.collections.get(ACCOUNT, "another")
                assert former == Collection(ACCOUNT, "another", MODEL, late, len(vectors), 1)
                assert unit.tags.of(ARN + "people") == {"k": "v"}
                assert [face.id for face in unit.faces.page(renewed, 0, 9)] == ["new-00000"]
                with pytest.raises(WrongModelError):
                    unit.faces.search(renewed, probe, 1, 0.5)
                assert [face.id for face, _ in unit.faces.search(former, probe, 1, 0.5)] == ["face-00000"]
                assert [person.id for person, _ in unit.users.search(former, probe, 1, 0.5)] == ["ann"]

    def test_a_head_rises_with_every_change(self, stores: Stores, people: Collection, vectors: Floats) -> None:  # noqa: ARG002
        changes: list[Callable[[Unit], object]] = [
            lambda unit: unit.users.create(people, "ann"),
            lambda unit: unit.users.associate(people, "ann", ["face-00000"]),
            lambda unit: unit.users.disassociate(people, "ann", ["face-00000"]),
            lambda unit: unit.users.delete(people, "ann"),
            lambda unit: unit.faces.delete(people, ["face-00000"]),
            lambda unit: unit.faces.add(people, "image", None, make_faces(make_vectors(1, seed=8), "late")),
        ]
        heads = []
        for change in changes:
            with stores.read() as unit:
                heads.append(unit.collections.head(ACCOUNT, "people"))
            with stores.write() as unit:
                change(unit)
        with stores.read() as unit:
            heads.append(unit.collections.head(ACCOUNT, "people"))
            with pytest.raises(NotFoundError):
                unit.collections.head(ACCOUNT, "nobody")
        assert heads == sorted(set(heads))

    def test_a_collection_that_has_gone_is_not_found(self, stores: Stores, people: Collection) -> None:
        with stores.write() as unit:
            unit.collections.delete(ACCOUNT, "people")
        face = make_faces(make_vectors(1, seed=1))
        uses: list[Callable[[Unit], object]] = [
            lambda unit: unit.faces.add(people, "image", None, face),
            lambda unit: unit.faces.load(people, MODEL, make_roll(make_vectors(1, seed=1))),
            lambda unit: list(unit.faces.rolls(people, 1)),
            lambda unit: unit.collections.rename(people, ACCOUNT, "others"),
            lambda unit: unit.users.load(people, ["ann"]),
            lambda unit: unit.faces.get(people, ["x"]),
            lambda unit: unit.faces.page(people, 0, 1),
            lambda unit: unit.faces.embeddings(people, ["x"]),
            lambda unit: unit.faces.delete(people, ["x"]),
            lambda unit: unit.faces.search(people, face[0].embedding, 1, 0.0),
            lambda unit: unit.users.create(people, "ann"),
            lambda unit: unit.users.page(people, "", 1),
            lambda unit: unit.users.search(people, face[0].embedding, 1, 0.0),
        ]
        for use in uses:
            with stores.write() as unit, pytest.raises(NotFoundError):
                use(unit)

    # Faces

    def test_faces_are_enrolled_and_found(self, stores: Stores, people: Collection) -> None:
        new = make_faces(make_vectors(3, seed=1))
        with stores.write() as unit:
            added = unit.faces.add(people, "image", "external", new)
        assert [face.id for face in added] == [face.id for face in new]
        assert added[0].sequence < added[1].sequence < added[2].sequence
        assert (added[0].box, added[0].confidence, added[0].model) == (new[0].box, 0.875, MODEL)
        assert (added[0].image_id, added[0].external_image_id, added[0].user_id) == ("image", "external", None)
        with stores.read() as unit:
            wanted = {added[1].id, added[2].id, "nobody"}
            assert unit.faces.get(people, wanted) == {face.id: face for face in added[1:]}

    def test_enrolling_twice_changes_nothing(self, stores: Stores, people: Collection) -> None:
        old, new = make_faces(make_vectors(2, seed=1))
        with stores.write() as unit:
            (first,) = unit.faces.add(people, "image", None, [old])
        with stores.write() as unit:
            again = unit.faces.add(people, "another image", "name", [new, old, new])
        assert [face.id for face in again] == [new.id, old.id, new.id]
        assert again[1] == first
        assert again[0] == again[2]
        with stores.read() as unit:
            assert unit.collections.get(ACCOUNT, "people").face_count == 2

    def test_faces_of_another_space_are_refused(self, stores: Stores, people: Collection, vectors: Floats) -> None:
        wrong = make_faces(vectors[:1], "wrong", "model-2") + make_faces(make_vectors(1, 1, dimension=16), "short")
        for face in wrong:
            with stores.write() as unit, pytest.raises(WrongModelError):
                unit.faces.add(people, "image", None, [face])
            with stores.read() as unit, pytest.raises(WrongModelError):
                unit.faces.search(people, face.embedding, 1, 0.0)
            with stores.read() as unit, pytest.raises(WrongModelError):
                unit.users.search(people, face.embedding, 1, 0.0)

    def test_faces_page_by_sequence(self, stores: Stores, people: Collection, vectors: Floats) -> None:
        ids = [face.id for face in make_faces(vectors)]
        with stores.write() as unit:
            unit.users.create(people, "ann")
            unit.users.associate(people, "ann", ids[5:15])
        with stores.read() as unit:
            first = unit.faces.page(people, 0, 25)
            rest = unit.faces.page(people, first[-1].sequence, 25)
            assert [face.id for face in (*first, *rest)] == ids
            assert [face.id for face in unit.faces.page(people, 0, 4, user_id="ann")] == ids[5:9]
            some = [ids[20], ids[3], "nobody", ids[9], ids[3]]
            assert [face.id for face in unit.faces.page(people, 0, 2, face_ids=some)] == [ids[3], ids[9]]
            assert [face.id for face in unit.faces.page(people, 0, 9, user_id="ann", face_ids=some)] == [ids[9]]

    def test_thousands_of_ids_may_be_named_at_once(self, stores: Stores, people: Collection) -> None:
        new = make_faces(make_vectors(1200, seed=3))
        ids = [face.id for face in new]
        with stores.write() as unit:
            unit.faces.add(people, "image", None, new)
            assert list(unit.faces.get(people, ids)) == ids
            assert [face.id for face in unit.faces.page(people, 0, 1100, face_ids=ids[::-1])] == ids[:1100]
            unit.faces.delete(people, ids[:1100])
        with stores.read() as unit:
            assert [face.id for face in unit.faces.page(people, 0, 2000)] == ids[1100:]

    def test_embeddings_come_back_as_float16_kept_them(
        self, stores: Stores, people: Collection, vectors: Floats
    ) -> None:
        with stores.read() as unit:
            found = unit.faces.embeddings(people, ["face-00007", "face-00003", "nobody"])
        assert set(found) == {"face-00003", "face-00007"}
        stored = vectors[7].astype(np.float16).astype(np.float32)
        np.testing.assert_allclose(found["face-00007"].vector, stored / np.linalg.norm(stored), atol=1e-6)
        assert (found["face-00007"].model, found["face-00007"].vector.dtype) == (MODEL, np.dtype(np.float32))

    def test_deleted_faces_are_gone_everywhere(self, stores: Stores, people: Collection, vectors: Floats) -> None:
        probe = Embedding(vectors[2], MODEL)
        with stores.read() as unit:
            assert unit.faces.search(people, probe, 1, 0.9)[0][0].id == "face-00002"
        with stores.write() as unit:
            unit.faces.delete(people, ["face-00002", "nobody"])
            unit.faces.delete(people, [])
        with stores.read() as unit:
            assert unit.faces.get(people, ["face-00002"]) == {}
            assert unit.faces.embeddings(people, ["face-00002"]) == {}
            assert "face-00002" not in [face.id for face, _ in unit.faces.search(people, probe, 50, -1.0)]
            assert unit.collections.get(ACCOUNT, "people").face_count == 39
            newest = unit.faces.page(people, 0, 50)[-1].sequence
        with stores.write() as unit:
            (back,) = unit.faces.add(people, "image", None, make_faces(vectors)[2:3])
            assert back.sequence > newest

    def test_a_users_face_is_not_deleted(self, stores: Stores, people: Collection, vectors: Floats) -> None:  # noqa: ARG002
        with stores.write() as unit:
            unit.users.create(people, "ann")
            unit.users.associate(people, "ann", ["face-00001"])
            with pytest.raises(StoreError):
                unit.faces.delete(people, ["face-00000", "face-00001"])
        with stores.read() as unit:
            assert len(unit.faces.get(people, ["face-00000", "face-00001"])) == 2

    # Rolls

    def test_a_roll_is_loaded_found_and_unrolled(
        self, stores: Stores, people: Collection, reopen: Callable[[], Stores]
    ) -> None:
        vectors = make_vectors(1200, seed=1)
        users = [None if row % 2 else f"user-{row // 100}" for row in range(1200)]
        roll = make_roll(vectors, user_ids=users)
        with stores.write() as unit:
            assert unit.users.load(people, [*(f"user-{number}" for number in range(12)), "nobody"]) == 13
            assert unit.faces.load(people, MODEL, roll) == 1200
            inside = unit.faces.search(people, Embedding(vectors[700], MODEL), 9, -1.0)
        with reopen().read() as unit:
            kept = unit.collections.get(ACCOUNT, "people")
            assert (kept.face_count, kept.user_count) == (1200, 13)
            expected, _ = rank(vectors, roll.ids, vectors[700], 9, -1.0)
            found = unit.faces.search(people, Embedding(vectors[700], MODEL), 9, -1.0)
            assert [face.id for face, _ in found] == expected
            assert found == inside
            third = unit.faces.get(people, ["face-00003"])["face-00003"]
            assert (third.image_id, third.external_image_id, third.user_id) == ("image-00003", "person-3", None)
            assert third.box == Box(*roll.boxes[3].tolist())
            assert third.confidence == roll.confidences[3]
            assert unit.users.get(people, "user-3").face_count == 50
            assert unit.users.get(people, "nobody").status == "CREATED"
            held = unit.users.vector(people, "user-3")
            assert held is not None
            middle = vectors[300:400:2].mean(axis=0)
            np.testing.assert_allclose(held.vector, middle / np.linalg.norm(middle), atol=1e-3)
            assert unit.users.search(people, held, 1, 0.9)[0][0].id == "user-3"
            parts = list(unit.faces.rolls(people, 500))
            assert [len(part) for part in parts] == [500, 500, 200]
            for column in ("ids", "image_ids", "external_image_ids", "user_ids"):
                assert [value for part in parts for value in getattr(part, column)] == list(getattr(roll, column))
            np.testing.assert_array_equal(np.concatenate([part.boxes for part in parts]), roll.boxes)
            np.testing.assert_array_equal(np.concatenate([part.confidences for part in parts]), roll.confidences)
            stored = np.concatenate([part.vectors for part in parts])
            np.testing.assert_array_equal(stored, vectors.astype(np.float16))
            assert stored.dtype == np.float16

    def test_what_rolls_load_and_what_is_added_is_the_same(self, stores: Stores, people: Collection) -> None:
        vectors = make_vectors(8, seed=1)
        roll = make_roll(vectors, user_ids=["ann"] * 4 + [None] * 4)
        with stores.write() as unit:
            other = unit.collections.create(ACCOUNT, "other", MODEL, NOON)
            for each in (people, other):
                unit.users.create(each, "ann")
            unit.faces.load(people, MODEL, roll)
            for row in range(8):
                face = NewFace(
                    roll.ids[row], Box(*roll.boxes[row]), roll.confidences[row], Embedding(vectors[row], MODEL)
                )
                unit.faces.add(other, roll.image_ids[row], roll.external_image_ids[row], [face])
            unit.users.associate(other, "ann", roll.ids[:4])
        with stores.read() as unit:
            loaded, added = (unit.faces.page(each, 0, 99) for each in (people, other))
            assert [replace(face, sequence=0) for face in loaded] == [replace(face, sequence=0) for face in added]
            assert unit.users.get(people, "ann") == unit.users.get(other, "ann")
            means = [unit.users.vector(each, "ann") for each in (people, other)]
            assert means[0] is not None
            assert means[1] is not None
            np.testing.assert_array_equal(means[0].vector, means[1].vector)

    def test_faces_that_are_there_are_passed_over_by_a_roll(
        self, stores: Stores, people: Collection, vectors: Floats
    ) -> None:
        more = make_vectors(60, seed=2)
        roll = make_roll(more, user_ids=["ann"] * 60)
        double = replace(roll, ids=[*roll.ids[:58], *roll.ids[50:52]])
        with stores.read() as unit:
            before = unit.faces.page(people, 0, 99)
        with stores.write() as unit:
            unit.users.create(people, "ann")
            assert unit.faces.load(people, MODEL, double) == 18  # of forty that are there, and two that come twice
            assert unit.faces.load(people, MODEL, roll) == 2
            assert unit.faces.load(people, MODEL, roll) == 0
        with stores.read() as unit:
            assert unit.collections.get(ACCOUNT, "people").face_count == 60
            assert unit.users.get(people, "ann").face_count == 20
            assert unit.faces.page(people, 0, 40) == before
            found = unit.faces.search(people, Embedding(more[59], MODEL), 1, 0.9)
            assert [face.id for face, _ in found] == ["face-00059"]
            assert unit.faces.search(people, Embedding(vectors[0], MODEL), 1, 0.9)[0][0].id == "face-00000"

    def test_a_user_s_vector_covers_faces_of_several_rolls(self, stores: Stores, people: Collection) -> None:
        vectors = make_vectors(4, seed=1)
        with stores.write() as unit:
            unit.users.create(people, "ann")
            for row in range(4):
                unit.faces.load(people, MODEL, make_roll(vectors[row : row + 1], f"roll-{row}", ["ann"]))
        with stores.read() as unit:
            held = unit.users.vector(people, "ann")
            assert held is not None
            middle = vectors.mean(axis=0)
            np.testing.assert_allclose(held.vector, middle / np.linalg.norm(middle), atol=1e-3)
            assert [user.id for user, _ in unit.users.search(people, held, 9, 0.9)] == ["ann"]

    def test_rolls_that_do_not_fit_are_refused_whole(self, stores: Stores, people: Collection, vectors: Floats) -> None:
        good = make_roll(vectors, "new")
        lengths, nan, infinite = vectors.copy(), vectors.copy(), vectors.copy()
        lengths[39] *= 1.01
        nan[20, 3], infinite[20, 3] = np.nan, np.inf
        refused: list[tuple[str, Roll, type[Exception]]] = [
            ("model-2", good, WrongModelError),
            (MODEL, make_roll(make_vectors(3, seed=1, dimension=16), "new"), WrongModelError),
            (MODEL, replace(good, vectors=lengths), ValueError),
            (MODEL, replace(good, vectors=nan), ValueError),
            (MODEL, replace(good, vectors=infinite), ValueError),
            (MODEL, replace(good, user_ids=[*[None] * 39, "nobody"]), NotFoundError),
        ]
        for model, roll, error in refused:
            with stores.write() as unit, pytest.raises(error):
                unit.faces.load(people, model, roll)
        boxes = good.boxes.copy()
        boxes[7, 1] = np.nan
        wrong: list[dict[str, Any]] = [
            {"boxes": boxes},
            {"boxes": good.boxes[:, :3]},
            {"ids": good.ids[:5]},
            {"vectors": vectors[:5]},
            {"vectors": vectors[0]},
            {"confidences": good.confidences * np.nan},
        ]
        for change in wrong:
            with pytest.raises(ValueError, match=r"roll|number"):
                replace(good, **change)
        with stores.read() as unit:
            assert unit.collections.get(ACCOUNT, "people").face_count == 40
            assert len(unit.faces.page(people, 0, 99)) == 40

    def test_an_empty_roll_changes_nothing(self, stores: Stores, people: Collection) -> None:
        with stores.write() as unit:
            assert unit.faces.load(people, MODEL, make_roll(make_vectors(0, seed=1))) == 0
            assert unit.users.load(people, []) == 0
        with stores.read() as unit:
            assert list(unit.faces.rolls(people, 10)) == []
            assert unit.collections.get(ACCOUNT, "people") == people

    def test_users_that_are_there_are_passed_over_when_loaded(self, stores: Stores, people: Collection) -> None:
        with stores.write() as unit:
            unit.users.create(people, "ann")
            assert unit.users.load(people, ["bob", "ann", "bob", "eve"]) == 2
        with stores.read() as unit:
            assert [user.id for user in unit.users.page(people, "", 9)] == ["ann", "bob", "eve"]
            assert unit.collections.get(ACCOUNT, "people").user_count == 3

    # Search

    @settings(max_examples=25, deadline=None, suppress_health_check=_OF_CONTRACTS)
    @given(
        seed=st.integers(0, 2**32 - 1),
        count=st.integers(1, 200),
        limit=st.integers(1, 60),
        floor=st.sampled_from([-1.0, 0.0, 0.3, 0.8]),
    )
    def test_search_equals_brute_force(self, stores: Stores, seed: int, count: int, limit: int, floor: float) -> None:
        """Over clustered vectors with duplicates, before and after deletions, from read and write units."""
        random = np.random.default_rng(seed)
        vectors = make_vectors(count, seed)
        vectors[random.integers(count, size=count // 10)] = vectors[0]
        probe = make_vectors(count, seed + 1)[0] if random.random() < 0.5 else vectors[0]
        new = make_faces(vectors)
        with stores.write() as unit:
            people = unit.collections.create(ACCOUNT, f"people-{next(_COUNTER)}", MODEL, NOON)
            unit.faces.add(people, "image", None, new)
        gone = {new[row].id for row in random.choice(count, size=count // 3, replace=False)}
        for deleted in (set(), gone):
            kept = [row for row, face in enumerate(new) if face.id not in deleted]
            without = [new[row].id for row in kept[: count // 5]]
            ids = [new[row].id for row in kept[count // 5 :]]
            expected, cosines = rank(vectors[kept[count // 5 :]], ids, probe, limit, floor)
            with stores.write() as unit:
                unit.faces.delete(people, deleted)
                inside = unit.faces.search(people, Embedding(probe, MODEL), limit, floor, without)
            with stores.read() as unit:
                after = unit.faces.search(people, Embedding(probe, MODEL), limit, floor, without)
            assert [face.id for face, _ in after] == expected
            np.testing.assert_allclose([cosine for _, cosine in after], cosines, atol=1e-6)
            assert inside == after

    def test_ties_are_ordered_by_id(self, stores: Stores, people: Collection) -> None:
        same = np.repeat(make_vectors(1, seed=5), 300, 0)
        new = make_faces(same)
        with stores.write() as unit:
            unit.faces.add(people, "image", None, new[150:][::-1])
        with stores.read() as unit:
            unit.faces.search(people, new[0].embedding, 1, 0.0)
        with stores.write() as unit:
            unit.faces.add(people, "image", None, new[:150][::-1])
        with stores.read() as unit:
            found = [face.id for face, _ in unit.faces.search(people, new[0].embedding, 200, 0.0)]
        assert found == [face.id for face in new[:200]]

    def test_search_in_nothing_for_nothing(self, stores: Stores, people: Collection) -> None:
        probe = make_faces(make_vectors(1, seed=1))[0]
        for view in (stores.read, stores.write):
            with view() as unit:
                assert unit.faces.search(people, probe.embedding, 5, -1.0) == []
                assert unit.users.search(people, probe.embedding, 5, -1.0) == []
        with stores.write() as unit:
            unit.faces.add(people, "image", None, [probe])
            assert unit.faces.search(people, probe.embedding, 0, -1.0) == []

    # Users

    def test_user_is_made_found_and_deleted(self, stores: Stores, people: Collection, vectors: Floats) -> None:  # noqa: ARG002
        with stores.write() as unit:
            made = unit.users.create(people, "ann")
            with pytest.raises(ExistsError):
                unit.users.create(people, "ann")
        assert (made.id, made.status, made.face_count) == ("ann", "CREATED", 0)
        with stores.write() as unit:
            assert unit.users.associate(people, "ann", ["face-00000"]).face_count == 1
            unit.users.delete(people, "ann")
            with pytest.raises(NotFoundError):
                unit.users.delete(people, "ann")
        with stores.read() as unit:
            assert unit.collections.get(ACCOUNT, "people").user_count == 0
            assert unit.faces.get(people, ["face-00000"])["face-00000"].user_id is None
            for use in (unit.users.get, unit.users.vector):
                with pytest.raises(NotFoundError):
                    use(people, "ann")

    def test_users_page_by_id(self, stores: Stores, people: Collection) -> None:
        names = ["Zoe", "ab", "a_b", "b"]
        with stores.write() as unit:
            for name in names:
                unit.users.create(people, name)
        with stores.read() as unit:
            first = [user.id for user in unit.users.page(people, "", 3)]
            assert first + [user.id for user in unit.users.page(people, first[-1], 3)] == sorted(names)

    def test_user_vector_is_the_mean_of_its_faces(self, stores: Stores, people: Collection, vectors: Floats) -> None:
        ids = [face.id for face in make_faces(vectors)]

        def check(unit: Unit, rows: list[int]) -> None:
            person = unit.users.get(people, "ann")
            found = unit.users.vector(people, "ann")
            assert (person.face_count, person.status) == (len(rows), "ACTIVE" if rows else "CREATED")
            if not rows:
                assert found is None
                return
            assert found is not None
            middle = vectors[rows].mean(axis=0)
            np.testing.assert_allclose(found.vector, middle / np.linalg.norm(middle), atol=1e-3)
            assert np.linalg.norm(found.vector) == pytest.approx(1.0, abs=1e-6)

        with stores.write() as unit:
            unit.users.create(people, "ann")
            check(unit, [])
        with stores.write() as unit:
            unit.users.associate(people, "ann", ids[:2])
            check(unit, [0, 1])
            unit.users.associate(people, "ann", ids[1:4])
            check(unit, [0, 1, 2, 3])
        with stores.write() as unit:
            unit.users.disassociate(people, "ann", [ids[0], ids[9], "nobody"])
        with stores.read() as unit:
            check(unit, [1, 2, 3])
            assert unit.faces.get(people, ids[:2])[ids[0]].user_id is None
            assert unit.faces.get(people, ids[:2])[ids[1]].user_id == "ann"
        with stores.write() as unit:
            unit.users.disassociate(people, "ann", ids)
            check(unit, [])

    def test_faces_are_given_once(self, stores: Stores, people: Collection, vectors: Floats) -> None:  # noqa: ARG002
        with stores.write() as unit:
            unit.users.create(people, "ann")
            unit.users.create(people, "bob")
            unit.users.associate(people, "ann", ["face-00000"])
        refused: list[tuple[str, list[str], type[Exception]]] = [
            ("bob", ["face-00001", "face-00000"], StoreError),
            ("bob", ["face-00001", "nobody"], NotFoundError),
            ("nobody", ["face-00001"], NotFoundError),
        ]
        for user_id, ids, error in refused:
            with stores.write() as unit, pytest.raises(error):
                unit.users.associate(people, user_id, ids)
        with stores.write() as unit, pytest.raises(NotFoundError):
            unit.users.disassociate(people, "nobody", ["face-00000"])
        with stores.read() as unit:
            assert unit.users.get(people, "bob").face_count == 0
            assert unit.faces.get(people, ["face-00001"])["face-00001"].user_id is None

    def test_user_search_equals_brute_force(self, stores: Stores, people: Collection, vectors: Floats) -> None:
        names = [f"user-{number}" for number in range(10)]
        with stores.write() as unit:
            for number, name in enumerate(names):
                unit.users.create(people, name)
                unit.users.associate(people, name, [f"face-{row:05d}" for row in range(number * 4, number * 4 + 4)])
            unit.users.create(people, "nobody")

        def check(unit: Unit, names: list[str], without: Sequence[str] = ()) -> None:
            found = unit.users.search(people, Embedding(vectors[0], MODEL), 6, -1.0, without)
            held = [unit.users.vector(people, name) for name in names]
            stored = np.stack([each.vector for each in held if each is not None])
            expected, cosines = rank(stored, names, vectors[0], 6, -1.0)
            assert [user.id for user, _ in found] == expected
            np.testing.assert_allclose([cosine for _, cosine in found], cosines, atol=1e-3)

        with stores.read() as unit:
            check(unit, names)
            check(unit, names[1:], without=[names[0], "nobody"])
        with stores.write() as unit:
            unit.users.disassociate(people, names[0], ["face-00000"])
            unit.users.disassociate(people, names[1], [f"face-{row:05d}" for row in range(4, 8)])
            unit.users.delete(people, names[2])
            check(unit, [names[0], *names[3:]])
        with stores.read() as unit:
            check(unit, [names[0], *names[3:]])

    # Erasure

    def test_erased_faces_are_gone_and_their_users_forget_them(
        self, stores: Stores, people: Collection, vectors: Floats, reopen: Callable[[], Stores]
    ) -> None:
        with stores.write() as unit:
            for name, ids in (("ann", ["face-00000", "face-00001"]), ("bob", ["face-00004"])):
                unit.users.create(people, name)
                unit.users.associate(people, name, ids)
        with stores.read() as unit:
            assert unit.faces.search(people, Embedding(vectors[0], MODEL), 40, -1.0)
            assert unit.users.search(people, Embedding(vectors[0], MODEL), 40, -1.0)
        doomed = ["face-00000", "face-00004", "face-00009"]
        erasure = stores.erase(people, [*doomed, "nobody"])
        assert (sorted(erasure.faces), erasure.missing) == (doomed, ("nobody",))
        assert sorted(erasure.users) == ["ann", "bob"]
        assert erasure.places
        assert list(stores.verify(people)) == []
        with reopen().read() as unit:
            assert unit.faces.get(people, doomed) == {}
            found = unit.faces.search(people, Embedding(vectors[0], MODEL), 40, -1.0)
            assert len(found) == 37
            assert not {face.id for face, _ in found} & set(doomed)
            assert unit.users.get(people, "ann").face_count == 1
            known = unit.users.vector(people, "ann")
            assert known is not None
            np.testing.assert_allclose(known.vector, vectors[1], atol=2e-3)
            assert unit.users.vector(people, "bob") is None

    def test_an_erasure_in_a_collection_that_has_gone_is_refused(self, stores: Stores, people: Collection) -> None:
        with stores.write() as unit:
            unit.collections.delete(ACCOUNT, people.id)
        with pytest.raises(NotFoundError):
            stores.erase(people, ["x"])

    # Tags, tokens, keys, records

    def test_tags(self, stores: Stores) -> None:
        with stores.write() as unit:
            unit.tags.put(ARN + "a", {"k": "1", "l": "2"})
            unit.tags.put(ARN + "b", {"k": "3"})
            unit.tags.put(ARN + "b", {})
        with stores.write() as unit:
            unit.tags.put(ARN + "a", {"k": "4", "m": ""})
            unit.tags.remove(ARN + "a", ["l", "nothing"])
        with stores.read() as unit:
            assert unit.tags.of(ARN + "a") == {"k": "4", "m": ""}
            assert unit.tags.of(ARN + "b") == {"k": "3"}
            assert unit.tags.of(ARN + "c") == {}

    def test_tokens(self, stores: Stores) -> None:
        answer = {"JobId": "7", "List": [1, 2.5, None], "Name": "ä"}
        with stores.write() as unit:
            unit.tokens.keep(ACCOUNT, "StartX", "token", "digest", answer)
            assert unit.tokens.seen(ACCOUNT, "StartX", "token") == ("digest", answer)
        with stores.write() as unit:
            unit.tokens.keep(ACCOUNT, "StartX", "token", "later", {})
        with stores.read() as unit:
            assert unit.tokens.seen(ACCOUNT, "StartX", "token") == ("later", {})
            assert unit.tokens.seen(ACCOUNT, "StartY", "token") is None
            assert unit.tokens.seen("999999999999", "StartX", "token") is None

    def test_keys(self, stores: Stores) -> None:
        zone = dt.timezone(dt.timedelta(hours=2))
        old = AccessKey("AKIA1", ACCOUNT, "admin", "hush", NOON.astimezone(zone), label="laptop")
        later = NOON + dt.timedelta(microseconds=1)
        new = AccessKey("ASIA0", ACCOUNT, "viewer", "quiet", later, later, "ab" * 32)
        with stores.write() as unit:
            unit.keys.add(new)
            unit.keys.add(old)
            with pytest.raises(ExistsError):
                unit.keys.add(old)
        with stores.read() as unit:
            assert unit.keys.get("AKIA1") == old
            assert unit.keys.get("AKIA1").created.utcoffset() == dt.timedelta(0)
            assert unit.keys.get("ASIA0") == new
            assert list(unit.keys.list()) == [replace(old, secret=""), replace(new, secret="")]
            assert "hush" not in repr(unit.keys.get("AKIA1"))
        with stores.write() as unit:
            unit.keys.revoke("AKIA1", later)
        with stores.write() as unit:
            unit.keys.revoke("AKIA1", later + dt.timedelta(days=1))
            for use in (unit.keys.get, lambda key_id: unit.keys.revoke(key_id, later)):
                with pytest.raises(NotFoundError):
                    use("AKIA2")
        with stores.read() as unit:
            assert unit.keys.get("AKIA1").revoked == later

    def test_roles(self, stores: Stores) -> None:
        allowed = {"purpose": ("theft", "missing")}
        desk = Role(ACCOUNT, "desk", "operator", NOON, ("*", "role/a"), ("case",), allowed, dt.timedelta(hours=2))
        other = Role(OTHER, "desk", "auditor", NOON, is_own_operator=True)
        with stores.write() as unit:
            for role in (desk, other, replace(desk, name="a")):
                unit.roles.add(role)
            with pytest.raises(ExistsError):
                unit.roles.add(replace(desk, kind="admin"))
        with stores.read() as unit:
            assert unit.roles.get(ACCOUNT, "desk") == desk
            assert unit.roles.get(OTHER, "desk") == other
            assert [role.name for role in unit.roles.page(ACCOUNT, "", 9)] == ["a", "desk"]
            assert [role.name for role in unit.roles.page(ACCOUNT, "a", 1)] == ["desk"]
        with stores.write() as unit:
            unit.roles.change(replace(desk, kind="admin", trusted=()))
            unit.roles.remove(OTHER, "desk", NOON)
            for use in (
                lambda: unit.roles.get(OTHER, "desk"),
                lambda: unit.roles.change(other),
                lambda: unit.roles.remove(OTHER, "desk", NOON),
            ):
                with pytest.raises(NotFoundError):
                    use()
        with stores.read() as unit:
            assert unit.roles.get(ACCOUNT, "desk") == replace(desk, kind="admin", trusted=())

    def test_what_keys_stand_for_and_how_they_end(self, stores: Stores) -> None:
        later = NOON + dt.timedelta(hours=1)
        assumed = Assumed("desk", "me", "AKIA1", "b17", {"case": "7"}, ("case",), {"purpose": ("theft",)})
        made = [AccessKey("AKIA1", ACCOUNT, "owner", "hush", NOON)]
        for number, parent in ((1, "AKIA1"), (2, "ASIA1"), (3, "AKIA0"), (4, "ASIA3")):
            role = replace(assumed, parent=parent, role="desk" if number < 3 else "field")
            made.append(AccessKey(f"ASIA{number}", ACCOUNT, "operator", "hush", NOON, later, "ab" * 32, assumed=role))
        with stores.write() as unit:
            unit.roles.add(Role(ACCOUNT, "field", "operator", NOON))
            for key in made:
                unit.keys.add(key)
        with stores.write() as unit:
            assert [unit.keys.get(key.id) for key in made] == made
            assert [key.assumed for key in unit.keys.list()] == [None] * len(made)
            unit.keys.revoke("ASIA2", NOON)
            unit.keys.revoke("AKIA1", later)
            assert [unit.keys.get(key.id).revoked for key in made] == [later, later, NOON, None, None]
            unit.roles.remove(ACCOUNT, "field", later)
            assert [unit.keys.get(key.id).revoked for key in made] == [later, later, NOON, later, later]

    def test_records(self, stores: Stores) -> None:
        events = [make_event(number) for number in range(5)]
        with stores.write() as unit:
            assert (unit.records.count(), unit.records.tail(3)) == (0, [])
            for event in events:
                unit.records.append(event)
        with stores.read() as unit:
            assert unit.records.count() == 5
            assert unit.records.tail(3) == events[:1:-1]
            assert unit.records.tail(9) == events[::-1]

    # Units

    def test_an_exception_undoes_the_unit_and_passes_on(
        self, stores: Stores, people: Collection, vectors: Floats
    ) -> None:
        probe = Embedding(make_vectors(1, seed=9)[0], MODEL)
        with pytest.raises(ZeroDivisionError), stores.write() as unit:  # noqa: PT012
            unit.faces.add(people, "image", None, [NewFace("new", Box(0, 0, 1, 1), 1.0, probe)])
            unit.faces.delete(people, ["face-00003"])
            assert [face.id for face, _ in unit.faces.search(people, probe, 1, 0.9)] == ["new"]
            unit.records.append(make_event(0))
            raise ZeroDivisionError
        other = Embedding(make_vectors(1, seed=10)[0], MODEL)
        with stores.write() as unit:  # takes the sequences that the unit undone had dealt
            unit.faces.add(people, "image", None, [NewFace("other", Box(0, 0, 1, 1), 1.0, other)])
        for view in (stores.read, stores.write):
            with view() as unit:
                assert unit.faces.search(people, probe, 1, 0.9) == []
                assert [face.id for face, _ in unit.faces.search(people, other, 1, 0.9)] == ["other"]
                known = Embedding(vectors[3], MODEL)
                assert unit.faces.search(people, known, 1, 0.9)[0][0].id == "face-00003"
                assert (unit.records.count(), unit.collections.get(ACCOUNT, "people").face_count) == (0, 41)

    def test_a_collection_of_an_undone_unit_leaves_nothing(self, stores: Stores) -> None:
        first, second = make_vectors(2, seed=1, per_person=1)
        with pytest.raises(ZeroDivisionError), stores.write() as unit:  # noqa: PT012
            ghost = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
            unit.faces.add(ghost, "image", None, make_faces(first[None], "ghost"))
            assert unit.faces.search(ghost, Embedding(first, MODEL), 5, 0.9)
            raise ZeroDivisionError
        with stores.write() as unit:
            people = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
            unit.faces.add(people, "image", None, make_faces(second[None], "real"))
        with stores.read() as unit:
            found = unit.faces.search(people, Embedding(first, MODEL), 5, -1.0)
            assert [face.id for face, _ in found] == ["real-00000"]

    def test_a_read_unit_is_a_snapshot_and_refuses_writes(self, stores: Stores, people: Collection) -> None:
        first, second = make_faces(make_vectors(2, seed=1))
        with stores.write() as unit:
            unit.faces.add(people, "image", None, [first])
        with stores.read() as old:
            assert old.collections.get(ACCOUNT, "people").face_count == 1
            with stores.write() as unit:
                unit.faces.add(people, "image", None, [second])
                unit.faces.delete(people, [first.id])
            with stores.read() as new:
                assert [face.id for face, _ in new.faces.search(people, first.embedding, 5, -1.0)] == [second.id]
            assert [face.id for face, _ in old.faces.search(people, first.embedding, 5, -1.0)] == [first.id]
            with pytest.raises(StoreError):
                old.tags.put(ARN + "a", {"k": "v"})

    def test_a_closed_store_refuses(self, stores: Stores) -> None:
        stores.close()
        stores.close()
        for view in (stores.read, stores.write):
            with pytest.raises(StoreError), view():
                pass

    def test_all_is_there_after_reopening(
        self, stores: Stores, people: Collection, vectors: Floats, reopen: Callable[[], Stores]
    ) -> None:
        key = AccessKey("AKIA1", ACCOUNT, "admin", "hush", NOON)
        with stores.write() as unit:
            unit.users.create(people, "ann")
            unit.users.associate(people, "ann", ["face-00002"])
            unit.faces.delete(people, ["face-00001"])
            unit.tags.put(ARN + "people", {"k": "v"})
            unit.tokens.keep(ACCOUNT, "StartX", "token", "digest", {"a": 1})
            unit.keys.add(key)
            unit.records.append(make_event(1))

        def look(unit: Unit) -> list[object]:
            probe = Embedding(vectors[2], MODEL)
            return [
                unit.collections.page(ACCOUNT, "", 9),
                unit.faces.page(people, 0, 99),
                unit.faces.search(people, probe, 99, -1.0),
                unit.users.search(people, probe, 99, -1.0),
                unit.tags.of(ARN + "people"),
                unit.tokens.seen(ACCOUNT, "StartX", "token"),
                unit.keys.get("AKIA1"),
                unit.records.tail(9),
            ]

        with stores.read() as unit:
            before = look(unit)
        with reopen().read() as unit:
            assert look(unit) == before

    def test_threads_enrol_and_search_at_once(self, stores: Stores, people: Collection) -> None:
        """Each of eight threads finds each of its faces as soon as it is acknowledged, and none it has deleted."""

        def work(thread: int) -> None:
            new = make_faces(make_vectors(25, seed=thread, per_person=1), f"thread-{thread}")
            for number, face in enumerate(new):
                with stores.write() as unit:
                    unit.faces.add(people, "image", None, [face])
                with stores.read() as unit:
                    assert unit.faces.search(people, face.embedding, 1, 0.99)[0][0].id == face.id
                if number % 3 == 0:
                    with stores.write() as unit:
                        unit.faces.delete(people, [face.id])
                        assert unit.faces.search(people, face.embedding, 1, 0.99) == []
                    with stores.read() as unit:
                        assert unit.faces.search(people, face.embedding, 1, 0.99) == []

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(8)))
        with stores.read() as unit:
            faces = unit.faces.page(people, 0, 999)
            assert len(faces) == unit.collections.get(ACCOUNT, "people").face_count == 8 * 16
