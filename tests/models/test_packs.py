# SPDX-License-Identifier: Apache-2.0
"""The default pack keeps the contract."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import overt_pack_faces
import pytest
from PIL import Image as Pillow

from overt.testing.models import ModelContract
from overt.types import Image


class TestFaces(ModelContract):
    @pytest.fixture
    def folder(self) -> Path:
        return overt_pack_faces.folder()

    @pytest.fixture
    def portrait(self, photos: Path) -> Image:
        with Pillow.open(photos / "obama.jpg") as file:
            return Image(np.asarray(file.convert("RGB")), "")
