# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


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
    first, second = start_server(home), start_server(home)
    assert first.key_id == second.key_id
    assert first.secret == second.secret
    told("keys", "revoke", first.key_id)
    third = start_server(home)
    assert third.key_id != first.key_id
    third.client().list_collections()


def test_a_port_in_use_is_told(overt: Callable[..., Any], home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = overt("up", "--port", str(taken.getsockname()[1]), "--home", home)
    assert done.returncode == 1
    assert "cannot listen on 127.0.0.1" in done.stderr
    assert "--port" in done.stderr
