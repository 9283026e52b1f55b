# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config


@pytest.fixture
def role(server: Any) -> Iterator[str]:
    ours, name = server.client_of("overt"), f"login-{uuid.uuid4().hex[:8]}"
    ours.create_role(RoleName=name, Kind="operator", RequiredTags=["case"])
    yield name
    ours.delete_role(RoleName=name)


@pytest.fixture
def login(overt: Callable[..., Any], server: Any, role: str) -> Callable[..., Any]:
    def run(*arguments: str, home: Path = server.home, **variables: str) -> Any:
        return overt("login", "--role", role, "--home", home, *arguments, "--url", server.url, **variables)

    return run


def key_of(printed: str) -> dict[str, str]:
    lines = [line.removeprefix("export ") for line in printed.splitlines() if line.startswith("export ")]
    return {name.lower(): value.strip("'") for name, value in (line.split("=", 1) for line in lines)}


def test_what_is_printed_makes_a_shell_a_session(login: Callable[..., Any], server: Any, role: str) -> None:
    done = login("--case", "17", "--purpose", "missing person", "--legal-basis", "RCW", "--operator", "b17")
    assert done.returncode == 0, done.stderr
    told = server.client_of("overt", **key_of(done.stdout)).get_identity()
    wanted = {"Case": "17", "Purpose": "missing person", "LegalBasis": "RCW", "Operator": "b17"}
    assert (told["Intent"], told["RoleName"], told["SessionName"]) == (wanted, role, "b17")


def test_a_profile_whose_credential_process_it_is_serves_an_unmodified_sdk(
    server: Any, role: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [sys.executable, "-m", "overt", "login", "--credential-process", "--role", role, "--case", "17"]
    command += ["--home", str(server.home), "--url", server.url]
    config = tmp_path / "config"
    config.write_text(f"[profile case-17]\ncredential_process = {' '.join(command)}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    session = boto3.session.Session(profile_name="case-17", region_name="us-east-1")
    client = session.client("rekognition", endpoint_url=server.url, config=Config(retries={"total_max_attempts": 1}))
    client.list_collections()
    assert session.get_credentials().method == "custom-process"


def test_the_shell_s_own_credentials_can_assume_it_too(login: Callable[..., Any], server: Any, tmp_path: Path) -> None:
    variables = {"AWS_ACCESS_KEY_ID": server.key_id, "AWS_SECRET_ACCESS_KEY": server.secret}
    for home, arguments in ((tmp_path, ()), (server.home, ("--shell",))):
        done = login("--case", "17", "--json", *arguments, home=home, **variables)
        assert json.loads(done.stdout)["Version"] == 1, done.stderr
    wrong = variables | {"AWS_SECRET_ACCESS_KEY": "not the secret"}
    assert login("--case", "17", **wrong).returncode == 0  # the home folder's key comes first
    assert login("--case", "17", "--shell", **wrong).returncode == 1


def test_why_not_is_said_in_the_server_s_words(
    login: Callable[..., Any], server: Any, overt: Callable[..., Any]
) -> None:
    done = login("--purpose", "theft")
    assert done.returncode == 1
    assert "needs the tag case" in done.stderr
    gone = overt("login", "--role", "no-such", "--home", server.home, "--url", server.url)
    assert "not authorized to perform: sts:AssumeRole" in gone.stderr
    assert "KEY=VALUE" in login("--tag", "team").stderr
    nowhere = overt("login", "--role", "x", "--home", server.home, "--url", "http://127.0.0.1:9")
    assert "does a server run there" in nowhere.stderr
