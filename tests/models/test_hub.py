# SPDX-License-Identifier: Apache-2.0
"""Each task gets its model from the packs there are, or words that say why it cannot."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from overt.models.hub import Hub
from overt.models.pack import Pack, PackError

Edit = Callable[[Path, str, str], None]


def test_two_packs_of_one_task(pack: Pack, copy: Path, edit: Edit) -> None:
    edit(copy, 'id = "faces"', 'id = "mine"')
    other = Pack.read(copy)
    hub = Hub([pack, other])
    with pytest.raises(PackError, match="uninstall all but one"):
        _ = hub.faces
    assert {model.name for model in Hub([other]).models} == {model.name for model in other.models}


def test_two_packs_that_offer_one_task_are_both_named(pack: Pack, copy: Path, edit: Edit) -> None:
    edit(copy, 'id = "faces"', 'id = "mine"')
    assert "faces, mine all offer detect" in Hub([Pack.read(copy), pack]).problems["detect"]


def test_the_operators_own_pack_goes_first(pack: Pack, copy: Path, edit: Edit) -> None:
    edit(copy, 'id = "faces"', 'id = "mine"')
    hub = Hub([pack], [Pack.read(copy)])
    assert hub.problems == {}
    assert {model.path.parent for model in hub.models} == {copy}


def test_packs_that_offer_different_tasks_work_together(
    pack: Pack, copy: Path, load: Callable[[str | Path], Any]
) -> None:
    """The detector of one pack beside the embedder of another."""
    manifest = copy / "pack.toml"
    head, *models = manifest.read_text().split("[[models]]\n")
    head = head[: head.index("[calibration]")].replace('id = "faces"', 'id = "eyes"')
    manifest.write_text("[[models]]\n".join([head, *(m for m in models if 'task = "detect"' in m)]))
    rest = copy.parent / "rest"
    rest.mkdir()
    for name in ("sface_2021dec.onnx", "LICENSES"):
        (rest / name).symlink_to(pack.folder / name)
    whole, *all_models = (pack.folder / "pack.toml").read_text().split("[[models]]\n")
    (rest / "pack.toml").write_text("[[models]]\n".join([whole, *(m for m in all_models if 'task = "embed"' in m)]))
    hub = Hub([Pack.read(copy), Pack.read(rest)])
    assert {model.task: model.path.parent for model in hub.models} == {"detect": copy, "embed": rest}
    image = load("obama2.jpg")
    (face,) = hub.faces.detect(image)
    assert hub.faces.embed(image, face).model == "sface-2021dec-1.0"
    assert hub.faces.supported == frozenset()


def test_a_pack_with_an_unknown_output_is_refused(copy: Path, edit: Edit) -> None:
    edit(copy, 'decoder = "yunet"', 'decoder = "scrfd"')
    hub = Hub([Pack.read(copy)])
    assert "scrfd" in hub.problems["detect"]
    with pytest.raises(PackError, match="scrfd"):
        _ = hub.faces
    assert hub.session("mesh").model.name == "face_mesh"


def test_no_packs_is_said() -> None:
    hub = Hub([])
    with pytest.raises(PackError, match="pip install"):
        _ = hub.faces


def test_without_packs_there_is_nothing_to_load_and_nothing_fails() -> None:
    hub = Hub([])
    hub.preload()
    assert hub.packs == hub.models == ()


def test_a_missing_task_is_named(copy: Path) -> None:
    """With a detector and no embedder, what is missing is the embedder."""
    head, *models = (copy / "pack.toml").read_text().split("[[models]]\n")
    head = head[: head.index("[calibration]")]
    (copy / "pack.toml").write_text("[[models]]\n".join([head, *(m for m in models if 'task = "embed"' not in m)]))
    with pytest.raises(PackError, match=r"^no installed pack offers embed; pip install overt-pack-faces$"):
        _ = Hub([Pack.read(copy)]).faces


def test_discovery_and_preload() -> None:
    hub = Hub.discover()
    assert [pack.id for pack in hub.packs] == ["faces", "vision"]
    assert hub.loaded == frozenset()
    hub.preload()
    assert hub.loaded == {model.task for model in hub.models}
    assert hub.faces is hub.faces


def test_a_model_takes_memory_only_once_it_is_used(load: Callable[[str | Path], Any]) -> None:
    hub = Hub.discover()
    hub.check()
    hub.faces.detect(load("obama2.jpg"))
    assert hub.loaded <= {"detect", "mesh"}
    hub.scenes.objects(load("obama2.jpg"))
    assert hub.loaded <= {"detect", "mesh", "objects"}


def test_a_spoiled_file_empties_its_task_and_no_other(copy: Path) -> None:
    """The embedder's file is missing: what is left still works, and the task says why it does not."""
    hub = Hub([Pack.read(copy)])
    hub.check()
    assert set(hub.problems) == {"embed"}
    with pytest.raises(PackError, match=r"sface_2021dec\.onnx is missing"):
        hub.session("embed")
    hub.session("mesh").load()


def test_preloading_tells_a_weight_file_that_is_not_the_packs(copy: Path) -> None:
    with pytest.raises(PackError, match=r"sface_2021dec\.onnx is missing"):
        Hub([Pack.read(copy)]).preload()


# As an operator meets it: a further pack, installed beside the default one.


@pytest.fixture
def installed(copy: Path, edit: Edit, overt: Callable[..., Any]) -> Callable[..., Any]:
    """Runs overt where a second distribution offers the pack in `copy`, under the id "mine"."""
    edit(copy, 'id = "faces"', 'id = "mine"')
    site = copy.parent / "site"
    facts = site / "mine-1.0.dist-info"
    facts.mkdir(parents=True)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[overt.models]\nmine = mine:folder\n")
    (site / "mine.py").write_text(f"from pathlib import Path\n\n\ndef folder():\n    return Path({str(copy)!r})\n")
    return lambda *arguments: overt(*arguments, PYTHONPATH=site_path(copy))


def site_path(copy: Path) -> str:
    """PYTHONPATH with the further distribution."""
    return os.pathsep.join([str(copy.parent / "site"), os.environ["PYTHONPATH"]])


def test_a_pack_is_found_once_it_is_installed(installed: Callable[..., Any], copy: Path) -> None:
    manifest = copy / "pack.toml"
    head, *models = manifest.read_text().split("[[models]]\n")
    (model,) = (m for m in models if 'task = "age"' in m)
    other = model.replace('name = "age_v1"', 'name = "shoes_v1"').replace('task = "age"', 'task = "shoes"')
    manifest.write_text("[[models]]\n".join([head[: head.index("[calibration]")], other]))
    done = installed("models", "list")
    assert done.returncode == 0, done.stderr
    assert "shoes_v1 (not in use)" in done.stdout


def test_a_damaged_manifest_is_told_in_words_and_the_rest_works(
    installed: Callable[..., Any], copy: Path, tmp_path: Path, start_server: Callable[..., Any]
) -> None:
    (copy / "pack.toml").write_text("[pack\nid = ")
    for arguments, code in ((("models", "list"), 0), (("models", "verify"), 1), (("doctor",), 1)):
        done = installed(*arguments, "--home", tmp_path / "home")
        assert done.returncode == code
        assert f"{copy}/pack.toml" in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
    server = start_server(tmp_path / "home", PYTHONPATH=site_path(copy))
    assert f"{copy}/pack.toml" in (tmp_path / "home.log").read_text()
    assert server.client().list_collections()["CollectionIds"] == []


def test_two_packs_of_one_task_are_told_in_words(
    installed: Callable[..., Any], copy: Path, tmp_path: Path, start_server: Callable[..., Any], photos: Path
) -> None:
    done = installed("models", "list")
    assert "faces, mine all offer detect" in done.stdout
    client = start_server(tmp_path / "home", PYTHONPATH=site_path(copy)).client()
    image = {"Bytes": (photos / "coffee.png").read_bytes()}
    with pytest.raises(
        client.exceptions.AccessDeniedException, match="needs a model that this server cannot use"
    ) as told:
        client.detect_faces(Image=image)
    detail = told.value.response["ResponseMetadata"]["HTTPHeaders"]["x-overt-detail"]
    assert "faces, mine all offer" in detail
    assert client.detect_labels(Image=image)["Labels"]
