# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image


def test_the_demonstration_finds_whom_it_enrolled_and_draws_it(
    overt: Callable[..., Any], photos: Path, tmp_path: Path
) -> None:
    picture = tmp_path / "demo.png"
    told = json.loads(overt("demo", "--photos", photos, "--output", picture, "--json").stdout)
    found = {search["probe"]: [match["person"] for match in search["matches"]] for search in told["searches"]}
    assert found == {"obama2.jpg": ["Obama"], "obama3.jpg": ["Obama"], "astronaut.png": []}
    with Image.open(picture) as drawn:
        assert drawn.size[0] > 900
        assert len(drawn.convert("RGB").getcolors(1 << 24)) > 1000


def test_without_photos_it_says_how_to_get_them(overt: Callable[..., Any], tmp_path: Path) -> None:
    done = overt("demo", "--photos", tmp_path)
    assert done.returncode == 1
    assert "make photos" in done.stderr
