# SPDX-License-Identifier: Apache-2.0
"""The AWS SDK for JavaScript calls the server: each test of tests/javascript is one result here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw, ImageFont

NODE = shutil.which("node")
FOLDER = Path(__file__).resolve().parent.parent / "javascript"
SUITE = FOLDER / "rekognition.test.mjs"
NAMES = re.findall(r'^test\("(.+?)", ', SUITE.read_text(encoding="utf-8"), re.MULTILINE)
TIME_LIMIT = 120  # seconds; the suite takes about 15, more on a busy machine

# A result of TAP: `ok 1 - name`, `not ok 2 - name` or `ok 3 - name # SKIP why`, then its report, indented.
RESULT = re.compile(r"^(?P<verdict>ok|not ok) \d+ - (?P<name>.+?)(?P<directive> # .*)?\n(?: +.*\n)*", re.MULTILINE)

pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed, so the AWS SDK for JavaScript cannot run")


@dataclass(frozen=True)
class Run:
    """What node made of the suite; faults has the report of each test by name, empty for one that passed."""

    returncode: int
    output: str
    faults: dict[str, str]


@pytest.fixture(scope="module")
def pictures(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The photos; pair.jpg: Obama, and a smaller Biden beside him; sign.png: two lines of text."""
    folder = tmp_path_factory.mktemp("pictures")
    for photo in photos.glob("*.*g"):
        (folder / photo.name).symlink_to(photo.resolve())
    with Image.open(photos / "obama.jpg") as left, Image.open(photos / "biden.jpg") as large:
        right = large.reduce(2)
        pair = Image.new("RGB", (left.width + right.width, max(left.height, right.height)))
        pair.paste(left, (0, 0))
        pair.paste(right, (left.width, 0))
    pair.save(folder / "pair.jpg", quality=95)
    sign = Image.new("RGB", (640, 240), "white")
    for top, line in ((40, "HARBOUR MUSEUM"), (140, "OPEN 24")):
        ImageDraw.Draw(sign).text((40, top), line, "black", ImageFont.load_default(56))
    sign.save(folder / "sign.png")
    return folder


@pytest.fixture(scope="module")
def run(server: Any, pictures: Path) -> Run:
    """One run of the whole suite, in an environment with nothing of this machine's AWS configuration."""
    if not (FOLDER / "node_modules").is_dir():
        pytest.fail(f"no node_modules in {FOLDER}: `make test` installs it (or `npm ci` there)", pytrace=False)
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(pictures),
        "OVERT_URL": server.url,
        "OVERT_PHOTOS": str(pictures),
        "AWS_ACCESS_KEY_ID": server.key_id,
        "AWS_SECRET_ACCESS_KEY": server.secret,
    }
    command = [str(NODE), "--test", f"--test-timeout={TIME_LIMIT * 1000}", "--test-reporter=tap", str(SUITE)]
    done = subprocess.run(
        command, env=variables, capture_output=True, text=True, encoding="utf-8", timeout=TIME_LIMIT + 5, check=False
    )
    faults = {}
    for result in RESULT.finditer(done.stdout):
        passed = result["verdict"] == "ok" and not result["directive"]
        faults[result["name"]] = "" if passed else result[0]
    return Run(done.returncode, done.stdout + done.stderr, faults)


@pytest.mark.parametrize("name", NAMES)
def test_the_sdk_for_javascript_sees_that(run: Run, name: str) -> None:
    assert name in run.faults, f"node did not run it:\n{run.output}"
    assert not run.faults[name], run.faults[name]


def test_node_runs_every_test_of_the_suite_and_no_other(run: Run) -> None:
    assert NAMES
    assert sorted(run.faults) == sorted(NAMES), run.output
    assert run.returncode == int(any(run.faults.values())), run.output
