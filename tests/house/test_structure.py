# SPDX-License-Identifier: Apache-2.0
"""The rules of the house that a machine can check; import layers are import-linter's, types mypy's, style ruff's."""

from __future__ import annotations

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCE = REPOSITORY / "src" / "overt"
TESTS = REPOSITORY / "tests"
MODULES = sorted(path.relative_to(SOURCE) for path in SOURCE.rglob("*.py"))
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [REPOSITORY / name for name in listed.split("\0") if name and (REPOSITORY / name).exists()]


def test_no_module_is_a_heap() -> None:
    assert [path for path in MODULES if path.stem in FORBIDDEN_NAMES] == []


def test_every_module_opens_with_its_licence_and_a_sentence() -> None:
    for path in MODULES:
        text = (SOURCE / path).read_text()
        assert text.startswith("# SPDX-License-Identifier: Apache-2.0\n"), path
        assert ast.get_docstring(ast.parse(text)), path


def test_every_module_has_a_test_file_of_its_name() -> None:
    missing = [path for path in MODULES if not any((TESTS / name).exists() for name in places(path))]
    assert missing == []


def places(path: Path) -> list[Path]:
    """Where a module's tests may lie: tests/<room>/test_<module>.py, a package's in one file of its name.

    An interface, and a contract that is itself made of tests, are tested by what keeps to them.
    """
    kept_by = {
        "stores/base.py": "stores/test_sql.py",
        "testing/stores.py": "stores/test_sql.py",
        "testing/models.py": "models/test_packs.py",
        "testing/sinks.py": "streams/test_sinks.py",
        "testing/sources.py": "media/test_sources.py",
    }
    if path.as_posix() in kept_by:
        return [Path(kept_by[path.as_posix()])]
    if path.stem in {"__init__", "__main__"} or "versions" in path.parts:
        return [Path("conftest.py")]  # nothing in them to test by itself
    own = path.parent / f"test_{path.stem}.py"
    package = path.parent.parent / f"test_{path.parent.name}.py"
    return [own, package] if path.parent.parts[1:] else [own]


def test_operations_raise_errors_of_the_contract_only() -> None:
    for path in sorted((SOURCE / "ops").glob("*.py")):
        if path.stem == "registry":  # registering an operation twice is a mistake in the code
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Raise) and node.exc is not None:
                raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
                assert isinstance(raised, ast.Name), f"{path.name}:{node.lineno}"
                assert raised.id.endswith("Exception"), f"{path.name}:{node.lineno} raises {raised.id}"


def test_sizes_are_printed_where_they_are_beyond_the_aim(capsys: pytest.CaptureFixture[str]) -> None:
    """Prints, and never fails for, what is longer than aimed at."""
    lengths = {path: len((SOURCE / path).read_text().splitlines()) for path in MODULES}
    ordered = sorted(lengths.values())
    with capsys.disabled():
        print(f"\n{len(lengths)} modules, {sum(ordered)} lines, median {ordered[len(ordered) // 2]}")
        for path, length in lengths.items():
            if length > 400:
                print(f"  longer than 400 lines: {path} ({length})")
    assert lengths


def test_nothing_biometric_is_in_the_repository() -> None:
    pictures = [path for path in tracked() if path.suffix.lower() in {".jpg", ".jpeg", ".png", ".npy", ".npz", ".gif"}]
    assert pictures == []


def test_nothing_is_fetched_at_run_time() -> None:
    """Modules of the product import nothing that opens connections, but for what an operator asks for by name.

    S3 pictures, which are switched on; benchmarks, which call a server of their own; models added from a URL; the
    source of a migration; the server that is logged in to;
    cameras that are to be watched or found, and those who are to be told of jobs and streams.
    """
    allowed = {
        Path(f"{name}.py")
        for name in (
            *("media/fetch", "media/soap", "media/sources/kinesis", "media/sources/web", "models/downloads"),
            *("cli/measuring", "cli/session", "cli/source", "outlets/clients", "outlets/posting"),
        )
    }
    for path in MODULES:
        for node in ast.walk(ast.parse((SOURCE / path).read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            loud = {name.split(".")[0] for name in names} & {
                "urllib3",
                "requests",
                "httpx",
                "boto3",
                "ftplib",
                "smtplib",
            }
            assert not loud or path in allowed, f"{path} imports {loud}"
            assert path in allowed or not {"urllib.request", "http.client"} & set(names), path


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir"]
    subprocess.run([*command, str(folder), str(REPOSITORY)], check=True)
    (built,) = folder.glob("overt-*.whl")
    return zipfile.ZipFile(built)


def test_the_wheel_holds_every_module_and_the_migrations(wheel: zipfile.ZipFile) -> None:
    held = set(wheel.namelist())
    assert {f"overt/{path.as_posix()}" for path in MODULES} <= held
    assert "overt/py.typed" in held
    assert any(name.startswith("overt/stores/migrations/versions/") for name in held)


def test_the_wheel_holds_nothing_else(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.startswith("overt-")} == {"overt"}
