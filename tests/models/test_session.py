# SPDX-License-Identifier: Apache-2.0
"""A weight file is loaded only when it is the pack's, once, and gives its outputs by name."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from overt.models.pack import Model, Pack, PackError
from overt.models.session import Session

ZEROS = np.zeros((1, 64, 64, 1), np.float32)


@pytest.fixture
def emotion(copy: Path) -> Model:
    """A small model whose file may be spoiled."""
    model = Pack.read(copy).model("emotion")
    assert model is not None
    return model


def spoil(path: Path) -> bytes:
    """Changes one byte, so that only the sha256 tells. Returns: the file as it was."""
    whole = path.read_bytes()
    changed = bytearray(whole)
    changed[len(changed) // 2] ^= 1
    path.write_bytes(changed)
    return whole


def test_weights_with_another_sha256_are_refused(copy: Path) -> None:
    model = Pack.read(copy).model("iris")
    assert model is not None
    spoil(model.path)
    with pytest.raises(PackError, match="sha256"):
        Session(model).load()


def test_weights_are_checked_before_they_are_loaded(emotion: Model) -> None:
    """Bytes that ONNX Runtime could not read at all never reach it: what is told is the checksum."""
    emotion.path.write_bytes(b"\x00" * emotion.size)
    session = Session(emotion)
    for _ in range(2):
        with pytest.raises(PackError, match=r"emotion\.onnx does not have the sha256"):
            session.run(ZEROS)


def test_a_session_works_once_its_file_has_been_put_right(emotion: Model) -> None:
    session, whole = Session(emotion), spoil(emotion.path)
    with pytest.raises(PackError):
        session.load()
    emotion.path.write_bytes(whole)
    session.load()
    assert session.run(ZEROS)


@pytest.mark.parametrize("missing", ["weights", "licence"])
def test_weights_without_their_file_or_licence_are_refused(emotion: Model, missing: str) -> None:
    path = emotion.path if missing == "weights" else emotion.licence_files[0]
    path.unlink()
    with pytest.raises(PackError, match=f"{path.name} is missing"):
        Session(emotion).load()


def test_what_is_loaded_stays_whatever_becomes_of_the_file(emotion: Model) -> None:
    session = Session(emotion)
    before = session.run(ZEROS)
    emotion.path.unlink()
    assert np.array_equal(*(next(iter(out.values())) for out in (before, session.run(ZEROS))))


def test_outputs_come_by_name(emotion: Model) -> None:
    (name,) = (out := Session(emotion).run(ZEROS))
    assert name == "Identity_0_out"
    assert out[name].shape == (1, 7)
    assert out[name].sum() == pytest.approx(1, abs=1e-4)


def test_many_callers_at_once_get_what_one_gets(emotion: Model) -> None:
    pictures = np.random.default_rng(0).uniform(-1, 1, (16, 1, 64, 64, 1)).astype(np.float32)
    alone = Session(emotion)
    expected = [alone.run(picture)["Identity_0_out"] for picture in pictures]
    shared = Session(emotion)  # loaded by whoever comes first
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda picture: shared.run(picture)["Identity_0_out"], pictures))
    assert all(np.array_equal(a, b) for a, b in zip(expected, found, strict=True))


def test_running_a_model_tells_nobody_and_leaves_nothing_behind(emotion: Model, tmp_path: Path) -> None:
    """ONNX Runtime's own telemetry, which is on by default, would keep a device id in the user's home and send it."""
    places = {name: tmp_path / name for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME")}
    for place in places.values():
        place.mkdir()
    program = (
        "import sys\nfrom pathlib import Path\nfrom overt.models.pack import Pack\n"
        "from overt.models.session import Session\nSession(Pack.read(Path(sys.argv[1])).model('emotion')).load()"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ORT_")}
    environment |= {name: str(place) for name, place in places.items()}
    subprocess.run([sys.executable, "-c", program, emotion.path.parent], env=environment, timeout=60, check=True)
    assert [str(path) for place in places.values() for path in place.rglob("*")] == []
