# SPDX-License-Identifier: Apache-2.0
"""`overt login`: assume a role on a running server, for a shell or for AWS's `credential_process`.

Calls the server as any SDK would; knows nothing of its home folder but the owner's credentials file.
"""

from __future__ import annotations

import configparser
import getpass
import json
import os
import re
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from overt import settings
from overt.cli import output
from overt.cli.output import CommandError

_DEFAULT = "default"
_ENDPOINTS = ("AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_REKOGNITION", "AWS_ENDPOINT_URL")
_SHORTEST_NAME = 2


def login(
    role: Annotated[str, typer.Option(help="Name or ARN of the role.")],
    case: Annotated[str | None, typer.Option(help="Number of the case.")] = None,
    purpose: Annotated[str | None, typer.Option(help="What the calls are for.")] = None,
    legal_basis: Annotated[str | None, typer.Option(help="The law that they rest on.")] = None,
    operator: Annotated[str | None, typer.Option(help="The person, like a badge number.")] = None,
    probe_kind: Annotated[
        str | None, typer.Option(help="What probes are: photo, frame, sketch, composite or edited.")
    ] = None,
    authorisation: Annotated[str | None, typer.Option(help="Number of a warrant or an order.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="KEY=VALUE: a further session tag.")] = None,
    session: Annotated[str | None, typer.Option(help="Name of the session [default: the operator, or you].")] = None,
    hours: Annotated[float | None, typer.Option(min=0.25, max=12, help="How long [default: an hour at most].")] = None,
    credential_process: Annotated[
        bool, typer.Option("--credential-process", help="Print what AWS's `credential_process` reads.")
    ] = False,
    url: Annotated[
        str | None, typer.Option(help="The server [default: AWS_ENDPOINT_URL_STS or _REKOGNITION, or this machine's].")
    ] = None,
    profile: Annotated[str | None, typer.Option(help="AWS profile whose key assumes the role.")] = None,
    shell: Annotated[
        bool, typer.Option("--shell", help="Use this shell's AWS credentials, not the home folder's.")
    ] = False,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Assume a role and print its temporary key: `eval "$(overt login --role NAME --case ... --purpose ...)"`.

    What the session says of case and purpose cannot be changed afterwards; log in anew for another case.
    """
    tags = {"case": case, "purpose": purpose, "legalBasis": legal_basis, "probeKind": probe_kind}
    tags |= {"authorisation": authorisation, **dict(map(_tag, tag or ()))}
    name = session or operator or _own_name()
    asked: dict[str, Any] = {
        "RoleSessionName": name,
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items() if value is not None],
    }
    if operator:
        asked["SourceIdentity"] = operator
    if hours is not None:
        asked["DurationSeconds"] = round(hours * 3600)
    key = _assume(_client(home, url, profile, shell=shell), role, asked)
    document = {"Version": 1} | {
        name: key[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")
    }
    document["Expiration"] = key["Expiration"].isoformat()
    if credential_process:
        print(json.dumps(document), flush=True)
        return

    def people() -> None:
        for variable, field in (
            ("AWS_ACCESS_KEY_ID", "AccessKeyId"),
            ("AWS_SECRET_ACCESS_KEY", "SecretAccessKey"),
            ("AWS_SESSION_TOKEN", "SessionToken"),
        ):
            output.line(f"export {variable}={shlex.quote(key[field])}")
        output.line(f"# until {document['Expiration']}")

    output.show(document, people, as_json=as_json)


def _assume(client: Any, role: str, asked: dict[str, Any]) -> dict[str, Any]:
    """The new key. Raises: CommandError in the server's words."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        if not role.startswith("arn:"):
            role = f"arn:aws:iam::{client.get_caller_identity()['Account']}:role/{role}"
        credentials: dict[str, Any] = client.assume_role(RoleArn=role, **asked)["Credentials"]
    except ClientError as error:
        detail = error.response["ResponseMetadata"]["HTTPHeaders"].get("x-overt-detail")
        told = error.response["Error"]["Message"]
        raise CommandError(f"{told}\n       {detail}" if detail else told) from None
    except BotoCoreError as error:
        raise CommandError(f"{error}; does a server run there, and are there credentials?") from None
    return credentials


def _client(home: Path | None, url: str | None, profile: str | None, *, shell: bool) -> Any:
    import boto3
    from botocore.config import Config

    chosen = settings.load(home=home)
    endpoint = url or next((os.environ[name] for name in _ENDPOINTS if os.environ.get(name)), None)
    keys = {} if shell or profile else _owner(chosen.credentials)
    session = boto3.session.Session(profile_name=profile, region_name=chosen.region, **keys)
    return session.client(
        "sts",
        endpoint_url=endpoint or f"http://{chosen.host}:{chosen.port}",
        config=Config(retries={"mode": "standard"}),
    )


def _owner(file: Path) -> dict[str, Any]:
    """The home folder's key; none where there is no such file, and then the shell's is used.

    It comes first: who has logged in has a temporary key in the shell, from which another case cannot be begun.
    """
    credentials = configparser.ConfigParser()
    credentials.read(file)
    if not credentials.has_section(_DEFAULT):
        return {}
    names = ("aws_access_key_id", "aws_secret_access_key")
    return {name: credentials.get(_DEFAULT, name) for name in names}


def _own_name() -> str:
    name = re.sub(r"[^\w+=,.@-]", "-", getpass.getuser(), flags=re.ASCII)[:64]
    return name if len(name) >= _SHORTEST_NAME else f"{name}-session"


def _tag(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise CommandError(f"--tag takes KEY=VALUE, not {text!r}")
    return name, value
