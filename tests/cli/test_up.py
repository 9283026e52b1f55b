# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from postgresql_server import PASSWORD


def test_it_says_where_it_is_and_ends_when_told_to(home: Path) -> None:
    command = [sys.executable, "-m", "overt", "up", "--port", "0", "--home", str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        lines = [process.stdout.readline() for _ in range(5)]
        process.terminate()
        assert process.wait(timeout=15) == 0
        log = process.stderr.read()
    assert re.fullmatch(r"ready http://127\.0\.0\.1:\d+\n", lines[0])
    assert f"  export AWS_SHARED_CREDENTIALS_FILE={home / 'credentials'}\n" in lines
    assert (home / "credentials").stat().st_mode & 0o777 == 0o600
    secret = re.search(r"aws_secret_access_key = (\S+)", (home / "credentials").read_text()).group(1)
    assert secret not in "".join(lines) + log


def test_the_owner_s_key_lasts_over_a_restart_and_is_made_anew_when_revoked(
    start_server: Callable[..., Any], told: Callable[..., Any], home: Path
) -> None:
    first = start_server(home)
    first.stop()
    second = start_server(home)
    assert first.key_id == second.key_id
    assert first.secret == second.secret
    told("keys", "revoke", first.key_id)
    second.stop()
    third = start_server(home)
    assert third.key_id != first.key_id
    third.client().list_collections()


def test_a_second_server_on_one_home_is_refused_by_name(
    start_server: Callable[..., Any], overt: Callable[..., Any], told: Callable[..., Any], home: Path
) -> None:
    server = start_server(home)
    done = overt("up", "--port", "0", "--home", home)
    assert done.returncode == 1
    assert f"a server is at work on {home} already (process {server.process.pid})" in done.stderr
    told("collections", "create", "people")  # commands beside the server go on working
    assert server.client().list_collections()["CollectionIds"] == ["people"]


def test_a_killed_server_leaves_no_lock(start_server: Callable[..., Any], photos: Path, home: Path) -> None:
    server = start_server(home)
    server.client().detect_faces(Image={"Bytes": (photos / "obama.jpg").read_bytes()})  # its children are there too
    server.process.kill()
    server.process.wait()
    start_server(home).client().list_collections()


def test_a_port_in_use_is_told(overt: Callable[..., Any], home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = overt("up", "--port", str(taken.getsockname()[1]), "--home", home)
    assert done.returncode == 1
    assert "cannot listen on 127.0.0.1" in done.stderr
    assert "--port" in done.stderr


def test_two_servers_share_a_postgresql_database(
    start_server: Callable[..., Any], overt: Callable[..., Any], postgresql_url: str, tmp_path: Path
) -> None:
    homes = [tmp_path / "one", tmp_path / "two"]
    first = start_server(homes[0], OVERT_STORE=postgresql_url)
    homes[1].mkdir()
    shutil.copy2(homes[0] / "master.key", homes[1])
    second = start_server(homes[1], OVERT_STORE=postgresql_url)
    first.client().create_collection(CollectionId="people")
    assert second.client().list_collections()["CollectionIds"] == ["people"]
    assert second.client(aws_access_key_id=first.key_id, aws_secret_access_key=first.secret).delete_collection(
        CollectionId="people"
    )
    assert first.client().list_collections()["CollectionIds"] == []
    assert not any((home / "overt.db").exists() for home in homes)
    done = overt("doctor", "--home", homes[1], "--json", OVERT_STORE=postgresql_url)
    findings = {finding["subject"]: finding["told"] for finding in json.loads(done.stdout)["findings"]}
    assert re.fullmatch(r"postgresql://overt@127\.0\.0\.1:\d+/\w+, PostgreSQL [\d.]+, [\d.]+ MB", findings["database"])
    shown = overt("config", "show", "--home", homes[1], OVERT_STORE=postgresql_url)
    logs = [(tmp_path / f"{home.name}.log").read_text() for home in homes]
    assert "postgresql://overt@127.0.0.1" in shown.stdout
    assert PASSWORD not in "".join([done.stdout, done.stderr, shown.stdout, shown.stderr, *logs])


def test_a_server_with_another_master_key_says_so(
    start_server: Callable[..., Any], overt: Callable[..., Any], postgresql_url: str, tmp_path: Path
) -> None:
    first = start_server(tmp_path / "one", OVERT_STORE=postgresql_url)
    start_server(tmp_path / "two", OVERT_STORE=postgresql_url)
    log = (tmp_path / "two.log").read_text()
    assert f'"key": "{first.key_id}"' in log
    assert "master.key" in log
    done = overt("doctor", "--home", tmp_path / "two", OVERT_STORE=postgresql_url)
    assert done.returncode == 1
    assert "BAD  access keys: 1 were made with another master key" in done.stdout


def test_a_database_that_cannot_be_reached_is_told_without_its_password(overt: Callable[..., Any], home: Path) -> None:
    done = overt("up", "--port", "0", "--home", home, "--store", f"postgresql://overt:{PASSWORD}@127.0.0.1:1/overt")
    assert done.returncode == 1
    assert "127.0.0.1" in done.stderr
    assert PASSWORD not in done.stderr + done.stdout
