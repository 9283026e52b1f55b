# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from overt import __version__
from overt.cli.main import app

Run = Callable[..., Any]


def commands(command: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    members = getattr(command, "commands", None)
    if members is None:
        return [path]
    return [found for name, member in members.items() for found in commands(member, (*path, name))]


def test_every_command_has_help_and_json() -> None:
    root = typer.main.get_command(app)
    found = commands(root)
    assert len(found) > 15
    for path in found:
        command = root
        for name in path:
            command = command.commands[name]
        assert command.help, path
        assert any("--json" in parameter.opts for parameter in command.params), path


def test_the_version_is_told(overt: Run) -> None:
    assert overt("version").stdout == f"{__version__}\n"
    assert json.loads(overt("version", "--json").stdout) == {"version": __version__}


def test_an_error_is_told_in_words_and_with_what_to_do(overt: Run, home: Path) -> None:
    done = overt("collections", "show", "nowhere", "--home", home)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "overt: Collection:nowhere not found!\n"
    done = overt("collections", "show", "nowhere", "--home", home, "--json")
    assert json.loads(done.stderr)["error"]["code"] == "ResourceNotFoundException"


def test_a_bad_setting_is_told_by_name(overt: Run, home: Path) -> None:
    done = overt("config", "show", "--home", home, OVERT_PORT="70000")
    assert done.returncode == 1
    assert "port: " in done.stderr
    home.mkdir(exist_ok=True)
    (home / "overt.toml").write_text("prot = 1\n")
    done = overt("config", "show", "--home", home)
    assert done.returncode == 1
    assert "prot" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [["nonsense"], ["faces", "search"], ["up", "--port", "many"]])
def test_wrong_usage_is_exit_code_2(overt: Run, arguments: list[str]) -> None:
    done = overt(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
