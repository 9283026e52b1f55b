# SPDX-License-Identifier: Apache-2.0
"""Group commit: who shares a commit, and who is told when it fails."""

from __future__ import annotations

import resource
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event

from overt.stores.base import StoreError
from overt.stores.sqlite import open_engines
from overt.stores.writer import GroupWriter


class Bench:
    """A writer over one table of numbers, and the transaction statements it sends."""

    def __init__(self, engine: Engine) -> None:
        self.connection = engine.connect()
        self.connection.exec_driver_sql("CREATE TABLE numbers (number INTEGER)")
        self.statements: list[str] = []
        event.listen(engine, "before_cursor_execute", self._note)
        self.writer = GroupWriter(self.connection)

    def _note(self, _connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        if statement in {"COMMIT", "ROLLBACK"}:
            self.statements.append(statement)

    def insert(self, number: int) -> None:
        with self.writer.unit() as connection:
            connection.exec_driver_sql("INSERT INTO numbers VALUES (?)", (number,))


@pytest.fixture
def engines(url: str) -> Iterator[tuple[Engine, Engine]]:
    engines = open_engines(url)
    yield engines
    for engine in engines:
        engine.dispose()


@pytest.fixture
def bench(engines: tuple[Engine, Engine]) -> Iterator[Bench]:
    bench = Bench(engines[0])
    yield bench
    bench.writer.close()


def numbers(engines: tuple[Engine, Engine]) -> list[int]:
    """What another connection sees, so what is committed."""
    with engines[1].connect() as connection:
        return list(connection.exec_driver_sql("SELECT number FROM numbers ORDER BY number").scalars())


@contextmanager
def line_up(bench: Bench, count: int) -> Iterator[list[threading.Thread]]:
    """Hold the turn until `count` threads that the block starts stand in line."""
    threads: list[threading.Thread] = []
    with bench.writer._turn:
        yield threads
        for thread in threads:
            thread.start()
        while bench.writer._in_line < count:
            threading.Event().wait(0.001)
    for thread in threads:
        thread.join()


@contextmanager
def full_disk(file: Path) -> Iterator[None]:
    """Let no file of this process grow beyond a file's present size: the kernel then refuses as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_lone_unit_commits_at_once(bench: Bench, engines: tuple[Engine, Engine]) -> None:
    bench.insert(1)
    assert (numbers(engines), bench.statements) == ([1], ["COMMIT"])


def test_a_line_shares_one_commit(bench: Bench, engines: tuple[Engine, Engine]) -> None:
    with line_up(bench, 8) as threads:
        threads += [threading.Thread(target=bench.insert, args=(number,)) for number in range(8)]
    assert (numbers(engines), bench.statements) == (list(range(8)), ["COMMIT"])


def test_eight_busy_threads_need_fewer_commits_than_units(bench: Bench, engines: tuple[Engine, Engine]) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(bench.insert, range(400)))
    assert numbers(engines) == list(range(400))
    assert bench.statements.count("COMMIT") < 200


def test_a_failing_unit_takes_nobody_with_it(bench: Bench, engines: tuple[Engine, Engine]) -> None:
    failures: list[Exception] = []

    def fail(number: int) -> None:
        try:
            with bench.writer.unit() as connection:
                connection.exec_driver_sql("INSERT INTO numbers VALUES (?)", (number,))
                raise ZeroDivisionError  # noqa: TRY301
        except ZeroDivisionError as error:
            failures.append(error)

    with line_up(bench, 8) as threads:
        for number in range(8):
            threads.append(threading.Thread(target=fail if number % 2 else bench.insert, args=(number,)))
    assert (numbers(engines), len(failures), bench.statements) == ([0, 2, 4, 6], 4, ["COMMIT"])


def test_a_unit_that_fails_alone_ends_its_transaction(bench: Bench) -> None:
    with pytest.raises(ZeroDivisionError), bench.writer.unit():
        raise ZeroDivisionError
    assert bench.statements == ["ROLLBACK"]


def test_a_failed_commit_is_everybodys(bench: Bench, engines: tuple[Engine, Engine], tmp_path: Path) -> None:
    errors: list[str] = []

    def insert(number: int) -> None:
        try:
            bench.insert(number)
        except StoreError as error:
            errors.append(str(error))

    bench.insert(100)
    bench.statements.clear()
    with full_disk(tmp_path / "overt.db-wal"), line_up(bench, 8) as threads:
        threads += [threading.Thread(target=insert, args=(number,)) for number in range(8)]
    assert bench.statements[0] == "COMMIT"
    assert len(errors) == 8
    assert all("nothing was written" in error for error in errors)
    assert numbers(engines) == [100]
    bench.insert(101)
    assert numbers(engines) == [100, 101]


def test_a_lost_transaction_is_everybodys(bench: Bench, engines: tuple[Engine, Engine]) -> None:
    """SQLite may give up the whole transaction inside one unit; here the unit does so itself."""
    errors: list[str] = []

    def insert() -> None:
        try:
            bench.insert(1)
        except StoreError as error:
            errors.append(str(error))

    def lose() -> None:
        with pytest.raises(ZeroDivisionError), bench.writer.unit() as connection:  # noqa: PT012
            connection.exec_driver_sql("ROLLBACK")
            raise ZeroDivisionError

    joined = threading.Thread(target=insert)
    with bench.writer._turn:
        joined.start()
        while bench.writer._in_line < 1:
            threading.Event().wait(0.001)
        bench.writer._in_line += 1  # as if the one that loses stood in line already
    while bench.writer._group is None or bench.writer._group.members < 1:
        threading.Event().wait(0.001)
    bench.writer._in_line -= 1
    lose()
    joined.join()
    assert len(errors) == 1
    bench.insert(2)
    assert numbers(engines) == [2]


def once(bench: Bench, statement: str, error: BaseException) -> None:
    """The next time that statement is sent, it fails so before SQLite has seen it."""

    def fail(_connection: Connection, _cursor: object, sent: str, *_rest: object) -> None:
        if sent == statement:
            event.remove(bench.connection.engine, "before_cursor_execute", fail)
            raise error

    event.listen(bench.connection.engine, "before_cursor_execute", fail)


def test_an_interrupted_commit_acknowledges_nobody(bench: Bench, engines: tuple[Engine, Engine]) -> None:
    told: list[str] = []

    def insert(number: int) -> None:
        try:
            bench.insert(number)
        except (StoreError, KeyboardInterrupt) as error:
            told.append(type(error).__name__)

    once(bench, "COMMIT", KeyboardInterrupt())
    with line_up(bench, 3) as threads:
        threads += [threading.Thread(target=insert, args=(number,)) for number in range(3)]
    assert sorted(told) == ["KeyboardInterrupt", "StoreError", "StoreError"]
    assert numbers(engines) == []
    bench.insert(7)
    assert numbers(engines) == [7]


def test_an_interrupted_statement_undoes_its_unit_and_writing_goes_on(
    bench: Bench, engines: tuple[Engine, Engine]
) -> None:
    bench.insert(1)
    once(bench, "INSERT INTO numbers VALUES (?)", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        bench.insert(2)
    bench.insert(3)
    assert numbers(engines) == [1, 3]


def test_a_unit_that_cannot_be_undone_takes_its_group_with_it(bench: Bench, engines: tuple[Engine, Engine]) -> None:
    """Or half of what it did would be committed with the others."""
    told: list[str] = []

    def insert(number: int) -> None:
        try:
            with bench.writer.unit() as connection:
                connection.exec_driver_sql("INSERT INTO numbers VALUES (?)", (number,))
                if number == 1:
                    raise ZeroDivisionError  # noqa: TRY301
        except (StoreError, ZeroDivisionError) as error:
            told.append(type(error).__name__)

    once(bench, "ROLLBACK TO unit", StoreError("input/output error"))
    first, second = (threading.Thread(target=insert, args=(number,)) for number in range(2))
    with bench.writer._turn:
        first.start()
        while bench.writer._in_line < 1:
            threading.Event().wait(0.001)
        bench.writer._in_line += 1  # as if the second stood in line already
    while bench.writer._group is None or bench.writer._group.members < 1:
        threading.Event().wait(0.001)
    bench.writer._in_line -= 1
    second.start()
    for each in (first, second):
        each.join()
    assert sorted(told) == ["StoreError", "ZeroDivisionError"]
    assert numbers(engines) == []
    bench.insert(7)
    assert numbers(engines) == [7]


def test_a_unit_inside_a_unit_is_refused(bench: Bench, engines: tuple[Engine, Engine]) -> None:
    with bench.writer.unit():
        with pytest.raises(StoreError, match="already"), bench.writer.unit():
            pytest.fail("the inner unit must not begin")
        with pytest.raises(StoreError, match="already"):
            bench.writer.close()
    bench.insert(1)
    assert numbers(engines) == [1]


def test_a_group_whose_last_in_line_was_interrupted_is_committed(
    bench: Bench, engines: tuple[Engine, Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("overt.stores.writer._ORPHAN_SECONDS", 0.01)
    bench.writer._in_line += 1  # one who stands in line and never takes the turn
    bench.insert(1)
    assert numbers(engines) == [1]


def test_a_file_locked_by_another_is_refused_in_words(bench: Bench, url: str) -> None:
    bench.connection.exec_driver_sql("PRAGMA busy_timeout=20")
    others = open_engines(url)
    with others[0].connect() as locker:
        locker.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked"):
            bench.insert(1)
        locker.exec_driver_sql("ROLLBACK")
    for engine in others:
        engine.dispose()
    bench.insert(1)
