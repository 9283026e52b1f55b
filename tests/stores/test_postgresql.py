# SPDX-License-Identifier: Apache-2.0
"""The contract on a real PostgreSQL, and what only several servers, a crash and a wrong address can show."""

from __future__ import annotations

import datetime as dt
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from postgresql_server import PASSWORD, USER, PostgresqlServer
from sqlalchemy import Connection, event, insert, select

from overt.stores import postgresql as module
from overt.stores import schema
from overt.stores.base import (
    AccessKey,
    ExistsError,
    NotFoundError,
    StoreError,
    Stores,
    UnavailableError,
    UncertainError,
    Unit,
)
from overt.stores.migrations import HEAD
from overt.stores.postgresql import PostgresqlWriter, describe, open_engines
from overt.stores.sql import SqlStores
from overt.stores.vault import Vault
from overt.testing.stores import ACCOUNT, MODEL, NOON, StoreContract, make_event, make_faces, make_vectors
from overt.types import Collection, Person

ARN = f"arn:aws:rekognition:eu-west-1:{ACCOUNT}:collection/people"
PATIENCE = 60  # seconds after which a test is stuck


class TestPostgresql(StoreContract):
    @pytest.fixture
    def stores(self, postgresql_url: str, vault: Vault) -> Iterator[Stores]:
        stores = SqlStores.open(postgresql_url, vault)
        yield stores
        stores.close()

    @pytest.fixture
    def reopen(self, stores: Stores, postgresql_url: str, vault: Vault) -> Iterator[Callable[[], Stores]]:
        opened: list[SqlStores] = []

        def again() -> Stores:
            stores.close()
            opened.append(SqlStores.open(postgresql_url, vault))
            return opened[-1]

        yield again
        for each in opened:
            each.close()


@pytest.fixture
def servers(postgresql_url: str, vault: Vault) -> Iterator[list[SqlStores]]:
    """Two stores on one database, as two servers have."""
    opened = [SqlStores.open(postgresql_url, vault) for _ in range(2)]
    yield opened
    for each in opened:
        each.close()


@pytest.fixture
def stores(servers: list[SqlStores]) -> SqlStores:
    return servers[0]


@pytest.fixture
def people(stores: SqlStores) -> Collection:
    with stores.write() as unit:
        return unit.collections.create(ACCOUNT, "people", MODEL, NOON)


def at_once(servers: list[SqlStores], act: Callable[[Unit, int], Any], times: int = 8) -> list[Any]:
    """What each of several threads gets that write at the same moment, half of them through each server."""
    start = threading.Barrier(times)

    def work(number: int) -> Any:
        start.wait(PATIENCE)
        try:
            with servers[number % len(servers)].write() as unit:
                return act(unit, number)
        except Exception as error:  # noqa: BLE001 - the tests look at it
            return error

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(work, range(times)))


# --- several servers ---


def test_two_servers_write_at_once(servers: list[SqlStores], people: Collection) -> None:
    """Each thread of each server finds what it enrolled through the other one, and nothing it deleted."""
    sequences: list[int] = []

    def work(thread: int) -> None:
        mine, other = servers[thread % 2], servers[1 - thread % 2]
        new = make_faces(make_vectors(12, seed=thread, per_person=1), f"thread-{thread}")
        for number, face in enumerate(new):
            with mine.write() as unit:
                (stored,) = unit.faces.add(people, "image", None, [face])
            sequences.append(stored.sequence)
            for each in (other, mine):
                with each.read() as unit:
                    assert unit.faces.search(people, face.embedding, 1, 0.99)[0][0].id == face.id
            if number % 3 == 0:
                with other.write() as unit:
                    unit.faces.delete(people, [face.id])
                    assert unit.faces.search(people, face.embedding, 1, 0.99) == []
                with mine.read() as unit:
                    assert unit.faces.search(people, face.embedding, 1, 0.99) == []

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))
    assert len(set(sequences)) == len(sequences) == 16 * 12
    for each in servers:
        with each.read() as unit:
            faces = unit.faces.page(people, 0, 999)
            assert len(faces) == unit.collections.get(ACCOUNT, "people").face_count == 16 * 8
            assert {face.sequence for face in faces} <= set(sequences)


def test_sequences_are_dealt_in_the_order_of_the_commits(servers: list[SqlStores], people: Collection) -> None:
    """Whoever has seen a head has seen every row up to it: a reader that goes on from there misses nothing."""
    done = threading.Event()
    seen: list[int] = []

    def tail() -> None:
        after = 0
        while True:
            last = done.is_set()
            with servers[0].read() as unit:
                found = [face.sequence for face in unit.faces.page(people, after, 10_000)]
            seen.extend(found)
            after = max([after, *found])
            if last:
                return

    def enrol(thread: int) -> None:
        for face in make_faces(make_vectors(30, seed=thread), f"thread-{thread}"):
            with servers[thread % 2].write() as unit:
                unit.faces.add(people, "image", None, [face])

    reader = threading.Thread(target=tail)
    reader.start()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(enrol, range(8)))
    done.set()
    reader.join()
    assert seen == list(range(1, 8 * 30 + 1))


def test_the_same_face_from_both_is_enrolled_once(servers: list[SqlStores], people: Collection) -> None:
    new = make_faces(make_vectors(3, seed=1))
    got = at_once(servers, lambda unit, number: unit.faces.add(people, f"image-{number}", None, new))
    assert all(stored == got[0] for stored in got)
    with servers[1].read() as unit:
        assert unit.collections.get(ACCOUNT, "people").face_count == 3
        assert [face.sequence for face in unit.faces.page(people, 0, 9)] == [1, 2, 3]


@pytest.mark.parametrize(
    "make",
    [
        lambda unit, people: unit.collections.create(ACCOUNT, "new", MODEL, NOON),
        lambda unit, people: unit.users.create(people, "ann"),
        lambda unit, people: unit.keys.add(AccessKey("AKIA1", ACCOUNT, "admin", "hush", NOON)),
    ],
    ids=["collection", "user", "key"],
)
def test_what_both_make_is_made_once(servers: list[SqlStores], people: Collection, make: Any) -> None:
    got = at_once(servers, lambda unit, _: make(unit, people))
    refused = [error for error in got if isinstance(error, ExistsError)]
    assert len(refused) == 7
    assert sum(isinstance(each, Exception) for each in got) == 7


def test_a_face_is_given_to_one_of_two_users(servers: list[SqlStores], people: Collection) -> None:
    with servers[0].write() as unit:
        unit.faces.add(people, "image", None, make_faces(make_vectors(2, seed=1)))
        for number in range(8):
            unit.users.create(people, f"user-{number}")
    got = at_once(servers, lambda unit, number: unit.users.associate(people, f"user-{number}", ["face-00000"]))
    assert sum(isinstance(each, Person) for each in got) == 1
    assert sum(type(each) is StoreError and "another user" in str(each) for each in got) == 7
    with servers[1].read() as unit:
        owner = unit.faces.get(people, ["face-00000"])["face-00000"].user_id
        assert [user.id for user in unit.users.page(people, "", 9) if user.face_count] == [owner]


def test_a_user_grows_by_what_both_give_it(servers: list[SqlStores], people: Collection) -> None:
    with servers[0].write() as unit:
        unit.faces.add(people, "image", None, make_faces(make_vectors(8, seed=1)))
        unit.users.create(people, "ann")
    at_once(servers, lambda unit, number: unit.users.associate(people, "ann", [f"face-{number:05d}"]))
    with servers[1].read() as unit:
        assert unit.users.get(people, "ann") == Person("ann", "ACTIVE", 8)


def test_faces_for_a_collection_that_the_other_deletes_are_refused_or_gone(
    servers: list[SqlStores], people: Collection
) -> None:
    def act(unit: Unit, number: int) -> None:
        if number == 0:
            unit.collections.delete(ACCOUNT, "people")
        else:
            unit.faces.add(people, "image", None, make_faces(make_vectors(5, seed=number), f"thread-{number}"))

    got = at_once(servers, act)
    assert got[0] is None
    assert all(each is None or isinstance(each, NotFoundError) for each in got)
    with servers[0].writing.connect() as connection:
        assert connection.execute(select(schema.faces.c.id)).all() == []


def test_a_token_that_comes_to_both_is_acted_on_once(servers: list[SqlStores]) -> None:
    acted: list[int] = []

    def once(unit: Unit, number: int) -> object:
        before = unit.tokens.seen(ACCOUNT, "StartX", "token")
        if before is None:
            acted.append(number)
            unit.tokens.keep(ACCOUNT, "StartX", "token", "digest", {"by": number})
            return {"by": number}
        return before[1]

    assert at_once(servers, once) == [{"by": acted[0]}] * 8
    assert len(acted) == 1


def test_old_tokens_are_dropped_by_many_at_once(postgresql_url: str, vault: Vault) -> None:
    now = [NOON]
    servers = [SqlStores.open(postgresql_url, vault, clock=lambda: now[0]) for _ in range(2)]
    with servers[0].write() as unit:
        for number in range(50):
            unit.tokens.keep(ACCOUNT, "StartX", f"old-{number}", "digest", {})
    now[0] += dt.timedelta(days=8)
    got = at_once(servers, lambda unit, number: unit.tokens.keep(ACCOUNT, "StartX", f"old-{number}", "digest", {}))
    assert got == [None] * 8
    with servers[0].read() as unit:
        kept = [unit.tokens.seen(ACCOUNT, "StartX", f"old-{number}") for number in range(8)]
        assert kept == [("digest", {})] * 8
    for each in servers:
        each.close()


def test_tags_set_by_both_are_one_of_theirs(servers: list[SqlStores]) -> None:
    names = [f"key-{number}" for number in range(20)]

    def put(unit: Unit, number: int) -> None:
        ordered = names if number % 2 else names[::-1]
        unit.tags.put(ARN, dict.fromkeys(ordered, str(number)))

    assert at_once(servers, put) == [None] * 8
    with servers[0].read() as unit:
        assert len(set(unit.tags.of(ARN).values())) == 1
        assert len(unit.tags.of(ARN)) == 20


def test_a_key_revoked_by_both_keeps_its_first_date(servers: list[SqlStores]) -> None:
    with servers[0].write() as unit:
        unit.keys.add(AccessKey("AKIA1", ACCOUNT, "admin", "hush", NOON))
    dates: list[dt.datetime | None] = []

    def revoke(unit: Unit, number: int) -> None:
        unit.keys.revoke("AKIA1", NOON + dt.timedelta(days=number))
        dates.append(unit.keys.get("AKIA1").revoked)

    assert at_once(servers, revoke) == [None] * 8
    assert len(set(dates)) == 1


def test_servers_may_start_at_once_on_a_new_database(postgresql: PostgresqlServer, vault: Vault) -> None:
    name = postgresql.create()
    with ThreadPoolExecutor(6) as pool:
        opened = list(pool.map(lambda _: SqlStores.open(postgresql.url(name), vault), range(6)))
    for number, stores in enumerate(opened):
        with stores.write() as unit:
            unit.records.append(make_event(number))
    with opened[0].read() as unit:
        assert unit.records.count() == 6
    for stores in opened:
        stores.close()
    assert postgresql.execute("SELECT version_num FROM alembic_version", name) == [(HEAD,)]
    postgresql.drop(name)


def test_text_is_ordered_by_code_point_whatever_the_database_does(stores: SqlStores) -> None:
    with stores.reading.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT table_name, column_name, collation_name FROM information_schema.columns "
            "WHERE table_schema = current_schema() AND data_type = 'character varying' "
            "AND table_name <> 'alembic_version'"
        ).all()
    assert len(rows) > 20
    assert {row.collation_name for row in rows} == {"C"}


def test_numbers_have_64_bits(stores: SqlStores) -> None:
    with stores.reading.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = current_schema() AND data_type = 'integer'"
        ).all()
    assert [tuple(row) for row in rows] == [("collections", "dimension")]


# --- what a session is told ---


def test_sessions_are_durable_and_readers_cannot_write(
    postgresql: PostgresqlServer, postgresql_url: str, vault: Vault
) -> None:
    name = postgresql_url.rsplit("/", 1)[1]
    postgresql.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    stores = SqlStores.open(postgresql_url, vault)
    names = ("synchronous_commit", "transaction_isolation", "transaction_read_only", "application_name")
    told = {}
    for engine in (stores.writing, stores.reading):
        with engine.connect() as connection:
            told[engine] = [connection.exec_driver_sql(f"SHOW {each}").scalar() for each in names]
    assert told[stores.writing] == ["on", "read committed", "off", "overt"]
    assert told[stores.reading] == ["on", "repeatable read", "on", "overt"]
    with stores.reading.connect() as connection, pytest.raises(StoreError, match="read-only"):
        connection.exec_driver_sql("DELETE FROM records")
    stores.close()


def test_a_urls_own_options_stay(postgresql_url: str) -> None:
    writing, reading = open_engines(f"{postgresql_url}?options=-csearch_path%3Dpg_catalog&application_name=ours")
    with writing.connect() as connection:
        told = [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in ("search_path", "application_name")]
    assert told == ["pg_catalog", "ours"]
    writing.dispose()
    reading.dispose()


def test_a_database_of_another_encoding_is_refused(postgresql: PostgresqlServer, vault: Vault) -> None:
    name = postgresql.create(options="ENCODING 'SQL_ASCII'")
    with pytest.raises(StoreError, match="UTF8"):
        SqlStores.open(postgresql.url(name), vault)
    postgresql.drop(name)


def test_the_server_is_described(postgresql_url: str) -> None:
    fine, told = describe(postgresql_url)
    assert fine
    assert told.startswith("PostgreSQL ")


# --- units ---


def test_a_unit_inside_a_unit_is_refused(stores: SqlStores) -> None:
    with stores.write() as unit:
        with pytest.raises(StoreError, match="already"), stores.write():
            pytest.fail("the inner unit must not begin")
        with pytest.raises(StoreError, match="already"):
            stores.close()
        unit.records.append(make_event(1))
    with stores.read() as unit:
        assert unit.records.count() == 1


def test_closing_waits_for_the_units_under_way(postgresql_url: str) -> None:
    engines = open_engines(postgresql_url)
    writer = PostgresqlWriter(engines[0])
    begun, go_on = threading.Event(), threading.Event()

    def work() -> None:
        with writer.unit() as connection:
            begun.set()
            go_on.wait(PATIENCE)
            connection.execute(insert(schema.tags).values(arn="a", key="k", value="v", resource="r"))

    working = threading.Thread(target=work)
    closing = threading.Thread(target=writer.close)
    working.start()
    begun.wait(PATIENCE)
    closing.start()
    while not writer._closed:
        threading.Event().wait(0.001)
    with pytest.raises(StoreError, match="closed"), writer.unit():
        pass
    assert closing.is_alive()
    go_on.set()
    working.join()
    closing.join()
    with engines[1].connect() as connection:
        assert connection.execute(select(schema.tags.c.value)).scalars().all() == ["v"]
    for engine in engines:
        engine.dispose()


def test_a_unit_whose_failure_was_swallowed_is_not_acknowledged(stores: SqlStores) -> None:
    with pytest.raises(StoreError, match="nothing was written"), stores._writer.unit() as connection:  # noqa: PT012
        connection.execute(insert(schema.tags).values(arn="a", key="k", value="v", resource="r"))
        with pytest.raises(StoreError, match="does not exist"):
            connection.exec_driver_sql("SELECT * FROM nowhere")
    with stores.write() as unit:
        assert unit.tags.of("a") == {}


def test_text_that_postgresql_cannot_hold_is_refused_and_undone(stores: SqlStores, people: Collection) -> None:
    with pytest.raises(StoreError, match="NUL"), stores.write() as unit:  # noqa: PT012
        unit.users.create(people, "ann")
        unit.users.create(people, "a\0b")
    with stores.read() as unit:
        assert unit.users.page(people, "", 9) == []
    with stores.read() as unit, pytest.raises(StoreError, match="NUL"):
        unit.users.get(people, "a\0b")


# --- errors ---


def told(error: BaseException) -> str:
    """All that a log could show of it."""
    return "".join(traceback.format_exception(error))


def test_an_error_quotes_no_row(stores: SqlStores, people: Collection) -> None:
    name = "a-name-to-find"  # not on the lines that fail: a traceback quotes those
    with stores.write() as unit:
        unit.users.create(people, name)
    with pytest.raises(StoreError, match="duplicate key") as caught, stores._writer.unit() as connection:
        connection.execute(insert(schema.users).values(collection=1, id=name, status="CREATED", face_count=0))
    assert name not in told(caught.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"password": "another-password"}, "password authentication failed"),
        ({"user": "nobody"}, "password authentication failed"),
        ({"database": "nowhere"}, '"nowhere" does not exist'),
    ],
)
def test_wrong_credentials_are_told_without_the_password(
    postgresql: PostgresqlServer, vault: Vault, changes: dict[str, str], words: str
) -> None:
    url = postgresql.url(**({"database": "postgres"} | changes))
    with pytest.raises(StoreError, match=words) as caught:
        SqlStores.open(url, vault)
    assert PASSWORD not in told(caught.value)
    assert "another-password" not in told(caught.value)


@pytest.mark.parametrize(
    "place", ["127.0.0.1:1", "localhost:1", "127.0.0.1:99999", "/overt?host=/nowhere", "127.0.0.1:port"]
)
def test_a_server_that_is_not_there_is_told_without_the_password(vault: Vault, place: str) -> None:
    with pytest.raises(StoreError) as caught:
        SqlStores.open(f"postgresql://{USER}:{PASSWORD}@{place}", vault)
    assert PASSWORD not in told(caught.value)


def test_a_password_among_the_parameters_is_refused(vault: Vault) -> None:
    with pytest.raises(StoreError, match="before the @") as caught:
        SqlStores.open(f"postgresql://{USER}@127.0.0.1/overt?password={PASSWORD}", vault)
    assert PASSWORD not in told(caught.value)


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch, postgresql_url: str, vault: Vault) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"overt\[postgresql\]"):
        SqlStores.open(postgresql_url, vault)


def test_a_user_who_may_make_no_tables_is_told(postgresql: PostgresqlServer, vault: Vault) -> None:
    name = postgresql.create()
    postgresql.execute("CREATE ROLE weak LOGIN PASSWORD 'weak'")
    with pytest.raises(StoreError, match="permission denied"):
        SqlStores.open(postgresql.url(name, user="weak", password="weak"), vault)
    postgresql.drop(name)
    postgresql.execute("DROP ROLE weak")


def test_units_that_wait_for_each_other_are_resolved(servers: list[SqlStores]) -> None:
    with servers[0].write() as unit:
        for name in ("a", "b"):
            unit.collections.create(ACCOUNT, name, MODEL, NOON)
    both = threading.Barrier(2)

    def cross(unit: Unit, number: int) -> None:
        unit.collections.get(ACCOUNT, "ab"[number])
        both.wait(PATIENCE)
        unit.collections.get(ACCOUNT, "ba"[number])

    got = at_once(servers, cross, times=2)
    assert sorted(type(each).__name__ for each in got) == ["NoneType", "UnavailableError"]


def test_a_lock_that_never_comes_is_given_up(
    monkeypatch: pytest.MonkeyPatch, stores: SqlStores, people: Collection, postgresql_url: str, vault: Vault
) -> None:
    monkeypatch.setitem(module._SESSION, "lock_timeout", "50ms")
    other = SqlStores.open(postgresql_url, vault)
    with stores.write() as unit:
        unit.collections.get(ACCOUNT, people.id)
        result: list[Any] = at_once([other], lambda unit, _: unit.collections.get(ACCOUNT, people.id), times=1)
    assert isinstance(result[0], UnavailableError)
    with other.write() as unit:
        assert unit.collections.get(ACCOUNT, people.id) == people
    other.close()


def test_connections_are_waited_for_and_then_given_up(
    monkeypatch: pytest.MonkeyPatch, postgresql_url: str, vault: Vault
) -> None:
    for name, value in {"_KEPT": 1, "_FURTHER": 1, "_POOL_SECONDS": 0.05}.items():
        monkeypatch.setattr(module, name, value)
    stores = SqlStores.open(postgresql_url, vault)
    with stores.read(), stores.read():
        with pytest.raises(UnavailableError, match="all 2 connections"), stores.read():
            pass
        with stores.write() as unit:
            unit.records.append(make_event(1))
    with stores.read() as unit:
        assert unit.records.count() == 1
    stores.close()


def test_a_connection_lost_inside_a_unit_undoes_it(postgresql: PostgresqlServer, stores: SqlStores) -> None:
    with pytest.raises(UnavailableError), stores._writer.unit() as connection:  # noqa: PT012
        connection.execute(insert(schema.tags).values(arn="a", key="k", value="v", resource="r"))
        _cut(postgresql, connection)
        connection.execute(select(schema.tags))
    with stores.write() as unit:
        assert unit.tags.of("a") == {}


def test_a_loss_that_was_swallowed_is_not_acknowledged(postgresql: PostgresqlServer, stores: SqlStores) -> None:
    with pytest.raises(StoreError, match="nothing was written"), stores._writer.unit() as connection:  # noqa: PT012
        _cut(postgresql, connection)
        with pytest.raises(UnavailableError):
            connection.execute(select(schema.tags))


def test_a_connection_lost_in_the_commit_leaves_it_unknown(postgresql: PostgresqlServer, stores: SqlStores) -> None:
    def cut(connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        if statement == "COMMIT":
            _cut(postgresql, connection)

    event.listen(stores.writing, "before_cursor_execute", cut)
    with pytest.raises(UncertainError, match="unknown"), stores.write() as unit:
        unit.records.append(make_event(1))
    event.remove(stores.writing, "before_cursor_execute", cut)
    with stores.write() as unit:
        unit.records.append(make_event(2))


def _cut(postgresql: PostgresqlServer, connection: Connection) -> None:
    driver: Any = connection.connection.driver_connection
    postgresql.execute(f"SELECT pg_terminate_backend({driver.info.backend_pid}, 10000)")


# --- a crash ---


class Load:
    """Threads that enrol without pause through both servers, and what was answered to them."""

    def __init__(self, servers: list[SqlStores], people: Collection) -> None:
        self._servers = servers
        self._people = people
        self.phase = 0  # even: PostgreSQL runs; odd: it does not
        self.stop = False
        self.changed = threading.Condition()
        self.acknowledged: list[tuple[int, str]] = []  # (phase when it was, face)
        self.failed: list[tuple[int, int, Exception]] = []  # (phase before, phase after, error)

    def work(self, thread: int) -> None:
        stores = self._servers[thread % 2]
        for face in make_faces(make_vectors(20_000, seed=thread, dimension=8), f"thread-{thread}"):
            if self.stop:
                return
            before = self.phase
            try:
                with stores.write() as unit:
                    unit.faces.add(self._people, "image", None, [face])
            except StoreError as error:
                self._note(self.failed, (before, self.phase, error))
                threading.Event().wait(0.01)
            else:
                self._note(self.acknowledged, (before, face.id))

    def wait_for(self, reached: Callable[[], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(reached, PATIENCE)

    def acknowledged_in(self, phase: int) -> int:
        return sum(each == phase for each, _ in self.acknowledged)

    def _note(self, where: list[Any], what: Any) -> None:
        with self.changed:
            where.append(what)
            self.changed.notify_all()


def test_what_was_acknowledged_survives_postgresqls_death_under_load(
    postgresql: PostgresqlServer, servers: list[SqlStores], people: Collection
) -> None:
    load = Load(servers, people)
    with ThreadPoolExecutor(8) as pool:
        working = [pool.submit(load.work, thread) for thread in range(8)]
        try:
            for _ in range(2):
                phase = load.phase
                load.wait_for(lambda phase=phase: load.acknowledged_in(phase) >= 100)
                load.phase += 1
                postgresql.kill()
                load.wait_for(lambda phase=phase: sum(after > phase for _, after, _ in load.failed) >= 16)
                postgresql.start()
                load.phase += 1
            load.wait_for(lambda: load.acknowledged_in(load.phase) >= 100)
        finally:
            load.stop = True
    for each in working:
        each.result()
    for before, after, error in load.failed:
        assert isinstance(error, UnavailableError | UncertainError)
        assert before != after or before % 2, f"{error} while PostgreSQL was running"
    acknowledged = {face_id for _, face_id in load.acknowledged}
    with servers[0].read() as unit:
        stored = unit.faces.page(people, 0, 10**6)
        assert acknowledged <= {face.id for face in stored}
        assert len(stored) == unit.collections.get(ACCOUNT, "people").face_count
    for each in servers:
        with each.read() as unit:
            probe = unit.faces.embeddings(people, [stored[-1].id])[stored[-1].id]
            hits = unit.faces.search(people, probe, len(stored), -1.0)
            assert {face.id for face, _ in hits} == {face.id for face in stored}
