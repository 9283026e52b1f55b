# SPDX-License-Identifier: Apache-2.0
"""`overt collections`: the operations on collections from the command line."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any

import typer

from overt.cli import output
from overt.cli.home import engine
from overt.engine import Engine
from overt.errors import ConflictException, ResourceNotFoundException
from overt.ops.matching import THRESHOLDS
from overt.stores.base import NotFoundError
from overt.types import Collection
from overt.wire import local

app = typer.Typer(help="Collections: galleries of enrolled faces.", no_args_is_help=True)

_FACES_PER_CALL = 100
"""Source: shape UserFaceList of the service model."""


def all_collections(opened: Engine) -> list[str]:
    """The ids of the account's collections."""
    names: list[str] = []
    params: dict[str, Any] = {}
    while True:
        page = local.call(opened, "ListCollections", **params)
        names += page["CollectionIds"]
        if "NextToken" not in page:
            return names
        params = {"NextToken": page["NextToken"]}


def find(opened: Engine, name: str) -> Collection:
    """A collection of the account. Raises: CommandError when it is not there."""
    with opened.stores.read() as unit:
        try:
            return unit.collections.get(opened.settings.account, name)
        except NotFoundError:
            raise output.CommandError(f"there is no collection {name}; see `overt collections list`") from None


def ensured(opened: Engine, name: str) -> dict[str, Any]:
    """What DescribeCollection says of a collection, which is made when it is not there. Raises: WireError."""
    try:
        return local.call(opened, "DescribeCollection", CollectionId=name)
    except ResourceNotFoundException:
        local.call(opened, "CreateCollection", CollectionId=name)
        return ensured(opened, name)


def give(opened: Engine, collection: str, user: str, faces: Sequence[str], **params: Any) -> list[str]:
    """Make a user unless it is there, and give it faces.

    Args: params: further ones of AssociateFaces. Returns: why faces were refused, a reason for each. Raises: WireError.
    """
    with suppress(ConflictException):
        local.call(opened, "CreateUser", CollectionId=collection, UserId=user)
    refused: list[str] = []
    for start in range(0, len(faces), _FACES_PER_CALL):
        some = list(faces[start : start + _FACES_PER_CALL])
        done = local.call(opened, "AssociateFaces", CollectionId=collection, UserId=user, FaceIds=some, **params)
        refused += [reason for face in done["UnsuccessfulFaceAssociations"] for reason in face["Reasons"]]
    return refused


@app.command("list")
def list_collections(home: output.HomeOption = None, as_json: output.JsonOption = False) -> None:
    """Show every collection with its size."""
    with engine(home) as opened:
        rows = [
            {"CollectionId": name, **local.call(opened, "DescribeCollection", CollectionId=name)}
            for name in all_collections(opened)
        ]
    cells = [(row["CollectionId"], row["FaceCount"], row["UserCount"], row["FaceModelVersion"]) for row in rows]
    output.show(
        {"Collections": rows}, lambda: output.table(("collection", "faces", "users", "model"), cells), as_json=as_json
    )


@app.command("create")
def create(collection: str, home: output.HomeOption = None, as_json: output.JsonOption = False) -> None:
    """Make an empty collection."""
    with engine(home) as opened:
        made = local.call(opened, "CreateCollection", CollectionId=collection)
    output.show(made, lambda: output.line(f"created {made['CollectionArn']}"), as_json=as_json)


@app.command("show")
def describe(
    collection: str,
    rate: Annotated[
        list[float] | None,
        typer.Option(min=1e-9, max=0.999, help="Wanted false-positive identification rate [default: the setting's]."),
    ] = None,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Show one collection's counts and model, and what its size does to searches."""
    with engine(home) as opened:
        shown = local.call(opened, "DescribeCollection", CollectionId=collection)
        models, size = opened.models.faces, shown["FaceCount"]
        known = models.model == shown["FaceModelVersion"]
        curve = models.calibration
        rates = rate or [opened.settings.false_positive_rate]
        predicted = {at: curve.false_positive_rate(at / 100, size) for at in THRESHOLDS} if known else {}
        kept = {wanted: curve.similarity_for(wanted, size) for wanted in rates} if known else {}
    result = {
        **shown,
        "FalsePositiveRates": predicted,
        "Thresholds": {str(wanted): None if least is None else least * 100 for wanted, least in kept.items()},
    }

    def people() -> None:
        output.table(("", ""), shown.items())
        if not known:
            output.line("\nits faces are of another model than the one installed: nothing is predicted")
            return
        output.line("\nwho searches for somebody not enrolled finds a match all the same:")
        output.table(("at threshold", "share of searches"), ((at, f"{share:.3g}") for at, share in predicted.items()))
        for wanted, least in kept.items():
            told = "nothing was measured that keeps to it" if least is None else f"threshold {least * 100:.2f}"
            output.line(f"to keep to {wanted:g}: {told}")

    output.show(result, people, as_json=as_json)


@app.command("delete")
def delete(
    collection: str,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Delete a collection with all its faces and users."""
    with engine(home) as opened:
        shown = local.call(opened, "DescribeCollection", CollectionId=collection)
        if not yes and not typer.confirm(f"Delete {collection} with {shown['FaceCount']} faces for good?", err=True):
            raise output.CommandError("nothing was deleted")
        done = local.call(opened, "DeleteCollection", CollectionId=collection)
    output.show(done, lambda: output.line(f"deleted {collection}"), as_json=as_json)
