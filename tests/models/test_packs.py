# SPDX-License-Identifier: Apache-2.0
"""The default packs keep the contract, and so does any pack whose parts fit the slots."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import overt_pack_faces
import overt_pack_vision
import pytest
from PIL import Image as Pillow

from overt.models.additions import Additions, Wanted
from overt.testing import networks
from overt.testing.models import FacesContract, ModelContract
from overt.types import Image


class TestFaces(FacesContract):
    @pytest.fixture
    def folder(self) -> Path:
        return overt_pack_faces.folder()

    @pytest.fixture
    def portrait(self, photos: Path) -> Image:
        with Pillow.open(photos / "obama.jpg") as file:
            return Image(np.asarray(file.convert("RGB")), "")


class TestVision(ModelContract):
    @pytest.fixture
    def folder(self) -> Path:
        return overt_pack_vision.folder()


class TestDetector(ModelContract):
    """A second detector, of another family than the default one."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        manifest = networks.detector(tmp_path / "made")
        additions = Additions(tmp_path / "models")
        with additions.fetched(Wanted(manifest=str(manifest))) as pack:
            return additions.keep(pack)


class TestVocabulary(ModelContract):
    """Two encoders that share a space."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        manifest = networks.vocabulary(tmp_path / "made")
        additions = Additions(tmp_path / "models")
        with additions.fetched(Wanted(manifest=str(manifest))) as pack:
            return additions.keep(pack)
