# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError


def test_a_key_is_shown_once_and_listed_without_its_secret(told: Callable[..., Any], home: Path) -> None:
    made = told("keys", "create", "--label", "laptop")
    listed = told("keys", "list")["keys"]
    assert [(key["id"], key["state"], key["label"]) for key in listed] == [
        (made["aws_access_key_id"], "good", "laptop")
    ]
    everything = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert made["aws_access_key_id"].encode() in everything
    assert made["aws_secret_access_key"].encode() not in everything


def test_what_is_printed_is_a_credentials_file(overt: Callable[..., Any], home: Path) -> None:
    lines = overt("keys", "create", "--hours", "1", "--home", home).stdout.splitlines()
    assert lines[0] == "[default]"
    names = [line.split(" = ")[0] for line in lines[1:]]
    assert names == ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"]


def test_a_revoked_key_opens_nothing_from_that_moment(
    start_server: Callable[..., Any], told: Callable[..., Any], overt: Callable[..., Any], home: Path
) -> None:
    made = told("keys", "create")
    server = start_server(home)
    client = server.client(
        aws_access_key_id=made["aws_access_key_id"], aws_secret_access_key=made["aws_secret_access_key"]
    )
    client.list_collections()
    told("keys", "revoke", made["aws_access_key_id"])
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        client.list_collections()
    assert overt("keys", "revoke", "nobody", "--home", home).returncode == 1


def test_a_key_may_be_of_another_role(told: Callable[..., Any], overt: Callable[..., Any], home: Path) -> None:
    assert told("keys", "create", "--role", "auditor")["role"] == "auditor"
    assert [key["role"] for key in told("keys", "list")["keys"]] == ["auditor"]
    done = overt("keys", "create", "--role", "root", "--home", home)
    assert done.returncode == 1
    assert "a role is one of owner, admin" in done.stderr


@pytest.mark.parametrize("account", ["12", "abcdefghijkl", "\uff11" * 12])
def test_an_account_is_twelve_digits(overt: Callable[..., Any], home: Path, account: str) -> None:
    done = overt("keys", "create", "--account", account, "--home", home)
    assert done.returncode == 1
    assert "twelve digits" in done.stderr
