# SPDX-License-Identifier: Apache-2.0
"""`overt models`: which models are there, what they can tell, whether their files are right, and how to add some."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from overt import settings
from overt.cli import output
from overt.cli.home import engine
from overt.cli.record import recorded
from overt.models.additions import Additions, Wanted
from overt.models.hub import Hub
from overt.models.pack import Pack, PackError
from overt.models.slots import SLOTS
from overt.models.taxonomy.unsafe import LEVELS
from overt.ops.images import ATTRIBUTES

app = typer.Typer(help="Model packs: what sees.", no_args_is_help=True)

_WORDS = "slot, url, sha256 and manifest"


@app.command("list")
def list_models(home: output.HomeOption = None, as_json: output.JsonOption = False) -> None:
    """Show every model in use with its memory and time, and what no installed model can tell."""
    hub = _hub(home)
    rows: list[dict[str, Any]] = [
        {
            "task": model.task,
            "does": SLOTS[model.task].does if model.task in SLOTS else "nothing here",
            "model": model.name,
            "pack": pack.id,
            "version": pack.version,
            "in_use": model in hub.models,
            "bytes": model.size,
            "megabytes": model.megabytes,
            "milliseconds": model.milliseconds,
            "licence": model.licence_weights,
            "licence_use": model.licence_use,
        }
        for pack in hub.packs
        for model in pack.models
    ]
    support = _moderation(hub)
    attributes = sorted(ATTRIBUTES - hub.faces.supported) if _has(hub, "detect", "embed") else sorted(ATTRIBUTES)
    result = {
        "models": rows,
        "problems": hub.problems,
        "unsupported_face_attributes": attributes,
        "moderation": support,
    }

    def people() -> None:
        output.table(
            ("task", "model", "pack", "file MB", "memory MB", "ms", "licence"),
            (
                (row["task"], row["model"] + ("" if row["in_use"] else " (not in use)"),
                 f"{row['pack']} {row['version']}", f"{row['bytes'] / 1e6:.1f}", f"{row['megabytes']:.0f}",
                 f"{row['milliseconds']:.1f}", row["licence"])
                for row in rows
            ),
        )  # fmt: skip
        output.line(
            "\nmemory: once loaded, which happens when first used; ms: one run on one thread, as its maker measured"
        )
        for task, words in hub.problems.items():
            output.line(f"BAD  {task}: {words}")
        output.line(f"\nface attributes no installed model supports: {', '.join(attributes)}\n")
        output.table(
            ("moderation label", "level", "told by"),
            (("  " * (LEVELS[name][0] - 1) + name, LEVELS[name][0], told or "unsupported")
             for name, told in support.items()),
        )  # fmt: skip

    output.show(result, people, as_json=as_json)


@app.command("add")
def add(
    words: Annotated[list[str], typer.Argument(metavar="KEY=VALUE...", help="slot=, url=, sha256= and manifest=.")],
    accept: Annotated[
        bool,
        typer.Option("--accept-licence", help="Accept a licence that is more than permissive without being asked."),
    ] = False,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Fetch a model from a URL or path, check and try it, and put it into its slot in the home folder."""
    wanted = _wanted(words, {"slot", "url", "sha256", "manifest"})
    chosen = settings.load(home=home)
    additions = Additions(chosen.model_folder)
    with Progress(console=Console(stderr=True), disable=as_json) as bar:
        task = bar.add_task("fetching", total=None)
        with additions.fetched(wanted, lambda done, whole: bar.update(task, completed=done, total=whole)) as pack:
            bar.stop()
            _accept(pack, given=accept, as_json=as_json)
            told = [(model.name, model.sha256, model.licence_weights) for model in pack.models]
            _record(chosen, "AddModel", repr(told))
            place = additions.keep(pack)
    result = {"slots": [model.task for model in pack.models], "pack": pack.id, "folder": str(place)}
    output.show(
        result,
        lambda: output.line(f"{pack.id} fills {', '.join(result['slots'])} from the next start of the server on"),
        as_json=as_json,
    )


@app.command("remove")
def remove(
    words: Annotated[list[str], typer.Argument(metavar="slot=NAME", help="The slot to empty.")],
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Take an added model out of its slot again; the installed pack's model comes back."""
    slot = _wanted(words, {"slot"}).slot
    if slot is None:
        raise output.CommandError("say which slot: overt models remove slot=objects")
    chosen = settings.load(home=home)
    place = Additions(chosen.model_folder).remove(slot)
    _record(chosen, "RemoveModel", place.name)
    output.show(
        {"slots": place.name.split("+")},
        lambda: output.line(f"{place.name} is empty from the next start of the server on"),
        as_json=as_json,
    )


@app.command("verify")
def verify(home: output.HomeOption = None, as_json: output.JsonOption = False) -> None:
    """Check every file of every pack against its sha256, and that its licences are there."""
    hub = _hub(home)
    problems = {pack.id: pack.verify() for pack in hub.packs}

    def people() -> None:
        for pack in hub.packs:
            found = problems[pack.id]
            output.line(
                f"{pack.id} {pack.version}: " + ("; ".join(found) if found else f"{len(pack.models)} models ok")
            )
        for task, words in hub.problems.items():
            output.line(f"{task}: {words}")

    packs = {name: {"ok": not found, "problems": found} for name, found in problems.items()}
    output.show({"packs": packs, "problems": hub.problems}, people, as_json=as_json)
    if any(problems.values()) or hub.problems:
        raise typer.Exit(1)


@app.command("licenses")
def licenses(home: output.HomeOption = None, as_json: output.JsonOption = False) -> None:
    """Show each model's licences and where it comes from."""
    rows: list[dict[str, Any]] = [
        {
            "model": model.name,
            "weights": model.licence_weights,
            "code": model.licence_code,
            "use": model.licence_use,
            "sources": [f"{source.package}=={source.version}" for source in model.sources],
            "files": [str(path) for path in model.licence_files],
        }
        for pack in _hub(home).packs
        for model in pack.models
    ]
    cells = [(row["model"], row["weights"], row["code"], row["use"], ", ".join(row["sources"])) for row in rows]
    output.show(
        {"models": rows},
        lambda: output.table(("model", "weights", "code", "use", "built from"), cells),
        as_json=as_json,
    )


def _hub(home: Any) -> Hub:
    """The models of a home folder, their files not yet read."""
    return Hub.discover(settings.load(home=home).model_folder)


def _has(hub: Hub, *tasks: str) -> bool:
    return {model.task for model in hub.models}.issuperset(tasks)


def _moderation(hub: Hub) -> dict[str, str]:
    """Every moderation label with what can tell it, "" for nothing."""
    try:
        support, unsupported = hub.moderation.support, hub.moderation.unsupported
    except PackError:
        support, unsupported = {}, tuple(LEVELS)
    return {name: "" if name in unsupported else support.get(name, "labels below it") for name in LEVELS}


def _wanted(words: list[str], known: set[str]) -> Wanted:
    given: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or name not in known or not value:
            raise output.CommandError(f"{word!r} is none of {', '.join(f'{name}=...' for name in sorted(known))}")
        given[name] = value
    return Wanted(**given)


def _accept(pack: Pack, *, given: bool, as_json: bool) -> None:
    """Show the licences, and have those accepted that ask for more than a notice. Raises: CommandError."""
    for model in pack.models:
        told = f"{model.name}: weights {model.licence_weights}, code {model.licence_code} ({model.licence_use})"
        if not as_json:
            output.line(told)
        if model.licence_use == "permissive" or given:
            continue
        if as_json or not sys.stdin.isatty():
            raise output.CommandError(f"{told}; read the licence, then say --accept-licence")
        if not typer.confirm("Do you accept this licence?"):
            raise output.CommandError("not accepted: nothing was added")


def _record(chosen: settings.Settings, operation: str, about: str) -> None:
    """Leave a row: who uses which weights, under a licence accepted, belongs into the record."""
    with engine(chosen.home) as opened, recorded(opened, operation, about):
        pass
