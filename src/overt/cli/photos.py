# SPDX-License-Identifier: Apache-2.0
"""Where the sample photographs lie that `make` fetches; they are portraits, so no package of ours carries them."""

from __future__ import annotations

import os
from pathlib import Path

from overt.cli.output import CommandError

PORTRAITS = ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "astronaut.png")


def folder(given: Path | None) -> Path:
    """The folder given, that of OVERT_PHOTOS, or .photos here. Raises: CommandError when portraits are missing."""
    chosen = given or Path(os.environ.get("OVERT_PHOTOS") or ".photos")
    missing = [name for name in PORTRAITS if not (chosen / name).is_file()]
    if missing:
        raise CommandError(
            f"{chosen} lacks {', '.join(missing)}. `make photos` in a clone of overt fetches them; "
            "then give the folder with --photos"
        )
    return chosen
