# SPDX-License-Identifier: Apache-2.0
"""The default pack, copies of it to spoil, and photos as pictures."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import overt_pack_faces
import pytest
from PIL import Image as Pillow

from overt.models.hub import Hub
from overt.models.pack import Pack
from overt.models.tasks.faces import FaceTasks
from overt.types import Image


@pytest.fixture(scope="session")
def folder() -> Path:
    return overt_pack_faces.folder()


@pytest.fixture(scope="session")
def pack(folder: Path) -> Pack:
    return Pack.read(folder)


@pytest.fixture(scope="session")
def hub() -> Hub:
    return Hub.discover()


@pytest.fixture(scope="session")
def faces(hub: Hub) -> FaceTasks:
    return hub.faces


@pytest.fixture(scope="session")
def load(photos: Path) -> Callable[[str | Path], Image]:
    """Opens a photo by its name, or any picture by its path, as models get it."""

    def opened(name: str | Path) -> Image:
        with Pillow.open(photos / name) as file:
            return Image(np.asarray(file.convert("RGB")), "")

    return opened


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    """The pack's folder again, without the large embedder."""
    made = tmp_path / "pack"
    shutil.copytree(folder, made, ignore=shutil.ignore_patterns("__pycache__", "sface*"))
    return made


@pytest.fixture(scope="session")
def edit() -> Callable[[Path, str, str], None]:
    """Replaces words of a pack's manifest."""

    def edit(folder: Path, old: str, new: str) -> None:
        file = folder / "pack.toml"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new, 1))

    return edit
