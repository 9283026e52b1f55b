# SPDX-License-Identifier: Apache-2.0
"""From AssumeRole to a call of Rekognition, with boto3 unchanged."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

TAGS = {"case": "2026-17", "purpose": "missing person", "legalBasis": "RCW 43.386", "team": "north"}


class Roles:
    """Makes roles of a server, each under a name of its own, and assumes them."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.made: list[str] = []
        self.ours = server.client_of("overt")

    def make(self, kind: str = "operator", **terms: Any) -> str:
        name = f"r-{uuid.uuid4().hex[:8]}"
        self.made.append(name)
        return str(self.ours.create_role(RoleName=name, Kind=kind, **terms)["Role"]["Arn"])

    def assume(self, role: str, key: dict[str, str] | None = None, **asked: Any) -> dict[str, str]:
        tags = asked.pop("tags", {})
        credentials = self.server.client_of("sts", **(key or {})).assume_role(
            RoleArn=role,
            RoleSessionName="me",
            Tags=[{"Key": name, "Value": value} for name, value in tags.items()],
            **asked,
        )["Credentials"]
        return {
            "aws_access_key_id": credentials["AccessKeyId"],
            "aws_secret_access_key": credentials["SecretAccessKey"],
            "aws_session_token": credentials["SessionToken"],
        }

    def identity(self, key: dict[str, str], headers: dict[str, str] | None = None) -> dict[str, Any]:
        client = self.server.client_of("overt", **key)
        if headers:
            client.meta.events.register("before-sign", lambda request, **_: _set(request, headers))
        told: dict[str, Any] = client.get_identity()
        return told


def _set(request: Any, headers: dict[str, str]) -> None:
    for name, value in headers.items():
        request.headers[name] = value


@pytest.fixture
def roles(server: Any) -> Iterator[Roles]:
    made = Roles(server)
    yield made
    for name in made.made:
        try:
            made.ours.delete_role(RoleName=name)
        except made.ours.exceptions.ResourceNotFoundException:
            continue


def test_tags_and_source_identity_are_who_calls_and_what_for(roles: Roles, server: Any) -> None:
    key = roles.assume(roles.make(), tags=TAGS, SourceIdentity="badge-17")
    told = roles.identity(key)
    assert told["Intent"] == {
        "Operator": "badge-17",
        "Case": "2026-17",
        "Purpose": "missing person",
        "LegalBasis": "RCW 43.386",
    }
    assert (told["Kind"], told["SessionName"], told["Tags"]) == ("operator", "me", TAGS)
    assert told["Arn"] == f"arn:aws:sts::000000000001:assumed-role/{told['RoleName']}/me"
    assert told["Expiration"] > dt.datetime.now(dt.UTC)
    assert server.client_of("sts", **key).get_caller_identity()["Arn"] == told["Arn"]


def test_a_session_calls_rekognition_and_its_role_s_limits_hold(roles: Roles, server: Any, collection: str) -> None:
    client = server.client(**roles.assume(roles.make(), tags=TAGS))
    assert client.describe_collection(CollectionId=collection)["FaceCount"] == 0
    with pytest.raises(ClientError, match="The role operator may not call DeleteCollection"):
        client.delete_collection(CollectionId=collection)
    auditor = server.client(**roles.assume(roles.make("auditor")))
    with pytest.raises(ClientError, match="The role auditor may not call ListCollections"):
        auditor.list_collections()


def test_a_tester_works_in_its_own_collections_only(roles: Roles, server: Any, collection: str) -> None:
    client = server.client(**roles.assume(roles.make("tester")))
    client.create_collection(CollectionId="tester-own")
    assert client.list_faces(CollectionId="tester-own")["Faces"] == []
    client.delete_collection(CollectionId="tester-own")
    for call in (client.list_faces, client.delete_collection):
        with pytest.raises(ClientError, match="begin with tester-"):
            call(CollectionId=collection)


@pytest.mark.parametrize("part", ["aws_secret_access_key", "aws_session_token"])
def test_a_changed_or_missing_part_of_a_temporary_key_opens_nothing(roles: Roles, server: Any, part: str) -> None:
    key = roles.assume(roles.make())
    last = "A" if key[part][-1] != "A" else "B"
    for value in (key[part][:-1] + last, key[part] + "x"):
        with pytest.raises(ClientError, match=r"UnrecognizedClient|InvalidSignature"):
            server.client(**(key | {part: value})).list_collections()
    del key["aws_session_token"]
    with pytest.raises(ClientError, match="UnrecognizedClient"):
        server.client(**key).list_collections()


def test_signed_headers_say_what_the_session_leaves_open(roles: Roles) -> None:
    key = roles.assume(roles.make(), tags={"case": "7"})
    told = roles.identity(key, {"x-overt-case": "7", "x-overt-purpose": "theft", "x-overt-operator": "b17"})
    assert told["Intent"] == {"Case": "7", "Purpose": "theft", "Operator": "b17"}
    with pytest.raises(ClientError, match=r"AccessDenied.*x-overt-case contradicts the session"):
        roles.identity(key, {"x-overt-case": "8"})


def test_a_header_cannot_say_what_the_role_does_not_allow(roles: Roles) -> None:
    key = roles.assume(roles.make(AllowedValues={"purpose": ["theft"]}))
    assert roles.identity(key, {"x-overt-purpose": "theft"})["Intent"] == {"Purpose": "theft"}
    with pytest.raises(ClientError, match="x-overt-purpose: the role does not allow"):
        roles.identity(key, {"x-overt-purpose": "spying"})


def test_a_header_set_after_signing_is_refused_by_name(roles: Roles, server: Any) -> None:
    client = server.client_of("overt", **roles.assume(roles.make()))
    client.meta.events.register("before-send", lambda request, **_: _set(request, {"x-overt-case": "7"}))
    with pytest.raises(ClientError, match=r"InvalidSignatureException.*x-overt-case is not among SignedHeaders"):
        client.get_identity()


def test_the_owner_s_lasting_key_may_declare_by_header(roles: Roles, server: Any) -> None:
    told = roles.identity({}, {"x-overt-case": "7"})
    assert (told["Kind"], told["KeyId"], told["Intent"]) == ("owner", server.key_id, {"Case": "7"})
    assert "RoleName" not in told


def test_roles_are_chained_with_what_was_said_and_never_for_longer(roles: Roles) -> None:
    first = roles.make(MaxSessionDuration=7200)
    second = roles.make("reviewer", Trusted=[f"role/{roles.made[0]}"])
    key = roles.assume(first, tags=TAGS, SourceIdentity="b17", DurationSeconds=900, TransitiveTagKeys=["team"])
    before, after = roles.identity(key), roles.identity(roles.assume(second, key))
    assert (after["Kind"], after["Intent"], after["Tags"]) == ("reviewer", before["Intent"], TAGS)
    assert after["Expiration"] <= before["Expiration"]
    for asked in ({"SourceIdentity": "b18"}, {"tags": {"case": "8"}}, {"tags": {"team": "south"}}):
        with pytest.raises(ClientError, match="AccessDenied"):
            roles.assume(second, key, **asked)
    with pytest.raises(ClientError, match="AccessDenied"):
        roles.assume(first, key)


def test_a_removed_role_ends_its_sessions_and_those_begun_from_them(roles: Roles, server: Any) -> None:
    first = roles.make()
    second = roles.make(Trusted=[f"role/{roles.made[0]}"])
    key = roles.assume(first)
    chained = roles.assume(second, key)
    roles.ours.delete_role(RoleName=roles.made[0])
    for each in (key, chained):
        with pytest.raises(ClientError, match="UnrecognizedClient"):
            server.client(**each).list_collections()


def test_a_revoked_key_ends_the_sessions_begun_with_it(roles: Roles, server: Any, overt: Callable[..., Any]) -> None:
    made = overt("keys", "create", "--role", "service", "--home", server.home, "--json")
    words = dict(part.split(": ") for part in made.stdout.strip(" {}\n").replace('"', "").split(", "))
    lasting = {name: words[name] for name in ("aws_access_key_id", "aws_secret_access_key")}
    role = roles.make(Trusted=[words["aws_access_key_id"]])
    key = roles.assume(role, lasting)
    server.client(**key).list_collections()
    assert overt("keys", "revoke", words["aws_access_key_id"], "--home", server.home).returncode == 0
    with pytest.raises(ClientError, match="UnrecognizedClient"):
        server.client(**key).list_collections()
